// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  kNotYetValid,    // complete, before effective_from
  kExpired,        // at or after effective_until
  kReviewOverdue,  // at or after review_by
  kSuperseded,     // a higher version is in force (AgreementSet only)
};
std::string_view Name(AgreementStatus status);  // "in-force"

struct OpenSuspension {
  Digest id;
  AgencyId party;
  std::string post;
  Instant at{};
  auto operator<=>(const OpenSuspension&) const = default;
};

// What the statements alone say; time comes on top of it in StatusAt.
struct StatementState {
  bool advised = false;  // advice of every party's DPO
  bool any_signature = false;
  bool complete = false;              // advised, and every signatory of every party has signed
  bool against_advice = false;        // the latest advice of some DPO is `against`
  std::optional<Digest> termination;  // the smallest id if there are several
  std::vector<OpenSuspension> suspensions;  // by id
  std::vector<std::string> missing;  // what still lacks, in words: `signature of eastvale-council,
                                     // Chief Executive`; lifting a suspension included
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
// A statement counts from the moment it is known, whatever its `at` says. One person's statements
// of one kind count once; of several pieces of advice the latest `at` counts (then the larger id).
// A suspension stays open until two different signatories of the side that suspended have
// resumption statements naming its id. A termination is final.
// Threads: pure function; safe from any thread.
StatementState ComputeStatementState(const Agreement& agreement,
                                     std::span<const VerifiedStatement> statements);

// First that holds: terminated, suspended, not complete, not yet valid, expired, review overdue.
AgreementStatus StatusAt(const Agreement& agreement, const StatementState& state, Instant now);

StatusReport ComputeStatus(const Agreement& agreement,
                           std::span<const VerifiedStatement> statements, Instant now);

}  // namespace comity::policy
