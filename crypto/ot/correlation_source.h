// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/ot/block.h"

namespace comity::ot {

// Correlated OTs: for OT number i the requester has a row W_i and one Delta for all, the holder a
// random choice bit u_i and V_i = W_i XOR u_i * Delta.
//
// OT numbers run from 0 over the whole session. A source gives each number at most once, also after
// an abandoned batch, so that a number can serve as a tweak.
inline constexpr std::uint64_t kMaxOtNumbers = std::uint64_t{1} << 32;  // a session
// The most OTs of a batch, chosen so that its buffers stay below 100 MB a side.
inline constexpr std::size_t kMaxOtsABatch = std::size_t{1} << 21;

// OTs that a source gives at a time: the rows stay in the first cache until they are hashed. Strips
// begin at multiples of six OTs, so that no pad needs two of them.
inline constexpr std::size_t kRowsAStrip = 1536;
static_assert(kRowsAStrip % 6 == 0 && kRowsAStrip % kBitsABlock == 0);

// The holder's share of one strip. Row t belongs to OT number first_ot + t.
struct HolderRows {
  std::uint64_t first_ot = 0;
  SecretBlocks rows;     // V, one block an OT
  SecretBlocks choices;  // u of OT first_ot + t at bit t % 128 of block t / 128
};

// The requester's share.
struct RequesterRows {
  std::uint64_t first_ot = 0;
  SecretBlocks rows;   // W, one block an OT
  SecretBlocks delta;  // one block; the caller's copy outlives the source, and is wiped with this
};

// One party's end of a source. A batch is: both Begin with the same count, each message that comes
// out is given to the other side's Receive until no side has one (an empty answer means none), then
// both Read until it gives false. A Receive that fails ends the source: its secrets are wiped,
// every later call fails with kConflict, and the session must end with it.
//
// In:      count    OTs wanted: a multiple of 128, at most kMaxOtsABatch. Both sides take it from
//                   their own configuration, never from a message.
//          message  untrusted, straight from the other side
// Errors:  kInvalidArgument  count out of range; a message of the wrong length
//          kConflict         the source has ended, or the call is out of turn; a message of
//                            another batch
//          kExhausted        the session's OT numbers are used up
//          kCorrupt          a consistency check failed
// Threads: implementations are thread-compatible
class HolderSource {
 public:
  virtual ~HolderSource() = default;
  virtual Result<Bytes> Begin(std::size_t count) = 0;
  virtual Result<Bytes> Receive(ByteView message) = 0;
  // The next strip of the batch, in order: kRowsAStrip OTs, fewer in the last; false after it, and
  // the batch is closed. In: rows  its memory is reused
  virtual Result<bool> Read(HolderRows& rows) = 0;
};

class RequesterSource {
 public:
  virtual ~RequesterSource() = default;
  virtual Result<Bytes> Begin(std::size_t count) = 0;
  virtual Result<Bytes> Receive(ByteView message) = 0;
  virtual Result<bool> Read(RequesterRows& rows) = 0;
};

}  // namespace comity::ot
