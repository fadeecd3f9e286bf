// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <optional>
#include <utility>

#include "comity/v1/recognition.pb.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/gateway/federation/peer_links.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// Why nothing can be sent to a holder now: what was decided, or that it cannot be reached.
struct HolderClosed {
  std::optional<policy::Decision> decision;
  policy::AgencyId refused_by;  // with `decision`
  v1::Unanswered::Reason reason = v1::Unanswered::REASON_HOLDER_UNREACHABLE;
};

// When a call ends that ends at `end` by the gateway's clock, which says `now`: gRPC counts by the
// machine's clock, and somebody may have set that one (ADR 30).
std::chrono::system_clock::time_point DeadlineAt(policy::Instant end, policy::Instant now);

// What every stream to a holder has: its context, the other end's certificate, a patience for each
// write, and how far it has come.
//
// Threads: Write by one thread, the rest by any.
class PeerCall {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // References must outlive the object.
  // In: deadline  the call's
  PeerCall(const PeerLinks& peers, runtime::Logger& logger, policy::AgencyId holder,
           std::chrono::system_clock::time_point deadline);

  grpc::ClientContext& context() { return context_; }
  const policy::AgencyId& holder() const { return holder_; }
  // Errors: those of PeerLinks::Find
  Result<PeerLinks::LinkPtr> Find() const { return peers_.Find(holder_); }
  void Cancel() { context_.TryCancel(); }
  // Whether the holder's certificate still stands; else nothing more goes to it.
  bool IsTrusted() const;

  // From here on the call ends when CancelLate() is called after `until` and before LetBe().
  void Hurry(SteadyTime until);
  void LetBe();
  void CancelLate();
  // False: the call is over. Takes no longer than `patience` if CancelLate() is called.
  template <typename Stream, typename Message>
  bool Write(Stream& stream, const Message& message, std::chrono::milliseconds patience) {
    Hurry(std::chrono::steady_clock::now() + patience);
    const bool written = stream.Write(message);
    LetBe();
    return written;
  }

  // Opening, then open, then ended. False: it is past that already.
  bool NoteOpen();
  void End(HolderClosed why);
  bool IsOpen() const;
  HolderClosed why() const;
  // Waits until the call is open: nothing. Else why it is not: it has ended, or `until` has come.
  std::optional<HolderClosed> AwaitOpen(SteadyTime until);

 private:
  enum class State { kOpening, kOpen, kEnded };
  struct Progress {
    State state = State::kOpening;
    HolderClosed why;
  };

  const PeerLinks& peers_;
  runtime::Logger& logger_;
  const policy::AgencyId holder_;
  grpc::ClientContext context_;
  runtime::Watched<Progress> progress_;
  runtime::Guarded<std::optional<SteadyTime>> write_until_;  // set while one is under way
};

}  // namespace comity::gateway
