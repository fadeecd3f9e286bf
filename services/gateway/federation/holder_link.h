// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "services/casework/alerts.h"
#include "services/gateway/federation/holder_call.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/probe_window.h"
#include "services/matching/requester_session.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// One face as it was asked for, checked.
struct EngineProbe {
  std::uint64_t sequence = 0;
  std::string capture_ref;
  std::string camera;
  policy::Instant captured_at{};
  std::string_view embedding;  // float32 little-endian; the caller wipes it
};

// The requester's end of the search with one holder: decides each probe, sends it, turns the answer
// into alerts, and tells who asked. Opens the session when the first probe is permitted, and again
// (with growing pauses) after it was refused or lost; a probe is never sent twice, and each is
// answered exactly once, at the latest at its deadline.
//
// Threads: a thread of its own opens, decides and sends, so that a holder that is slow or out of
//          reach holds up nobody else. Offer() by one thread, Tick() by another; Finish() by the
//          owner. `deliver` is called from all of these and from the thread that reads the holder's
//          answers: it must be thread-safe.
class HolderLink {
 public:
  using Time = matching::ProbeWindow::Time;
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
  // Who asks, and is answered.
  struct Asker {
    std::function<void(v1::WatchAnswer)> deliver;
    // The deployment was stopped: a hit that is under way becomes no alert any more.
    std::function<bool()> is_stopped;
    policy::TermSet<policy::ReceiverRole> roles;  // hits are cut to what these may see
  };

  // References must outlive the object.
  HolderLink(Ports ports, matching::RequesterTerms terms, Asker asker);
  ~HolderLink();
  HolderLink(const HolderLink&) = delete;
  HolderLink& operator=(const HolderLink&) = delete;

  const policy::AgencyId& holder() const { return holder_; }
  // Copies the face and returns at once; its answer comes through `deliver`, at the latest with the
  // first Tick() after `deadline`. With 64 unanswered that is at once, as `holder busy`.
  void Offer(const EngineProbe& probe, Time deadline);
  bool has_room() const { return window_.has_room(); }
  // Expires old probes, ends a write that stalls, writes period entries. Some times a second.
  // Errors: those of the journal: without a log the stream must end
  Status Tick(Time now);

  // No further probe will come.
  void CloseWindow() { window_.Close(); }
  // Waits until every probe is answered, or `until`. After CloseWindow().
  void AwaitAnswers(Time until) { window_.AwaitEmpty(until); }
  // Begins to give up what is under way; for several links at once, before Finish() of each.
  void Cancel();
  // Waits for that, answers what is left, ends the session and its log entries.
  void Finish(std::string_view reason);

 private:
  using Session = std::unique_ptr<matching::RequesterSession>;

  void Run(const std::stop_token& stop);
  void StopSender();
  void Handle(const matching::WindowProbe& probe, const std::stop_token& stop);
  bool EnsureOpen(const std::stop_token& stop);
  std::optional<HolderClosed> OpenCall(const std::stop_token& stop);
  void DropCall();
  void StartAnew(std::string_view reason);
  void Send(const matching::WindowProbe& probe, const policy::Decision& permit,
            const matching::SearchCommitments& commitments);
  // An answer of the holder, and where it stands.
  struct Answered {
    const v1::SearchAnswer& message;
    policy::Decision decision;
    Digest digest;
    std::string exchange;  // of its session
  };
  Status OnAnswer(const Answered& answer);
  void OnHits(const Answered& answer, const matching::PendingProbe& probe);
  Result<std::vector<casework::HitReport>> ReportsOf(const Answered& answer,
                                                     const matching::PendingProbe& probe) const;
  // Makes alerts of what the holder reported; nothing when the search is stopped meanwhile or they
  // cannot be stored: who asked has been told.
  std::optional<std::vector<casework::Raised>> Raise(
      const std::vector<casework::HitReport>& reports, const matching::PendingProbe& probe);
  // The denial of a search that was permitted and is halted by now.
  std::optional<policy::Decision> HaltedNow(const policy::Decision& permit) const;
  // What was sent in the session of this exchange id gets no answer any more.
  void AbandonSent(const std::string& exchange, const HolderClosed& why);

  v1::WatchAnswer AnswerTo(std::uint64_t sequence, const std::string& capture_ref) const;
  // Tell who asked, without looking whether the probe is settled.
  void Refuse(std::uint64_t sequence, const std::string& capture_ref,
              const policy::Decision& decision, const policy::AgencyId& by) const;
  void Explain(std::uint64_t sequence, const std::string& capture_ref,
               const HolderClosed& why) const;

  const Ports ports_;
  const policy::AgencyId holder_;
  const policy::AgencyId own_;
  const std::shared_ptr<const matching::SearchOrder> order_;
  const Asker asker_;
  matching::ProbeWindow window_;
  runtime::Guarded<std::string> exchange_;  // the session's
  runtime::Guarded<Session> session_;
  runtime::Guarded<std::shared_ptr<HolderCall>> shared_call_;
  // The sender's own.
  std::shared_ptr<HolderCall> call_;
  std::optional<HolderClosed> last_;  // why the last opening failed
  std::chrono::steady_clock::time_point retry_at_{};
  std::chrono::milliseconds pause_;

  runtime::Watched<bool> sender_done_;
  std::jthread sender_;
};

}  // namespace comity::gateway
