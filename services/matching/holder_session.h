// SPDX-License-Identifier: Apache-2.0
#pragma once

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

namespace comity::matching {

// One probe, as it came.
struct SessionProbe {
  std::uint64_t sequence = 0;
  std::optional<policy::AgreementRef> agreement;  // under which the requester decided it
  SearchCommitments commitments;  // under that agreement, on the day of the decision
  ByteView embedding;             // dimension x float32 little-endian; the caller wipes it
  Digest message;                 // of the signed message that brought it
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
  Status Tick() { return decider_.Tick(); }
  // Ends the session and writes search-closed with the counts since the last period entry.
  // Idempotent.
  Status Close(std::string_view reason) { return decider_.Close(reason); }

  const SearchTerms& terms() const { return decider_.terms(); }
  bool ended() const { return decider_.ended(); }

 private:
  explicit HolderSession(HolderDecider decider) : decider_(std::move(decider)) {}

  Result<ProbeAnswer> Refuse(const ProbeClaims& claims, const JudgedProbe& judged,
                             const SealAnswer& seal, policy::Instant now);
  Result<ProbeAnswer> Search(const ProbeClaims& claims, const JudgedProbe& judged,
                             std::span<const float> values, const SealAnswer& seal);
  Result<std::vector<LiveHit>> Find(const Galleries::Snapshots& galleries,
                                    std::span<const float> values, policy::Instant now,
                                    const policy::Decision& decision) const;

  HolderDecider decider_;
};

}  // namespace comity::matching
