// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/instant.h"

namespace comity::store {

// One record whose key or content is destroyed by the unit of work that is running.
struct ErasedRecord {
  std::string record_class;  // a name of policy/model/retention.h: "alert", "entry" ...
  std::string reference;  // names the record in its class for ever: an alert's id, "list/reference"
  std::string reason;     // a word: "expired", "withdrawn", "corrected", "closed" ...
  policy::Instant due_at{};  // since when it had to go; at the epoch: it went by an act, not by age
};

// Where the erasure ledger stands: its last line and that line's hash. Sequence 0: empty.
struct LedgerHead {
  std::uint64_t sequence = 0;
  Digest hash;
  bool operator==(const LedgerHead&) const = default;
};

// What outlives a lost database: a list of all that was erased, so that no backup brings it back.
//
// Threads: Append is called by the writer of one store, one call at a time.
class ErasureLedger {
 public:
  struct Line {
    LedgerHead head;
    policy::Instant at{};
    std::uint64_t follows = 0;  // the line before it that names records; 0: none
  };
  // How many records one line names at most; more take several lines.
  static constexpr std::size_t kMaxRecords = 256;

  virtual ~ErasureLedger() = default;
  // Durable on return, before the unit of work commits: a crash in between leaves a line too many,
  // never one too few.
  // In:     log_size  entries of the audit log as the unit of work sees it
  // Errors: kUnavailable  a copy of the ledger cannot be written: then nothing is erased
  virtual Result<Line> Append(std::span<const ErasedRecord> records, std::uint64_t log_size) = 0;
};

}  // namespace comity::store
