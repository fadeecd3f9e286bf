// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/matching/holder_decider.h"
#include "services/matching/holder_ports.h"
#include "services/matching/sealed/sealed_outcome.h"
#include "services/matching/sealed_lists.h"
#include "services/matching/track_counts.h"

namespace comity::matching {

// One sealed probe, as its requester describes it.
struct SealedProbe {
  ProbeClaims claims;
  TrackCounts::Track track{};   // pseudonym of the session
  std::vector<Digest> blinded;  // BLAKE2b-256 of c'' for each list
};

// One search session at the agency whose sealed lists are searched: decides every probe before it
// is compared, and again when it is known what it hit; releases hits once the log has them and the
// release budget has counted them. Whoever has the protocol (SealedHolder) asks this when to go on.
// Entries in the log and period counts are those of HolderSession.
//
//   Open -> Ground
//   Begin(probes) -> Batch         refuses what is not to be compared; takes capacity for the rest
//   Conclude(batch, outcomes)      decides again, charges, asks the alarms, logs, answers
//   WhyStays(batch)                just before the answers leave: nothing was taken away meanwhile
//
// The log names what was released. An alarm that a hit raises withholds the whole batch, which is
// then refused; what stays behind at the last moment is logged as refused behind its hit.
//
// Threads: thread-compatible; WhyStays, Withhold and HasLists may be called beside anything else,
// so that no answer waits for the unit of work of another. Sessions run beside each other.
class SealedHolderSession {
 public:
  // What is compared in the session.
  struct Ground {
    std::vector<SealedListInForce> lists;
    std::uint32_t cap = 0;  // most hits of a probe, over all lists
    std::int32_t tau = 0;
  };
  // As those of HolderSession. That of the opening is given the ground, which is empty on a
  // refusal; those of answers are called with one or more of a batch, in order.
  using SealOpening = std::function<Digest(const SessionOpening&, const Ground&)>;
  using SealAnswers = std::function<Digest(std::span<const ProbeAnswer>)>;

  struct Opened {
    SessionOpening opening;
    std::unique_ptr<SealedHolderSession> session;  // null on a refusal
  };
  // Decides whether a session over these lists opens, and logs it.
  // In:     refs  1..16, as the requester has them: must be all that are in force for the terms
  // Errors: as HolderSession::Open
  static Result<Opened> Open(SearchTerms terms, std::span<const SealedListRef> refs,
                             const HolderPorts& ports, SealedLists& lists, const SealOpening& seal);

  // What was decided about the probes of a batch before they are compared.
  struct Batch {
    std::vector<SealedProbe> probes;
    std::vector<JudgedProbe> judged;       // as probes
    std::vector<std::size_t> accepted;     // indices of those to be compared, rising
    std::vector<SealedListInForce> lists;  // at the states that they are compared with
    // Of Conclude: the answers that name hits, and the message that they are in.
    struct Named {
      std::size_t probe = 0;  // in probes
      std::vector<std::pair<policy::WatchlistId, std::string>> entries;
    };
    std::vector<Named> named;
    Digest answer;
  };
  // Looks what is in force, decides, and answers what is refused.
  // In:     refs  the states that the probes were made under, in the order of the opening
  //         seal  called if a probe is refused
  // Errors: kConflict  the order of the probes, or the session has ended; it is ended then
  //         those of the journal
  Result<Batch> Begin(std::vector<SealedProbe> probes, std::span<const SealedListRef> refs,
                      const SealAnswers& seal);
  // Answers the accepted probes; durable on return.
  // In:     outcomes  as batch.accepted
  // Errors: those of journal and store; nothing may be answered then
  Status Conclude(Batch& batch, std::span<const SealedOutcome> outcomes, const SealAnswers& seal);
  // Why what Conclude sealed may not leave any more; nothing: it may. Else nothing of it may, and
  // the session is to end. What counted it released is not taken back: the silence told of it.
  std::optional<policy::ReasonCode> WhyStays(const Batch& batch) const;
  // Logs that it has not left; durable on return. Errors: those of the journal
  Status Withhold(const Batch& batch, policy::ReasonCode why) const;

  // Whether all lists of the session may still be searched; if not, it is to end.
  bool HasLists() const;

  // As those of HolderSession.
  Status Tick() { return decider_.Tick(); }
  Status Close(std::string_view reason) { return decider_.Close(reason); }
  const SearchTerms& terms() const { return decider_.terms(); }

 private:
  // One accepted probe on its way to an answer.
  struct Answering {
    const SealedProbe* probe = nullptr;
    JudgedProbe judged;
    Galleries::Snapshots galleries;  // that `hits` are of
    std::vector<LiveHit> hits;
    std::vector<SealedCharge> charges;       // of all lists, if it was permitted to be compared
    std::vector<Digest> stale;               // lists without release left
    std::optional<policy::Decision> permit;  // of a probe over the cap: what it was compared under
    ProbeAnswer answer;
    bool is_counted = false;  // as a face, with an earlier frame of its track
    std::string withheld;     // the hits that an alarm kept back, for the log
  };
  SealedHolderSession(HolderDecider decider, SealedLists& sealed,
                      std::span<const SealedListInForce> lists, const policy::Decision& permit);

  std::optional<policy::ReasonCode> Refresh(std::span<const SealedListRef> refs,
                                            policy::Instant now, Batch& batch);
  std::optional<policy::ReasonCode> CheckGalleries(const Batch& batch, const ProbeClaims& claims,
                                                   policy::Instant now) const;
  Status Refuse(const Batch& batch, policy::Instant now, const SealAnswers& seal);
  // Whether no list that the batch was compared with has ended.
  bool AreInForce(const Batch& batch, policy::Instant now) const;
  Answering Weigh(const Batch& batch, std::size_t index, const SealedOutcome& outcome,
                  policy::Instant now) const;
  void TakeHits(const Batch& batch, const SealedOutcome& outcome, policy::Instant now,
                Answering& answering) const;
  Result<bool> IsUneventful(const Batch& batch, std::span<const Answering> all) const;
  // Within the unit of work: charges, asks the alarms, seals, logs.
  Status Settle(store::Transaction& transaction, audit::Recorder& recorder, Batch& batch,
                std::vector<Answering>& all, const SealAnswers& seal, policy::Instant now);
  Status Charge(store::Transaction& transaction, Answering& answering) const;
  // Which faces the alarms have heard of; once it is known which answers stand: a face whose hit
  // was refused has not been counted.
  void CountTracks(std::vector<Answering>& all);
  // Whether an alarm stops the searches with this batch.
  Result<bool> Observe(store::Transaction& transaction, audit::Recorder& recorder,
                       std::span<const Answering> all) const;
  Status Record(store::Transaction& transaction, audit::Recorder& recorder, const Batch& batch,
                const Answering& answering, policy::Instant now) const;
  audit::Event Refusal(const Batch& batch, const SealedProbe& probe, const JudgedProbe& judged,
                       policy::Instant now) const;
  static Digest Seal(std::span<const Answering> all, const SealAnswers& seal);
  static void Deny(Answering& answering, policy::ReasonCode code);
  void Note(Batch& batch, const Answering& answering);

  HolderDecider decider_;
  SealedLists& sealed_;
  std::vector<Digest> headers_;  // not the lists: their secrets end with them
  TrackCounts tracks_;
};

}  // namespace comity::matching
