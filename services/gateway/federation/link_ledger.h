// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "comity/v1/federation.pb.h"
#include "comity/v1/recognition.pb.h"
#include "crypto/base/random.h"
#include "services/casework/alerts.h"
#include "services/gateway/federation/link_hits.h"
#include "services/gateway/federation/peer_call.h"
#include "services/gateway/federation/search_link.h"
#include "services/matching/probe_window.h"
#include "services/matching/requester_session.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

v1::SearchCommitments ToProto(const matching::SearchCommitments& commitments);

// When a holder that could not be asked is tried again. Threads: thread-compatible.
class OpenAttempts {
 public:
  bool is_due() const { return !last_ || std::chrono::steady_clock::now() >= retry_at_; }
  void NoteOpen();
  void NoteFailure(HolderClosed why);
  // Why the last one failed.
  HolderClosed last() const { return last_.value_or(HolderClosed{}); }

 private:
  static constexpr std::chrono::milliseconds kFirstPause{250};
  static constexpr std::chrono::milliseconds kLongestPause{30'000};
  std::optional<HolderClosed> last_;
  std::chrono::steady_clock::time_point retry_at_{};
  std::chrono::milliseconds pause_ = kFirstPause;
};

// What every link has, whatever the mode: the window of faces, the session with its log entries and
// its exchange id, and the answers to who asked. Whoever settles a face in the window answers it.
//
// Threads: thread-safe.
class LinkLedger {
 public:
  using Session = std::unique_ptr<matching::RequesterSession>;
  using Time = SearchLink::Time;
  struct Ports {
    const matching::RequesterPorts& search;  // by which faces are decided
    const matching::RequesterPorts& hits;    // by which what the holder found is let through
    casework::AlertDesk& alerts;
    RandomSource& random;
    runtime::Logger& logger;
  };
  // Whose numbers name the probes in the exchange ids: the engine's, or the session's own.
  enum class Numbers { kEngine, kSession };

  // References must outlive the object.
  LinkLedger(Ports ports, matching::RequesterTerms terms, LinkAsker asker, Numbers numbers);

  const policy::AgencyId& holder() const { return holder_; }
  const policy::AgencyId& own() const { return own_; }
  const matching::SearchOrder& order() const { return *order_; }
  const LinkAsker& asker() const { return asker_; }
  matching::ProbeWindow& window() { return window_; }
  const matching::ProbeWindow& window() const { return window_; }
  std::string exchange() const;
  template <typename Function>
  auto WithSession(Function&& function) {
    return session_.With(std::forward<Function>(function));
  }
  policy::Instant Now() const { return ports_.search.clock.Now(); }

  void Offer(const EngineProbe& probe, Time deadline);
  // Whether a face would be permitted now. Takes and logs nothing.
  bool IsPermitted();

  // A face that the sender has in hand.
  struct Decided {
    std::optional<policy::Decision> decision;  // absent: not decided
    matching::SearchCommitments commitments;   // of a permit
    bool permitted() const { return decision && decision->permitted(); }
  };
  // Decides it and takes capacity. What cannot be sent takes none, nor does what was answered while
  // it waited; what is refused is decided, hence logged, all the same.
  Decided Decide(const matching::WindowProbe& probe, bool is_open);
  // Answers one that is not sent.
  // In: why  why there is no session, for one that was not refused
  void AnswerUnsent(const matching::WindowProbe& probe, const Decided& decided,
                    const HolderClosed& why);

  // Puts a face back that was sent and of which nothing was used: it is decided and sent again,
  // before the others, as long as its deadline allows. Its capacity stays taken.
  void GiveBack(matching::WindowProbe probe);
  // Puts one back that was decided and not sent: as above.
  void PutBack(matching::WindowProbe probe, const policy::Decision& permit);
  // Answers a face that is not even decided. In: outcome  without what names the face
  void AnswerUnasked(const matching::WindowProbe& probe, v1::WatchAnswer outcome);

  // Takes a face out and tells who asked; nothing if somebody else has.
  void SettleAs(const matching::WindowProbe& probe, const HolderClosed& why);
  // The holder's answer to a probe that was sent: counts it, makes alerts, tells who asked.
  // In: probe  that the session gave out for this answer; its face is settled
  // Returns what was told of a search, if it was one.
  std::optional<v1::Answered> OnAnswer(const HolderAnswer& answer,
                                       const matching::PendingProbe& probe);

  // A session that was opened once, or refused by the holder, is over: its exchange id is used up.
  void StartAnew(std::string_view reason);
  // What was sent in the session of this exchange id gets no answer any more.
  void AbandonSent(const std::string& exchange, const HolderClosed& why);
  // Expires old faces, writes period entries. Errors: those of the journal
  Status Tick(Time now);
  // Answers what is left and ends the session. Once nothing is sent any more.
  void Finish(std::string_view reason);

 private:
  // A face as who asked knows it.
  struct Asked {
    std::uint64_t sequence = 0;
    const std::string& capture_ref;
    std::optional<std::uint64_t> number{};  // in the session; absent: it was not sent
  };
  std::optional<policy::Decision> TakenFor(std::uint64_t sequence);
  static Asked AskedOf(const matching::PendingProbe& probe) {
    return {probe.sequence, probe.capture_ref, probe.number};
  }
  v1::WatchAnswer AnswerTo(const Asked& asked) const;
  void Refuse(const Asked& asked, const policy::Decision& decision,
              const policy::AgencyId& by) const;
  void Explain(const Asked& asked, const HolderClosed& why) const;
  std::optional<v1::Answered> OnHits(const HolderAnswer& answer,
                                     const matching::PendingProbe& probe);

  const Ports ports_;
  const policy::AgencyId holder_;
  const policy::AgencyId own_;
  const std::shared_ptr<const matching::SearchOrder> order_;
  const LinkAsker asker_;
  const Numbers numbers_;
  const LinkHits hits_;
  matching::ProbeWindow window_;
  runtime::Guarded<std::string> exchange_;  // the session's
  runtime::Guarded<Session> session_;
  // Permits of the faces that were given back, by sequence.
  runtime::Guarded<std::map<std::uint64_t, policy::Decision>> taken_;
};

}  // namespace comity::gateway
