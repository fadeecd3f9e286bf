// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/decide/decide.h"
#include "services/matching/holder_ports.h"
#include "services/matching/judge.h"
#include "services/matching/period_counts.h"
#include "services/matching/search_events.h"

namespace comity::matching {

// What a requester says of a probe beside the probe itself.
struct ProbeClaims {
  std::uint64_t sequence = 0;
  std::optional<policy::AgreementRef> agreement;  // under which the requester decided it
  SearchCommitments commitments;  // under that agreement, on the day of the decision
  Digest message;                 // of the signed message that brought it
};

// What was decided about one probe, and from which counter.
struct JudgedProbe {
  policy::Decision decision;
  std::string request;   // canonical, for the log
  std::string counters;  // canonical; empty when none was read
};

// An entry that a probe hit.
struct LiveHit {
  const GallerySnapshot* from = nullptr;
  std::size_t row = 0;
  std::optional<double> score;  // cosine; in sealed mode nobody knows it
};

// How a holder decides the probes of one session, and what it logs of them: what direct and sealed
// sessions have in common.
//
// Threads: thread-compatible.
class HolderDecider {
 public:
  // In: terms  that CheckForm has passed
  //     mode   how the session's probes are searched; a request of the other mode is denied
  HolderDecider(SearchTerms terms, const HolderPorts& ports, policy::SearchMode mode);

  // Errors: kInvalidArgument  exchange or deployment is not of its form, more than 16 categories,
  //                           or an engine with more than 64 octets of name or version
  static Status CheckForm(const SearchTerms& terms);

  // Whether the session may open; takes no capacity.
  Judgement JudgeOpening(policy::Instant now) const;
  audit::Event OpeningEvent(const Judgement& judgement, policy::Instant now) const;

  // Each probe's number is above that of the one before; a single search has one probe.
  // Errors: kConflict  not so, or the session has ended; it is ended then
  Status CheckOrder(std::uint64_t sequence);
  policy::SearchRequest RequestOf(const ProbeClaims& claims) const;
  // Denied by what holds at `now`, or a permit that waits for capacity.
  policy::Verdict Consider(const policy::SearchRequest& request, policy::Instant now) const;
  // Decides a probe and takes its capacity.
  // In: against  asked once the agreements have nothing against the probe: why it cannot be
  //              searched, if it cannot; then it takes no capacity
  JudgedProbe Judge(const ProbeClaims& claims, policy::Instant now,
                    const std::function<std::optional<policy::ReasonCode>()>& against);

  // The lists that a permit opens: bound to its agreement and purpose, and within what the
  // permission demands of a list.
  // In: decision  a permit, also one that waits for capacity
  Galleries::Snapshots ListsFor(const policy::Decision& decision, policy::Instant now) const;
  RowFilter FilterOf(const policy::Decision& decision) const;

  // The refusal's entry, if it is to have one: the first of a row of equal refusals.
  std::optional<audit::Event> RefusalEvent(const ProbeClaims& claims, const JudgedProbe& judged,
                                           policy::Instant now) const;
  audit::Event RefusedEvent(const ProbeClaims& claims, const JudgedProbe& judged,
                            policy::Instant now) const;
  audit::Event HitEvent(const ProbeClaims& claims, const JudgedProbe& judged,
                        std::span<const LiveHit> hits, policy::Instant now) const;
  ObservedSearch Observed(const ProbeClaims& claims, const policy::Decision& decision) const;
  // Within the unit of work that gives the answer. Returns as HitObserver::OnHits.
  Result<bool> ObserveHits(store::Transaction& transaction, audit::Recorder& recorder,
                           const ObservedSearch& search, std::span<const LiveHit> hits) const;
  // Within the same: the entry, and who was told.
  Status RecordHits(store::Transaction& transaction, audit::Recorder& recorder,
                    const audit::Event& event, const ObservedSearch& search,
                    std::span<const LiveHit> hits) const;

  // For the period entries, once the probe was answered so.
  void NoteFace() { counts_.Face(); }
  void NoteRefused(const policy::Decision& decision);
  void NoteAnswered(const policy::Decision& decision, std::size_t hits);
  void NoteOpened(const policy::Decision& decision) { last_decision_ = decision; }

  // Writes the period entry when one is due. Errors: those of the journal
  Status Tick();
  // Ends the session and writes search-closed. Idempotent. Errors: those of the journal
  Status Close(std::string_view reason);
  void End() { ended_ = true; }

  const SearchTerms& terms() const { return terms_; }
  const HolderPorts& ports() const { return ports_; }
  bool ended() const { return ended_; }

 private:
  Status WritePeriod(policy::Instant now, std::string_view type, std::string_view reason);

  SearchTerms terms_;
  HolderPorts ports_;
  policy::SearchMode mode_;
  PeriodCounts counts_;
  policy::Decision last_decision_;
  std::optional<std::uint64_t> last_sequence_;
  bool ended_ = false;
  bool closed_ = false;
};

// The hits as the log has them, and what tells each entry from others.
std::string EncodeLiveHits(std::span<const LiveHit> hits);
std::vector<std::string> EntriesOf(std::span<const LiveHit> hits);
// A denial that names the agreement and permission that `named` does.
policy::Decision DenialUnder(policy::ReasonCode code, policy::Decision named);
// What the agreement releases of a row, and nothing else.
ReleasedHit Release(const GalleryRow& row, std::optional<double> score,
                    std::span<const policy::Release> releases);

}  // namespace comity::matching
