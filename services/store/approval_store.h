// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// Where an act that needs two people stands. `urgent`: carried out by one of them, review due.
enum class ApprovalState {
  kPending = 1,
  kApproved = 2,
  kRejected = 3,
  kExpired = 4,
  kUrgent = 5,
  kReviewed = 6
};

struct ApprovalRecord {
  std::string id;       // p-<26 characters>
  std::string act;      // a name of services/identity/act.h
  std::string subject;  // what it is about, 1..128: "deployment d-..."
  std::string content;  // canonical JSON: exactly what will be done; <= 256 KiB
  Digest sha256;        // of `content`, which holds a random salt, so that the hash tells nothing
  Digest unsalted;      // SHA-256 of the content without its salt; never leaves the store
  std::string words;    // the content as people read it
  ApprovalState state = ApprovalState::kPending;
  policy::PersonId proposed_by;
  policy::Instant proposed_at{};
  policy::Instant expires_at{};
  std::optional<policy::PersonId> decided_by;
  policy::Instant decided_at{};
  std::string reason;           // of a rejection or of urgency
  std::string decision;         // DSSE JSON by the decider's own key over approval id and sha256
  policy::Instant review_by{};  // urgent only, as what follows
  bool overdue_told = false;    // people were told that the review is overdue
  std::optional<policy::PersonId> reviewed_by;
  policy::Instant reviewed_at{};
  std::string review;   // "upheld: ..." or "overturned: ..."
  std::string verdict;  // DSSE JSON by the reviewer's own key
  Bytes vouched;        // services/identity/approval_vouch.h; empty in records of an old schema
};

class ApprovalStore {
 public:
  virtual ~ApprovalStore() = default;
  // Errors: kConflict  the id is taken, or an act of the same unsalted content is pending
  virtual Status Add(const ApprovalRecord& approval) = 0;
  // Replaces the record of this id if it stands in state `from`.
  // Errors: kNotFound; kConflict  it stands in another state
  virtual Status Change(const ApprovalRecord& approval, ApprovalState from) = 0;
  // Errors: kNotFound
  virtual Result<ApprovalRecord> Get(std::string_view id) const = 0;
  // Newest first, at most `limit`; `open`: pending and urgent ones only. Of a row
  // that somebody made unreadable, what can be read, with nothing in `vouched`; so also Due.
  virtual Result<std::vector<ApprovalRecord>> List(bool open, std::uint32_t limit) const = 0;
  virtual Result<std::uint64_t> CountPending() const = 0;
  virtual Result<std::uint64_t> CountPendingOf(const policy::PersonId& proposer) const = 0;
  // All of them, oldest first.
  virtual Result<std::vector<ApprovalRecord>> PendingOf(const policy::PersonId& proposer) const = 0;
  // Pending ones that expire at `now` or before, and urgent ones whose review is overdue at `now`
  // and was not told of; oldest first, at most `limit`.
  virtual Result<std::vector<ApprovalRecord>> Due(policy::Instant now,
                                                  std::uint32_t limit) const = 0;
};

}  // namespace comity::store
