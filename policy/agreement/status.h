// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/agreement/statement.h"
#include "policy/model/agreement.h"
#include "policy/model/instant.h"

namespace comity::policy {

enum class AgreementStatus {
  kDrafted,  // advice of a DPO is missing
  kAdvised,  // every DPO has advised; nobody has signed
  kSigned,   // partly: every DPO has advised, a signature is still missing
  kInForce,
  kSuspended,
  kTerminated,
  kRejected,       // a signatory refused the version; final
  kNotYetValid,    // complete, before effective_from
  kExpired,        // at or after effective_until
  kReviewOverdue,  // at or after review_by
  kSuperseded,     // a higher version is in force (AgreementSet only)
};
std::string_view Name(AgreementStatus status);  // "in-force"
// Nothing: no status of this name.
std::optional<AgreementStatus> ParseAgreementStatus(std::string_view text);
// Whether a side that sees this status has stopped by a statement: suspended, terminated, rejected.
bool StopsSharing(AgreementStatus status);

struct OpenSuspension {
  Digest id;
  AgencyId party;
  std::string post;
  Instant at{};
  std::uint32_t version = 0;  // that it was stated of
  std::size_t lacks = 0;      // so many resumptions by signatories of `party`
  // From when on it is over without them: `party` itself, alone or with the other one, has
  // terminated that version.
  Instant until = Instant::max();
  auto operator<=>(const OpenSuspension&) const = default;
};

// The end of a version that is terminated, or will be.
struct Termination {
  Digest id;  // of the statement that made it so
  Instant effective_at{};
  bool operator==(const Termination&) const = default;
};

// What the statements alone say; time comes on top of it in StatusAt.
struct StatementState {
  bool advised = false;  // advice of every party's DPO
  bool any_signature = false;
  // Advised, and signed by every signatory of every party: the parties have agreed to it. What is
  // said afterwards can stop it, but never makes it a proposal again.
  bool complete = false;
  bool against_advice = false;      // the latest advice of some DPO is `against`
  bool conditional_advice = false;  // the latest advice of some DPO is `conditional`
  std::optional<Digest> rejection;  // the smallest id if there are several
  std::optional<Termination> termination;
  std::vector<OpenSuspension> suspensions;  // by id
  bool reviewed = false;                    // by DPO and a signatory of every party
  std::vector<std::string> missing;  // what still lacks, in words: `signature of eastvale-council,
                                     // Chief Executive`; lifting a suspension included
  std::vector<std::string> missing_reviews;  // `review of eastvale-council, a signatory`
  bool operator==(const StatementState&) const = default;
};

struct StatusReport {
  AgreementStatus status{};
  bool against_advice = false;
  std::vector<std::string> missing;
  std::vector<OpenSuspension> suspensions;
  bool operator==(const StatusReport&) const = default;
};

// In: statements  any order, repetitions allowed; those about another document are ignored.
// A statement counts from the moment it is known. One person's statements of one kind count once;
// of several pieces of advice the latest `at` counts (then the larger id).
// - A rejection by any signatory is final.
// - A suspension stays open until two different signatories of the side that suspended have
//   resumption statements naming its id, or have terminated its version. Nothing that the other
//   side says ends it.
// - A termination is made by two different signatories of one party. It takes effect at the later
//   of their `at` and the document's notice; if two of every party have made it, without notice.
//   Of a person's several terminations the earliest counts. It is final.
// - A review is done when the DPO and a signatory of every party have said so.
// Threads: pure function; safe from any thread.
StatementState ComputeStatementState(const Agreement& agreement,
                                     std::span<const VerifiedStatement> statements);

// "resumption by 2 of the signatories of northshire-police": what an open suspension lacks.
std::string MissingResumptions(const OpenSuspension& suspension);

// First that holds: terminated, rejected, suspended, not complete, not yet valid, expired, review
// overdue.
AgreementStatus StatusAt(const Agreement& agreement, const StatementState& state, Instant now);

StatusReport ComputeStatus(const Agreement& agreement,
                           std::span<const VerifiedStatement> statements, Instant now);

}  // namespace comity::policy
