// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/capacity_meter.h"
#include "services/matching/deployment.h"
#include "services/matching/judge.h"
#include "services/matching/period_counts.h"
#include "services/runtime/clock.h"

namespace comity::matching {

// Whom a session asks, and for what.
struct RequesterTerms {
  policy::AgencyId own_agency;
  policy::AgencyId holder;
  std::string exchange;  // exchange id of the session
  policy::DeploymentId deployment_id;
  std::shared_ptr<const Deployment> deployment;
  std::string operator_id;  // who created the deployment; logged as a commitment
  // Secret random text that hides case reference and operator in the commitment the holder is sent;
  // kept in the payload of search-opened, so that the commitment can be opened on lawful request.
  std::string operator_key;
};

// A probe that was sent to the holder and has no answer yet: what an alert needs of it. The
// template is not kept.
struct PendingProbe {
  std::uint64_t sequence = 0;
  std::string capture_ref;
  std::string camera;
  policy::Instant captured_at{};
  policy::Instant sent_at{};
  policy::Decision decision{};  // the permit it was sent under
  Digest message{};             // of the signed message that carried it
};

// All must outlive the session.
struct RequesterPorts {
  std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;  // those of this moment
  CapacityMeter& capacity;
  audit::Journal& journal;
  const runtime::Clock& clock;
};

// One Watch stream towards one holder, at the requester: decides every probe before it leaves, and
// knows which are unanswered.
//
// Threads: thread-compatible.
class RequesterSession {
 public:
  static constexpr std::size_t kMaxPending = 64;
  static constexpr std::chrono::seconds kDeadline{
      5};  // then a probe is expired and never sent again

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
  // Counts a face that was permitted and could not be sent. Takes no capacity.
  void Unsent() {
    counts_.Face();
    counts_.Unanswered();
  }
  // What would be decided now. Takes and logs nothing.
  policy::Decision Outlook(policy::Instant now) const;
  // The last decision of Open or DecideProbe.
  const policy::Decision& last_decision() const { return last_decision_; }

  // Notes a probe that is about to be sent.
  // Errors: kExhausted  64 are unanswered; kConflict  the sequence does not increase
  Status Sent(PendingProbe probe);
  // The holder's answer to `sequence`, matched to its probe, and counted.
  // Errors: kNotFound  no such probe is waiting: never sent, answered already, or expired
  Result<PendingProbe> OnAnswer(std::uint64_t sequence, const policy::Decision& decision,
                                std::uint64_t hits);
  // Takes out the probes older than the deadline; counted as unanswered.
  std::vector<PendingProbe> Expire(policy::Instant now);
  // Takes out all: the holder is out of reach or the session has ended.
  std::vector<PendingProbe> Abandon();

  // As in HolderSession.
  Status Tick(policy::Instant now);
  Status Close(std::string_view reason);

  const RequesterTerms& terms() const { return terms_; }
  std::size_t pending() const { return pending_.size(); }

 private:
  policy::SearchRequest RequestUnder(const policy::AgreementSet& agreements,
                                     policy::Instant now) const;
  audit::Event SessionEvent(std::string_view type, policy::Instant now,
                            const policy::Decision& decision) const;
  audit::Event DecidedEvent(std::string_view type, policy::Instant now,
                            const policy::SearchRequest& request, const Judgement& judgement) const;
  policy::Decision Settle(const policy::SearchRequest& request, const Judgement& judgement,
                          policy::Instant now, const std::optional<Digest>& open_message);
  std::vector<PendingProbe> TakeOut(const std::function<bool(const PendingProbe&)>& wanted);
  Status WritePeriod(policy::Instant now, std::string_view type, std::string_view reason);

  RequesterTerms terms_;
  RequesterPorts ports_;
  PeriodCounts counts_;
  std::map<std::uint64_t, PendingProbe> pending_;
  policy::Decision last_decision_;
  std::optional<policy::ReasonCode> last_refusal_;
  std::optional<std::uint64_t> last_sequence_;
  bool opened_ = false;
  bool closed_ = false;
};

}  // namespace comity::matching
