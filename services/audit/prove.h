// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/audit/log.h"

namespace comity::audit {

// An offline receipt: who has `proof`, `entry` and the log's key needs nothing else.
struct EntryProof {
  std::uint64_t index = 0;
  Bytes entry;        // the leaf: canonical JSON
  std::string proof;  // c2sp.org/tlog-proof@v1 text
};

// Proofs of one exchange that one call gives, at most.
inline constexpr std::uint32_t kMaxProofs = 64;

// Proves entry `index` under a checkpoint that covers every entry durable at the call.
//
// Errors: kNotFound  no such entry; kCorrupt  a tile file or the store does not match the signed
//         root; those of Log::Flush
Result<EntryProof> ProveIndex(Log& log, std::uint64_t index);

// Proves every entry of `exchange`, oldest first.
//
// Errors: kInvalidArgument  an empty id; kNotFound  no entry names it; kExhausted  more than
// kMaxProofs do (prove single indexes);
//         else as ProveIndex
Result<std::vector<EntryProof>> ProveExchange(Log& log, std::string_view exchange);

}  // namespace comity::audit
