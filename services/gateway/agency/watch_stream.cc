// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/watch_stream.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/wipe_message.h"
#include "services/matching/template_check.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;

constexpr std::chrono::milliseconds kTick{100};
constexpr int kTicksPerLook = 5;  // at the deployment and the engine's certificate

bool IsLabel(const std::string& text, std::size_t limit) {
  return !text.empty() && text.size() <= limit &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Status CheckLabels(const v1::WatchProbe& probe) {
  if (!IsLabel(probe.capture_ref(), limits::kMaxCaptureRef)) {
    return Fail(ErrorCode::kInvalidArgument,
                "probe.capture_ref has 1 to 128 octets without control characters");
  }
  if (!IsLabel(probe.camera(), limits::kMaxCameraName)) {
    return Fail(ErrorCode::kInvalidArgument,
                "probe.camera has 1 to 64 octets without control characters");
  }
  if (probe.track().size() > limits::kMaxTrack) {
    return Fail(ErrorCode::kInvalidArgument, "probe.track has at most 64 octets");
  }
  return {};
}

}  // namespace

void WatchStream::AddHolder(const LinkPorts& ports, matching::RequesterTerms terms) {
  LinkAsker asker{[this](v1::WatchAnswer answer) { Deliver(std::move(answer)); },
                  events_.is_stopped,
                  {policy::ReceiverRole::kEngine}};
  links_.push_back(MakeLink(ports, std::move(terms), std::move(asker)));
}

Status WatchStream::Run(const std::string& exchange) {
  v1::WatchResponse response;
  v1::WatchOpened& opened = *response.mutable_opened();
  opened.set_exchange_id(exchange);
  opened.set_threshold(deployment_.definition->threshold);
  *opened.mutable_engine() = ToProto(deployment_.definition->engine);
  for (const auto& link : links_) opened.add_holders(link->holder().text());
  *opened.mutable_ends_at() = ToProto(deployment_.definition->ends_at);
  Write(std::move(response));

  const std::jthread time([this](const std::stop_token& stop) { KeepTime(stop); });
  v1::WatchRequest request;
  Status status;
  while (status && stream_.Read(&request)) {
    if (!request.has_probe()) {
      status = Fail(ErrorCode::kInvalidArgument, "after `open`, every message is a `probe`");
      break;
    }
    const WipeAtExit wipe(*request.mutable_probe()->mutable_embedding());
    // Not left to the clock's thread alone: an engine that reads no answers holds that one up.
    if (!events_.may_continue()) {
      context_.TryCancel();
      break;
    }
    status = OnProbe(*request.mutable_probe());
  }
  // An engine that only said it is done still gets its last answers; one that is gone does not.
  const std::chrono::seconds patience =
      context_.IsCancelled() ? std::chrono::seconds(0) : limits::kProbeDeadline;
  Finish(patience);
  return status;
}

void WatchStream::Finish(std::chrono::seconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (const auto& link : links_) link->CloseWindow();
  for (const auto& link : links_) link->AwaitAnswers(until);
  for (const auto& link : links_) link->Cancel();
  for (const auto& link : links_) link->Finish("the engine ended the stream");
}

// Back-pressure by the fastest holder: the others answer what they cannot take as busy.
void WatchStream::AwaitRoom() {
  const auto has_room = [](const auto& link) { return link->has_room(); };
  if (links_.empty() || std::ranges::any_of(links_, has_room)) return;
  answers_.WaitUntil(
      {}, std::chrono::steady_clock::now() + limits::kProbeDeadline,
      [&](std::uint64_t) {
        return context_.IsCancelled() || std::ranges::any_of(links_, has_room);
      },
      [](std::uint64_t) {});
}

Status WatchStream::OnProbe(v1::WatchProbe& probe) {
  COMITY_RETURN_IF_ERROR(CheckLabels(probe));
  if (any_probe_ && probe.sequence() <= last_sequence_) {
    return Fail(ErrorCode::kInvalidArgument, "probe.sequence does not increase");
  }
  any_probe_ = true;
  last_sequence_ = probe.sequence();
  COMITY_ASSIGN_OR_RETURN(const policy::Instant captured_at, FromProto(probe.captured_at()));
  const policy::Instant now = clock_.Now();
  if (captured_at > now + limits::kMaxClockSkew) {
    return Fail(ErrorCode::kInvalidArgument,
                "probe.captured_at is more than 60 s ahead: check the engine's clock");
  }
  // The same check the holder makes; a broken template never leaves the agency.
  const auto checked =
      matching::ParseTemplate(AsBytes(probe.embedding()), deployment_.definition->engine.dimension);
  if (!checked) {
    return Fail(checked.error().code, "probe.embedding: " + checked.error().detail);
  }
  events_.on_face();
  if (captured_at < now - limits::kMaxProbeAge) {
    AnswerLate(probe);
    return {};
  }
  AwaitRoom();
  const auto deadline = std::chrono::steady_clock::now() + limits::kProbeDeadline;
  const EngineProbe asked{probe.sequence(), probe.capture_ref(), probe.camera(),
                          captured_at,      probe.embedding(),   probe.track()};
  for (const auto& link : links_) link->Offer(asked, deadline);
  return {};
}

// A face that comes too late is not searched: an alert about it would send people to an empty
// place.
void WatchStream::AnswerLate(const v1::WatchProbe& probe) {
  for (const auto& link : links_) {
    v1::WatchAnswer answer;
    answer.set_sequence(probe.sequence());
    answer.set_capture_ref(probe.capture_ref());
    answer.set_holder(link->holder().text());
    answer.mutable_unanswered()->set_reason(v1::Unanswered::REASON_DEADLINE);
    Deliver(std::move(answer));
  }
}

void WatchStream::Deliver(v1::WatchAnswer answer) {
  answers_.With([](std::uint64_t& count) { ++count; });
  if (events_.is_stopped()) return;  // after a stop nobody acts on an answer that was under way
  for (const v1::AlertRef& alert : answer.answered().alerts()) {
    if (!alert.merged()) events_.on_alert(answer.holder());
  }
  v1::WatchResponse response;
  *response.mutable_answer() = std::move(answer);
  Write(std::move(response));
}

void WatchStream::Write(v1::WatchResponse response) {
  // An engine that went away shows at the next read.
  writing_.With([&](bool&) { stream_.Write(response); });
}

void WatchStream::KeepTime(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  for (int tick = 1; !wake.wait_for(lock, stop, kTick, [] { return false; }); ++tick) {
    if (stop.stop_requested()) return;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& link : links_) {
      if (!link->Tick(now)) context_.TryCancel();
    }
    if (tick % kTicksPerLook == 0 && !events_.may_continue()) context_.TryCancel();
  }
}

}  // namespace comity::gateway
