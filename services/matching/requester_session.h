// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/capacity_meter.h"
#include "services/matching/hit_observer.h"
#include "services/matching/judge.h"
#include "services/matching/period_counts.h"
#include "services/matching/search_commitments.h"
#include "services/matching/search_order.h"
#include "services/runtime/clock.h"

namespace comity::matching {

// Whom a session asks, and for what.
struct RequesterTerms {
  policy::AgencyId holder;
  // Those that let the holder be searched; each probe is decided under the first that permits it.
  // Empty: every probe is denied (no-agreement).
  std::vector<policy::AgreementId> agreements;
  std::string exchange;  // exchange id of the session
  std::shared_ptr<const SearchOrder> order;
  // How this session's probes travel; a search of the other mode is denied.
  policy::SearchMode mode = policy::SearchMode::kDirect;
};

// A probe that was sent to the holder and has no answer yet: what an alert needs of it. The
// template is not kept.
struct PendingProbe {
  std::uint64_t sequence = 0;  // the engine's
  std::uint64_t number = 0;    // in the session: what its exchange id names
  std::string capture_ref;
  std::string camera;
  policy::Instant captured_at{};
  policy::Decision decision{};  // the permit it was sent under
  Digest message{};             // of the signed message that carried it
};

// All must outlive the session.
struct RequesterPorts {
  // Why a search that the agreements permit is not made at the moment (a stop, lists that are not
  // validated), if there is a reason. Asked for every probe.
  using Halted = std::function<std::optional<policy::ReasonCode>(const policy::SearchRequest&,
                                                                 const policy::DeploymentId&)>;
  std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;  // those of this moment
  CapacityMeter& capacity;
  const Committer& committer;
  audit::Journal& journal;
  const runtime::Clock& clock;
  AnswerBarrier& barrier;
  Halted halted{};                  // empty: nothing is ever halted
  HitObserver* observer = nullptr;  // null: nobody watches
};

// Entries that a probe hit, as the observer counts them.
struct FoundEntries {
  const RequesterTerms& terms;                // names the holder
  const policy::Decision& permit;             // under which the probe was sent
  std::span<const std::string> references{};  // of the entries, not empty
};
// Tells the observer of them, within the unit of work that makes their alerts; once that is
// durable, and before the hits go further, HitObserver::AfterHits is to be called. Errors: those of
// the observer: the hits must not go further
Status ObserveHits(store::Transaction& transaction, audit::Recorder& recorder,
                   const RequesterPorts& ports, const FoundEntries& found);

// One Watch stream, or one search by a person, towards one holder, at the requester: decides every
// probe before it leaves, and knows what an alert needs of those at the holder.
//
// Threads: thread-compatible.
class RequesterSession {
 public:
  static constexpr std::size_t kMaxPending = 64;

  // Neither decides nor logs.
  RequesterSession(RequesterTerms terms, const RequesterPorts& ports);

  // What is to be decided, under the agreement in force at this moment between own agency and
  // holder: the terms of a SearchOpen.
  policy::SearchRequest Request(policy::Instant now) const;
  // Decides whether the session may open; on a permit search-opened is durable on return, once in
  // the life of the session. A refusal is logged when its code is another than the last one's. In:
  // open_message  digest of the signed SearchOpen, if it is built already
  policy::Decision Open(policy::Instant now, const std::optional<Digest>& open_message = {});
  // Decides one face: by the agreements of this moment, and takes capacity. The decision names the
  // agreement the probe travels under. On a permit search-opened is durable. If the log or a
  // counter is out of reach the answer is `state-unreadable`.
  policy::Decision DecideProbe(policy::Instant now);
  // Counts a face that was not decided, because it could not be sent. Takes no capacity.
  void Unsent() {
    counts_.Face();
    counts_.Unanswered();
  }
  // Counts a face that was decided and is not sent.
  void Lost() { counts_.Unanswered(); }
  // What would be decided now. Takes and logs nothing.
  policy::Decision Outlook(policy::Instant now) const;
  // The last decision of Open or DecideProbe.
  const policy::Decision& last_decision() const { return last_decision_; }
  // Officer and case as the holder is told of them, under `agreement` at `now`.
  SearchCommitments Commitments(const policy::AgreementId& agreement, policy::Instant now) const;

  // Notes a probe that is about to be sent.
  // Errors: kExhausted  64 are unanswered; kConflict  its number does not increase, or one of its
  // sequence waits
  Status Sent(PendingProbe probe);
  // Takes out a probe that is to be sent again since nothing of it was used. Counts nothing.
  std::optional<PendingProbe> TakeBack(std::uint64_t sequence);
  // Decides it once more, by the agreements of this moment; as DecideProbe, but for the capacity,
  // which stays taken.
  // In: permit  that it was sent under, perhaps in another session
  policy::Decision DecideAgain(const policy::Decision& permit, policy::Instant now);
  bool Waits(std::uint64_t sequence) const { return pending_.contains(sequence); }
  // The holder's answer to `sequence`, matched to its probe, and counted.
  // Errors: kNotFound  no such probe is waiting: never sent, answered already, or forgotten
  Result<PendingProbe> OnAnswer(std::uint64_t sequence, const policy::Decision& decision,
                                std::uint64_t hits);
  // Takes out a probe that gets no answer any more; counted as unanswered. Nothing: it does not
  // wait.
  std::optional<PendingProbe> Forget(std::uint64_t sequence);
  // Takes out all: the holder is out of reach or the session has ended.
  std::vector<PendingProbe> Abandon();

  // As in HolderSession.
  Status Tick(policy::Instant now);
  Status Close(std::string_view reason);

  const RequesterTerms& terms() const { return terms_; }
  const policy::AgencyId& own() const { return terms_.order->request.requester; }
  std::size_t pending() const { return pending_.size(); }

 private:
  struct Considered {
    policy::SearchRequest request;
    policy::Verdict verdict;
    SearchCommitments commitments;  // of the request's agreement
  };
  Considered Consider(policy::Instant now) const;
  policy::SearchRequest RequestUnder(const policy::AgreementVersion* version) const;
  Charged ChargedFor(const Considered& considered, policy::Instant now) const;
  audit::Event SessionEvent(std::string_view type, policy::Instant now,
                            const policy::Decision& decision) const;
  audit::Event DecidedEvent(std::string_view type, policy::Instant now,
                            const policy::SearchRequest& request, const Judgement& judgement) const;
  policy::Decision Settle(const policy::SearchRequest& request, const Judgement& judgement,
                          policy::Instant now, const std::optional<Digest>& open_message);
  Status WritePeriod(policy::Instant now, std::string_view type, std::string_view reason);

  RequesterTerms terms_;
  RequesterPorts ports_;
  PeriodCounts counts_;
  std::map<std::uint64_t, PendingProbe> pending_;
  policy::Decision last_decision_;
  std::optional<policy::ReasonCode> last_refusal_;
  std::optional<std::uint64_t> last_number_;
  bool opened_ = false;
  bool closed_ = false;
};

}  // namespace comity::matching
