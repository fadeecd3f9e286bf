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
  // Probes already counted today (UTC day) under the agreement and permission that CapacityKey
  // names. Absent: unreadable, which denies. A search for no case counts 0 in `case_today`.
  std::optional<std::uint64_t> probes_today;   // of the requester
  std::optional<std::uint64_t> officer_today;  // of the officer in charge
  std::optional<std::uint64_t> case_today;     // of the case
};

// The counters a permit depends on, all under one permission and for a UTC day.
struct CapacityKey {
  AgreementId agreement;
  std::string clause;  // id of the permission
  Capacity limits;
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
//   1 the request's form
//   2 the agreement: named, known, and between these two agencies
//   3 the named version and hash are the current ones
//   4 state: terminated, rejected, suspended, incomplete, not yet valid, expired, review overdue;
//     then what the other party says of it
//   5 attachments, then parties
//   6 prohibitions
//   7 permissions of this direction in the document's order, each by purpose, the purpose's case
//     reference and seriousness floor, list categories, role, use, mode, engine, threshold; the
//     first that passes governs. If none does, the one that fails latest in that order is the
//     reason.
//   8 the governing permission's capacity: of the requester, the officer, the case
// An agreement between other agencies is answered like one that does not exist.
//
// Threads: pure functions; safe from any thread.
// Source:  docs/formats/agreement.md, "Decisions"; tests/data/agreements/decisions.txt
Decision Decide(const AgreementSet& set, const SearchRequest& request, const Usage& usage,
                Instant now);

// The same in two steps, for a caller that must first learn which counters to read:
// Decide(set, request, usage, now) == Conclude(Consider(set, request, now), usage).
Verdict Consider(const AgreementSet& set, const SearchRequest& request, Instant now);
Decision Conclude(Verdict verdict, const Usage& usage);

}  // namespace comity::policy
