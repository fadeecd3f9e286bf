// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/capacity_meter.h"
#include "services/matching/galleries.h"
#include "services/matching/hit_observer.h"
#include "services/matching/period_counts.h"
#include "services/matching/scan.h"
#include "services/matching/search_commitments.h"
#include "services/runtime/clock.h"

namespace comity::matching {

// What a requester opens a session with.
struct SearchTerms {
  policy::SearchRequest request;
  std::string exchange;    // exchange id of the session (exchange_id.h)
  std::string deployment;  // opaque to the holder, 1..64; empty in a retrospective search
  policy::Instant ends_at{};
  SearchCommitments commitments;
  Digest message;  // of the signed message that brought these terms
};

// One probe, as it came.
struct SessionProbe {
  std::uint64_t sequence = 0;
  std::optional<policy::AgreementRef> agreement;  // under which the requester decided it
  SearchCommitments commitments;  // under that agreement, on the day of the decision
  ByteView embedding;             // dimension x float32 little-endian; the caller wipes it
  Digest message;                 // of the signed message that brought it
};

// An entry at or above the threshold. Only what the agreement releases is set.
struct ReleasedHit {
  std::string reference;
  std::string category;
  std::string response_code;
  std::optional<double> similarity;
};

struct ProbeAnswer {
  std::uint64_t sequence = 0;
  policy::Decision decision;      // permit: searched, `hits` is the whole answer
  std::vector<ReleasedHit> hits;  // best first
  std::uint64_t entries = 0;      // entries that were searched; 0 on a refusal
};

// The holder's answer to SearchTerms.
struct SessionOpening {
  policy::Decision decision;
  std::uint64_t entries = 0;  // that are searched as of the opening; 0 on a refusal
};

// Everything a session works on; all must outlive it.
struct HolderPorts {
  // As RequesterPorts::Halted; the second is the requester's deployment, empty in a single search.
  using Halted = std::function<std::optional<policy::ReasonCode>(const policy::SearchRequest&,
                                                                 const std::string&)>;
  std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;  // those of this moment
  Galleries& galleries;
  const Scanner& scanner;
  CapacityMeter& capacity;
  audit::Journal& journal;
  const runtime::Clock& clock;
  AnswerBarrier& barrier;
  Halted halted{};                       // empty: nothing is ever halted
  HitObserver* observer = nullptr;       // null: nobody watches
  RememberReleased remember_released{};  // empty: nobody asks later who was told
};

// What a holder logs in parts: digests of messages, one salt in each, under these names in
// audit::Event::messages: open, opened, refused; probe, answer.
//
// One search session at the agency whose lists are searched: decides every probe by the agreements
// of that moment, searches, and answers once what must be in the log is durable there. A face that
// hits nothing is a number in the next period entry and nothing else.
//
// Threads: thread-compatible; sessions run beside each other.
class HolderSession {
 public:
  // Build and sign the outgoing message and return its digest. Called once for each value the
  // function it is passed to returns, before the log entry that holds the digest is written. What
  // was built must be thrown away if that function then fails.
  using SealOpening = std::function<Digest(const SessionOpening&)>;
  using SealAnswer = std::function<Digest(const ProbeAnswer&)>;

  struct Opened {
    SessionOpening opening;
    std::unique_ptr<HolderSession> session;  // null on a refusal
  };
  // Decides whether a session opens, and logs it: search-opened or search-refused, durable on
  // return. Errors: kInvalidArgument  exchange or deployment is not of its form, more than 16
  //                           categories, or an engine with more than 64 octets of name or version
  //         those of the journal
  static Result<Opened> Open(SearchTerms terms, const HolderPorts& ports, const SealOpening& seal);

  // Decides, searches and answers one probe. A refusal is an answer too, and the session stays.
  // A retrospective session is one search: it has one probe.
  // Errors: kConflict  the sequence does not increase, or the session has ended; it is ended then
  //         those of the journal, the store and the search; nothing is answered then
  Result<ProbeAnswer> OnProbe(const SessionProbe& probe, const SealAnswer& seal);

  // The owner calls Close() before it lets go; else the counts since the last period entry are
  // lost.
  //
  // Writes the period entry when ten seconds have passed since the last and there were faces. To be
  // called about once a second.
  Status Tick();
  // Ends the session and writes search-closed with the counts since the last period entry.
  // Idempotent.
  Status Close(std::string_view reason);

  const SearchTerms& terms() const { return terms_; }
  bool ended() const { return ended_; }

 private:
  // What was decided about one probe, and from which counter.
  struct Judged {
    policy::Decision decision;
    std::string request;   // canonical, for the log
    std::string counters;  // canonical; empty when none was read
  };
  struct Scored {
    const GallerySnapshot* from = nullptr;
    Candidate candidate;
  };
  HolderSession(SearchTerms terms, const HolderPorts& ports);

  Status CheckOrder(std::uint64_t sequence);
  Judged Judge(const SessionProbe& probe, policy::Instant now, SecretFloats& values);
  Result<ProbeAnswer> Refuse(const SessionProbe& probe, const Judged& judged,
                             const SealAnswer& seal, policy::Instant now);
  Result<ProbeAnswer> Search(const SessionProbe& probe, const Judged& judged,
                             std::span<const float> values, const SealAnswer& seal);
  Result<std::vector<Scored>> Find(const Galleries::Snapshots& galleries,
                                   std::span<const float> values, policy::Instant now,
                                   const policy::Decision& decision) const;
  audit::Event HitEvent(const SessionProbe& probe, const Judged& judged,
                        std::span<const Scored> hits, policy::Instant now) const;
  ObservedSearch Observed(const SessionProbe& probe, const Judged& judged) const;
  // Durable on return, with what the observer makes of it.
  Status RecordHits(const audit::Event& event, const ObservedSearch& search,
                    std::span<const Scored> hits);
  Status WritePeriod(policy::Instant now, std::string_view type, std::string_view reason);

  SearchTerms terms_;
  HolderPorts ports_;
  PeriodCounts counts_;
  policy::Decision last_decision_;
  std::optional<std::uint64_t> last_sequence_;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace comity::matching
