// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/threshold.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/sealed/profile.h"

namespace comity::sealed {
namespace {

constexpr unsigned kShift = kModulusBits - kComparedBits;
constexpr unsigned kLowBits = kComparedBits - 1;
constexpr std::uint32_t kLowMask = (1U << kLowBits) - 1;
static_assert(kLowMask == ot::kPadPositions - 1, "a table has a bit for each position of a pad");
static_assert(std::endian::native == std::endian::little, "tables are stored as words");

// Four items of six bits are three octets of the string.
constexpr std::size_t kGroupItems = 4;
constexpr std::size_t kGroupBytes = 3;

std::uint32_t Low(std::uint32_t value) {
  return value >> kShift & kLowMask;
}
std::uint32_t Top(std::uint32_t value) {
  return value >> (kModulusBits - 1) & 1;
}

std::uint64_t RotateRight(std::uint64_t word, std::uint32_t by) {
  return word >> by | word << (-by & 63);
}

std::uint32_t PackGroup(const std::uint8_t* items, std::size_t count) {
  std::uint32_t group = 0;
  for (std::size_t k = 0; k < count; ++k) group |= std::uint32_t{items[k]} << (kLowBits * k);
  return group;
}

void StoreGroup(std::uint32_t group, std::size_t bytes, std::uint8_t* to) {
  for (std::size_t k = 0; k < bytes; ++k) to[k] = static_cast<std::uint8_t>(group >> (8 * k));
}

Bytes PackItems(std::span<const std::uint8_t> items) {
  Bytes bytes(OffsetBytes(items.size()));
  const std::size_t groups = items.size() / kGroupItems;
  const std::uint8_t* from = items.data();
  std::uint8_t* to = bytes.data();
  for (std::size_t g = 0; g < groups; ++g, from += kGroupItems, to += kGroupBytes) {
    StoreGroup(PackGroup(from, kGroupItems), kGroupBytes, to);
  }
  const std::size_t rest = items.size() % kGroupItems;
  StoreGroup(PackGroup(from, rest), OffsetBytes(rest), to);
  return bytes;
}

// In: bytes  OffsetBytes(count) octets
Bytes UnpackItems(ByteView bytes, std::size_t count) {
  // Whole groups, and whole octets behind the last.
  const std::size_t groups = (count + kGroupItems - 1) / kGroupItems;
  Bytes items(groups * kGroupItems);
  Bytes last(kGroupBytes);
  std::ranges::copy(bytes.subspan((groups - 1) * kGroupBytes), last.begin());
  const std::uint8_t* from = bytes.data();
  std::uint8_t* to = items.data();
  for (std::size_t g = 0; g < groups; ++g, from += kGroupBytes, to += kGroupItems) {
    if (g + 1 == groups) from = last.data();
    const std::uint32_t group =
        std::uint32_t{from[0]} | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16;
    for (std::size_t k = 0; k < kGroupItems; ++k) {
      to[k] = static_cast<std::uint8_t>(group >> (kLowBits * k) & kLowMask);
    }
  }
  return items;
}

Status CheckOffsets(ByteView offsets, std::size_t slots) {
  if (offsets.size() != OffsetBytes(slots)) {
    return Fail(ErrorCode::kInvalidArgument, "offsets of the wrong length");
  }
  const std::size_t spare_bits = 8 * offsets.size() - kLowBits * slots;
  if (offsets.back() >> (8 - spare_bits) != 0) {
    return Fail(ErrorCode::kInvalidArgument, "spare bits of the offsets are not zero");
  }
  return {};
}

}  // namespace

ToldOffsets TellOffsets(std::span<const std::uint32_t> shares, ot::HolderPads pads) {
  SecretBytes positions(shares.size());
  std::uint8_t* const to = positions.ExposeMutable().data();
  for (std::size_t i = 0; i < shares.size(); ++i) to[i] = static_cast<std::uint8_t>(Low(shares[i]));
  Bytes offsets(shares.size());
  ot::HolderOpenings openings = std::move(pads).Offsets(positions.Expose(), offsets);
  return {PackItems(offsets), std::move(openings)};
}

Result<Bytes> CoverTables(const TableInput& input, ByteView offsets, ot::RequesterPads pads) {
  const std::size_t slots = input.scores.size();
  COMITY_CHECK(slots > 0 && input.masks.size() == slots);
  COMITY_RETURN_IF_ERROR(CheckOffsets(offsets, slots));
  const Bytes turns = UnpackItems(offsets, slots);
  Bytes tables(kTableBytes * slots);
  const std::uint32_t rounded = input.threshold + kHalfStep;
  const std::uint32_t* const scores = input.scores.data();
  const std::uint8_t* const masks = input.masks.data();
  for (std::size_t i = 0; i < slots; ++i) {
    const std::uint32_t r = (rounded - scores[i]) & kModulusMask;
    const std::uint64_t flip = 1 ^ Top(r) ^ (masks[i] & 1U);
    const std::uint64_t table = ((std::uint64_t{1} << Low(r)) - 1) ^ (0 - flip);
    const std::uint64_t turned = RotateRight(table, turns.data()[i]);
    std::memcpy(tables.data() + kTableBytes * i, &turned, kTableBytes);
  }
  std::move(pads).Cover(tables);
  return tables;
}

Result<SecretBytes> OpenTables(std::span<const std::uint32_t> shares, ot::HolderOpenings openings,
                               ByteView tables) {
  if (tables.size() != kTableBytes * shares.size()) {
    return Fail(ErrorCode::kInvalidArgument, "tables of the wrong length");
  }
  SecretBytes bits = std::move(openings).Open(tables);
  std::uint8_t* const to = bits.ExposeMutable().data();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    to[i] ^= static_cast<std::uint8_t>(Top(shares[i]));
  }
  return bits;
}

}  // namespace comity::sealed
