// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/camera_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "comity/v1/recognition.pb.h"

namespace comity::bench {

using std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

CameraLoad::CameraLoad(PartnerWorld& world, const LoadTerms& terms) : world_(world), terms_(terms) {
  State state;
  std::mt19937_64 random{7};
  const double slot = 60 / terms.faces_per_minute;
  const auto slots = static_cast<std::size_t>((terms.seconds + terms.warm_up_s) / slot);
  for (std::size_t camera = 0; camera < terms.cameras; ++camera) {
    for (std::size_t i = 0; i < slots; ++i) {
      const double within = std::uniform_real_distribution<double>(0, slot)(random);
      FaceRecord face;
      face.scheduled_s = static_cast<double>(i) * slot + within;
      face.camera = camera;
      state.faces.push_back(face);
    }
  }
  std::ranges::sort(state.faces, {}, &FaceRecord::scheduled_s);
  std::size_t next_holder = 0;
  for (std::size_t i = 0; i < state.faces.size(); ++i) {
    if (terms.enrolled_every == 0 || i % terms.enrolled_every != 0) continue;
    state.faces[i].enrolled_at = 1 + next_holder++ % (world.size() - 1);
  }
  state_.With([&](State& own) { own = std::move(state); });
}

CameraLoad::~CameraLoad() {
  sender_.request_stop();
  if (engine_) engine_->Cancel();
}

bool CameraLoad::AwaitHolders(std::chrono::seconds patience, const std::atomic<bool>& stop) {
  const std::size_t holders = world_.size() - 1;
  const auto end = steady_clock::now() + patience;
  auto opened =
      testing::EngineClient::Open(world_.process(0).engine(), world_.deployment(), clock_);
  if (!opened) {
    fmt::print(stderr, "\nthe stream does not open: {}\n", opened.error().detail);
    return false;
  }
  engine_ = *std::move(opened);
  std::string last;
  while (steady_clock::now() < end && !stop) {
    ++before_;
    if (!engine_->Send({before_, fmt::format("c-{}", before_), "camera-1", world_.Stranger()})) {
      break;
    }
    std::size_t searched = 0;
    for (std::size_t i = 0; i < holders; ++i) {
      const auto answer = engine_->Receive();
      if (!answer) return false;
      searched += answer->has_answered() ? 1U : 0U;
      if (!answer->has_answered()) last = answer->ShortDebugString();
    }
    if (searched == holders) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  fmt::print(stderr, "\nnot every holder searches: {}\n", last);
  return false;
}

void CameraLoad::Start() {
  began_ = steady_clock::now() + std::chrono::milliseconds(200);
  reader_ = std::jthread([this] { Receive(); });
  sender_ = std::jthread([this](const std::stop_token& stop) { Send(stop); });
}

double CameraLoad::elapsed_s() const {
  return std::chrono::duration<double>(steady_clock::now() - began_).count();
}

CameraLoad::Counts CameraLoad::counts() const {
  return state_.With([](const State& state) {
    return Counts{state.sent, state.complete, state.faces.size(), state.stream_ended};
  });
}

void CameraLoad::Send(const std::stop_token& stop) {
  const std::size_t count = counts().all;
  for (std::size_t i = 0; i < count && !stop.stop_requested(); ++i) {
    const FaceRecord face = state_.With([&](const State& state) { return state.faces[i]; });
    const auto embedding =
        face.enrolled_at == 0 ? world_.Stranger() : world_.Enrolled(face.enrolled_at, i);
    const auto due = began_ + std::chrono::duration_cast<steady_clock::duration>(
                                  std::chrono::duration<double>(face.scheduled_s));
    std::this_thread::sleep_until(due);
    const double late = Milliseconds(steady_clock::now() - due).count();
    state_.With([&](State& state) {
      state.faces[i].late_ms = late;
      ++state.sent;
    });
    const std::uint64_t sequence = before_ + i + 1;
    if (!engine_->Send({sequence, fmt::format("c-{}", sequence),
                        fmt::format("camera-{}", face.camera + 1), embedding})) {
      return;  // the reader notes that the stream has ended
    }
  }
}

void CameraLoad::Receive() {
  while (const auto answer = engine_->Receive()) Note(*answer, steady_clock::now());
  state_.With([](State& state) { state.stream_ended = true; });
}

void CameraLoad::Note(const v1::WatchAnswer& answer, steady_clock::time_point at) {
  std::string failure;
  if (answer.has_refused()) failure = "refused: " + answer.refused().ShortDebugString();
  if (answer.has_unanswered()) {
    failure = v1::Unanswered::Reason_Name(answer.unanswered().reason());
  }
  state_.With([&](State& state) {
    if (answer.sequence() <= before_ || answer.sequence() > before_ + state.faces.size()) {
      ++state.failures[answer.holder() + ": answer to no face"];
      return;
    }
    FaceRecord& face = state.faces[answer.sequence() - before_ - 1];
    if (answer.has_answered()) {
      ++state.answered;
      const int alerts = answer.answered().alerts_size();
      state.hits += static_cast<std::uint64_t>(alerts);
      const bool listed =
          face.enrolled_at != 0 && world_.agency(face.enrolled_at).name() == answer.holder();
      if (alerts != (listed ? 1 : 0)) failure = listed ? "a face was missed" : "a false hit";
    }
    if (!failure.empty()) ++state.failures[answer.holder() + ": " + failure];
    if (++face.answers == world_.size() - 1) {
      face.complete_ms = Milliseconds(at - began_).count() - face.scheduled_s * 1000;
      ++state.complete;
    }
    if (face.answers > world_.size() - 1) ++state.failures[answer.holder() + ": answered twice"];
  });
}

void CameraLoad::Finish() {
  sender_.request_stop();
  if (sender_.joinable()) sender_.join();
  constexpr double kPatience = 12;  // the gateway gives a face up after five
  const double end = elapsed_s() + kPatience;
  const auto waits = [&] {
    const Counts now = counts();
    return now.complete < now.sent && !now.stream_ended && elapsed_s() < end;
  };
  while (waits()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  engine_->DoneSending();
  const double close_end = elapsed_s() + kPatience;
  while (!counts().stream_ended && elapsed_s() < close_end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  engine_->Cancel();
  if (reader_.joinable()) reader_.join();
  static_cast<void>(engine_->Finish());  // what ended it was noted
}

}  // namespace comity::bench
