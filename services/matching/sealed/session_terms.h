// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/ot/kernel.h"
#include "crypto/sealed/score.h"
#include "crypto/sealed/sealed_list.h"

namespace comity::matching {

// Whether the holder releases a hit before (auditor) or only after (holder) it has verified the
// opening of its probe.
enum class HitOpening : std::uint8_t { kAuditor = 1, kHolder = 2 };

// What both sides of one sealed list session must agree on. Both compute SessionId and compare: a
// session made for one purpose, agreement, list or epoch is of no use for another.
struct SealedSessionTerms {
  Digest header;         // HeaderDigest: gateways, agreement, purpose, list, epoch, engine, d, k
  std::int32_t tau = 0;  // the agreed threshold in 1e-4
  std::uint32_t cap = 0;
  HitOpening hit_opening = HitOpening::kAuditor;
  std::array<std::uint8_t, 32> requester_nonce{};
  std::array<std::uint8_t, 32> holder_nonce{};
  Digest requester_certificate;  // SHA-256 of the DER
  Digest holder_certificate;
};

// BLAKE2b-256("comity/sealed-v1/session" | header | LE32 tau | LE32 cap | hit_opening (1 octet) |
//             requester's nonce | holder's nonce | requester's certificate | holder's certificate)
Digest SessionId(const SealedSessionTerms& terms);

// Where a list's search stands: what both sides must agree on before any of its pads is used.
struct SearchPlace {
  std::uint64_t batch = 0;       // of the list's session, from 0
  std::uint64_t pads_taken = 0;  // by the batches before
  std::uint32_t first_block = 0;
  std::uint64_t state_sequence = 0;
  Digest state;  // StateDigest
};

// What every message of a search carries, for each list: BLAKE2b-256("comity/sealed-v1/search" |
// sid | LE64 batch | LE64 pads_taken | LE32 first_block | LE64 state_sequence | state). A message
// with another binding is refused; the session and its pads stay.
Digest SearchBinding(const Digest& sid, const SearchPlace& place);

// Lists that are searched together share one sketch a probe, so that a holder learns no more by
// splitting a list. The slots of a list follow on the blocks of those before it in the session;
// together they have at most sealed::kMaxBlocks blocks.
//
// The blocks that a list takes: the number of its last one, plus 1.
std::uint32_t BlocksOf(const sealed::ListState& state);

// The most slots x probes of one batch, all lists together: 16 MB of tables.
inline constexpr std::size_t kMaxSlotsABatch = std::size_t{1} << 21;
// Probes that a batch over this many slots may have, 1..kMaxProbesInBatch.
std::size_t MostProbes(std::size_t slots);

// An extension batch of a session over a list that had so many slots when the session was set up:
// fixed for its life, so that no side takes it from a message. Few enough that its columns stay in
// the second cache (beyond 2^14 pads each takes half as long again), enough that the check's mask
// costs little.
struct PadBatch {
  std::size_t pads = 0;           // clamp(8 x slots, 1024, 8192)
  std::size_t ots = 0;            // 6 a pad, rounded up to a multiple of 128; without the mask's
  std::size_t message_bytes = 0;  // of the holder's message
};
PadBatch PadBatchFor(std::size_t slots_at_set_up);
// Neither side makes or takes further pads while so many wait (8 octets each at the requester, 1 at
// the holder): two batches of the largest kind.
inline constexpr std::size_t kMostPads = std::size_t{1} << 22;

// Kernels of the heavy loops; main chooses, everybody below takes them as a parameter.
struct SealedKernels {
  sealed::Kernel score{};
  ot::Kernel ot{};
};

}  // namespace comity::matching
