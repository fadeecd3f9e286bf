// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "services/casework/alerts.h"
#include "services/gateway/peer_links.h"
#include "services/gateway/signed_message.h"
#include "services/matching/requester_session.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// One face as the engine sent it, checked.
struct EngineProbe {
  std::uint64_t sequence = 0;
  std::string capture_ref;
  std::string camera;
  policy::Instant captured_at{};
  std::string_view embedding;  // float32 little-endian; the caller wipes it
};

// The requester's end of the search session with one holder: decides each probe, sends it, turns
// the answer into alerts, and tells the engine. Opens the session when the first probe is
// permitted, and again (with growing pauses) after it was refused or lost; a probe is never sent
// twice.
//
// Threads: Probe() and Finish() by the Watch handler's thread, Tick() by its timer thread.
// `deliver` is
//          called from these and from the thread that reads the holder's answers; one at a time per
//          call, so it must be thread-safe.
class HolderLink {
 public:
  struct Ports {
    const PeerLinks& peers;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    const matching::RequesterPorts& search;
    casework::AlertDesk& alerts;
    RandomSource& random;
    runtime::Logger& logger;
    std::chrono::seconds peer_deadline;  // how long a holder may take to open a session
  };
  using Deliver = std::function<void(v1::WatchAnswer)>;

  // `is_stopped`: the deployment was stopped: a hit that is under way becomes no alert any more.
  // References must outlive the object.
  HolderLink(Ports ports, matching::RequesterTerms terms, Deliver deliver,
             std::function<bool()> is_stopped);
  ~HolderLink();
  HolderLink(const HolderLink&) = delete;
  HolderLink& operator=(const HolderLink&) = delete;

  // Decides and sends one probe; waits while 64 are unanswered. Its answer comes through `deliver`.
  void Probe(const EngineProbe& probe);
  // Expires old probes, writes period entries. About twice a second.
  // Errors: those of the journal: without a log the stream must end
  Status Tick();
  // No further probe will come: waits for the open answers, at most so long, and closes.
  void Finish(std::chrono::seconds patience);

 private:
  using Stream = grpc::ClientReaderWriter<v1::SignedMessage, v1::SignedMessage>;
  using Session = std::unique_ptr<matching::RequesterSession>;
  struct Call;  // one stream to the holder, with the thread that reads it
  // Why nothing can be sent now: what the holder decided, or that it cannot be reached.
  struct Closed {
    std::optional<policy::Decision> decision;
    policy::AgencyId refused_by;  // with `decision`
    v1::Unanswered::Reason reason = v1::Unanswered::REASON_HOLDER_UNREACHABLE;
  };

  bool EnsureOpen();
  // Whether the holder's certificate still stands; else nothing more goes to it.
  bool IsTrusted(const Call& call, const policy::AgencyId& holder) const;
  // Ended by Tick() when the holder does not take it in time.
  bool Write(Call& call, const v1::SignedMessage& message, std::chrono::seconds patience);
  std::optional<Closed> OpenCall();
  void StartAnew(std::string_view reason);
  void Send(const EngineProbe& probe, const policy::Decision& permit);
  void ReadAnswers(Call& call);
  Status OnAnswer(const v1::SignedMessage& message, Call& call);
  void OnHits(const v1::SearchAnswer& answer, const policy::Decision& decision,
              const matching::PendingProbe& probe, const Digest& digest);
  void AbandonAll(const Closed& why);

  v1::WatchAnswer AnswerTo(std::uint64_t sequence, const std::string& capture_ref) const;
  void Refuse(std::uint64_t sequence, const std::string& capture_ref,
              const policy::Decision& decision, const policy::AgencyId& by) const;
  void Explain(std::uint64_t sequence, const std::string& capture_ref, const Closed& why) const;

  Ports ports_;
  Deliver deliver_;
  std::function<bool()> is_stopped_;
  runtime::Watched<Session> session_;
  // The write that is under way, so that a holder that stops reading ends its own call and does not
  // hold up the faces for the others.
  struct Writing {
    grpc::ClientContext* context = nullptr;
    std::chrono::steady_clock::time_point until{};
  };
  runtime::Guarded<Writing> writing_;
  std::unique_ptr<Call> call_;  // Watch handler's thread only
  std::optional<Closed> last_;  // why the last opening failed
  std::chrono::steady_clock::time_point retry_at_{};
  std::chrono::milliseconds pause_;
};

}  // namespace comity::gateway
