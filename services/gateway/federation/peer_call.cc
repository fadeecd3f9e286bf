// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_call.h"

namespace comity::gateway {

std::chrono::system_clock::time_point DeadlineAt(policy::Instant end, policy::Instant now) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(end - now);
}

PeerCall::PeerCall(const PeerLinks& peers, runtime::Logger& logger, policy::AgencyId holder,
                   std::chrono::system_clock::time_point deadline)
    : peers_(peers), logger_(logger), holder_(std::move(holder)) {
  context_.set_deadline(deadline);
}

bool PeerCall::IsTrusted() const {
  const Status trusted = peers_.Verify(context_, holder_);
  if (trusted) return true;
  logger_.Warn("holder-certificate-refused", {{"peer", holder_.text()},
                                              {"code", Name(trusted.error().code)},
                                              {"reason", trusted.error().detail}});
  return false;
}

void PeerCall::Hurry(SteadyTime until) {
  write_until_.With([&](auto& late_at) { late_at = until; });
}

void PeerCall::LetBe() {
  write_until_.With([](auto& late_at) { late_at.reset(); });
}

void PeerCall::CancelLate() {
  const bool late = write_until_.With(
      [](const auto& until) { return until && std::chrono::steady_clock::now() >= *until; });
  if (late) context_.TryCancel();
}

bool PeerCall::NoteOpen() {
  return progress_.With([](Progress& now) {
    if (now.state != State::kOpening) return false;
    now.state = State::kOpen;
    return true;
  });
}

void PeerCall::End(HolderClosed why) {
  progress_.With([&](Progress& now) {
    if (now.state != State::kEnded) now = {State::kEnded, std::move(why)};
  });
}

bool PeerCall::IsOpen() const {
  return progress_.With([](const Progress& now) { return now.state == State::kOpen; });
}

HolderClosed PeerCall::why() const {
  return progress_.With([](const Progress& now) { return now.why; });
}

std::optional<HolderClosed> PeerCall::AwaitOpen(SteadyTime until) {
  std::optional<HolderClosed> why;
  const bool answered = progress_.WaitUntil(
      {}, until, [](const Progress& now) { return now.state != State::kOpening; },
      [&](Progress& now) {
        if (now.state == State::kEnded) why = now.why;
      });
  if (!answered) return HolderClosed{{}, {}, v1::Unanswered::REASON_DEADLINE};
  return why;
}

}  // namespace comity::gateway
