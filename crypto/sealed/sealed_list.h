// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/slot_set.h"

namespace comity::sealed {

// What a sealed list is: the part that never changes while its epoch lasts. Signed by the holder.
// For one agreement version, purpose, list and requester; the epoch tells apart those made one
// after the other. Slot numbers are the only names of entries: in a random order for every epoch
// and requester, so two partners cannot tell that they hold the same person.
//
// Texts: 1..64 octets of printable ASCII. Times: seconds since 1970, UTC.
struct ListHeader {
  std::string holder;  // agency ids
  std::string requester;
  std::string agreement;
  std::uint32_t agreement_version = 0;  // from 1
  Digest agreement_sha256;
  std::string purpose;
  std::string list;
  std::uint64_t epoch = 0;  // from 1; grows for the same agreement, purpose, list and requester
  std::string engine_name;
  std::string engine_version;
  Scales scales;
  std::uint32_t delta = 0;  // as Profile derives it: a reader refuses another
  std::array<std::uint8_t, kSeedBytes> public_seed{};
  std::int64_t sealed_at = 0;
  std::int64_t valid_until = 0;  // after it nothing is searched, and the copy is erased
  bool operator==(const ListHeader&) const = default;
};

// A block of a list, as it stands now. The number stays when it is sealed again, the hash does not.
struct ListedBlock {
  std::uint32_t number = 0;
  std::uint32_t count = 0;  // filled slots, 1..1024
  Digest hash;              // BlockHash
  bool operator==(const ListedBlock&) const = default;
};

// How a sealed list stands: which blocks it has and which slots take no part any more (the
// tombstones). Signed by the holder; always whole, never a difference.
struct ListState {
  Digest header;                         // HeaderDigest
  std::uint64_t sequence = 0;            // from 1, grows with every change
  std::vector<ListedBlock> blocks;       // numbers rising from 0 with gaps allowed; 1..1024 of them
  std::vector<std::uint32_t> withdrawn;  // slot numbers, rising, of filled slots
  bool operator==(const ListState&) const = default;
};

inline constexpr std::size_t kMaxBlocks = (std::size_t{kMaxSlotNumber} + 1) / kRingDegree;
inline constexpr std::size_t kMaxListTextBytes = 64;

// Canonical encodings: magic and version, then the fields in the order above; integers
// little-endian, texts with a length octet, vectors with LE32 counts. One value has one encoding.
// Layout: docs/formats/sealed_list.md.
inline constexpr std::size_t kMaxHeaderBytes = 1024;
// 1,024 blocks and as many tombstones as there can be slots.
inline constexpr std::size_t kMaxStateBytes =
    64 + kMaxBlocks * 40 + 4 * std::size_t{kMaxSlotNumber};

// Whether a header or state may be encoded, signed and used.
//
// Errors: kInvalidArgument  a bound above is broken, or the scales are no profile
//         kCorrupt          delta is not the one that follows from the scales
Status CheckListHeader(const ListHeader& header);
Status CheckListState(const ListState& state);

// In: a value that passes the check above
Bytes EncodeListHeader(const ListHeader& header);
Bytes EncodeListState(const ListState& state);
// In:     bytes  untrusted
// Errors: kInvalidArgument  not an encoding, or trailing octets; and those of the checks above
Result<ListHeader> ParseListHeader(ByteView bytes);
Result<ListState> ParseListState(ByteView bytes);

// BLAKE2b-256("comity/sealed-v1/header" | encoding), and the same with "state".
Digest HeaderDigest(const ListHeader& header);
Digest StateDigest(const ListState& state);

// The slots that take part. Errors: as SlotSet::Create, and kInvalidArgument for a block number
// out of range
Result<SlotSet> SlotsOf(const ListState& state);

}  // namespace comity::sealed
