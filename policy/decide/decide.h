// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"

namespace comity::policy {

// What a decision needs to know beyond documents and statements.
struct Usage {
  // Probes already counted today (UTC day) on the counter CapacityKey names.
  // Absent: unreadable, which denies.
  std::optional<std::uint64_t> probes_today;
};

// The counter a permit depends on: probes of the requester under one permission, a UTC day.
struct CapacityKey {
  AgreementId agreement;
  std::string clause;  // id of the permission
  std::uint64_t probes_per_day = 0;
  auto operator<=>(const CapacityKey&) const = default;
};

// A decision up to, and without, capacity. With `capacity` set, `decision` is a permit in waiting:
// its code is kStateUnreadable until Conclude knows the counter. Without, it is the final denial.
struct Verdict {
  Decision decision;
  std::optional<CapacityKey> capacity;
};

// Decides one search. Total: every request gets a permit or a denial with a reason; what is
// unknown, absent or unreadable is denied. Both gateways call it, for each probe.
//
// The order of the checks, of which the first that fails is the reason:
//   1 the request's form              6 prohibitions
//   2 agreement named, known, and     7 permissions of this direction in the document's order, each
//     between these two agencies        by purpose, list categories, role, use, mode, engine,
//   3 named version and hash              threshold; the first that passes governs. If none does,
//     are the current ones                the one that fails latest in that order is the reason.
//   4 state: terminated, suspended,   8 the governing permission's capacity
//     incomplete, not yet valid,
//     expired, review overdue
//   5 attachments, then parties
// An agreement between other agencies is answered like one that does not exist.
//
// Threads: pure functions; safe from any thread.
// Source:  docs/formats/agreement.md, "Decisions"; tests/data/agreements/decisions.txt
Decision Decide(const AgreementSet& set, const SearchRequest& request, const Usage& usage,
                Instant now);

// The same in two steps, for a caller that must first learn which counter to read:
// Decide(set, request, usage, now) == Conclude(Consider(set, request, now), usage).
Verdict Consider(const AgreementSet& set, const SearchRequest& request, Instant now);
Decision Conclude(Verdict verdict, const Usage& usage);

}  // namespace comity::policy
