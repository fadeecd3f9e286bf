// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/threshold.h"

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/sealed/profile.h"

namespace comity::sealed {
namespace {

constexpr unsigned kShift = kModulusBits - kComparedBits;
constexpr unsigned kLowBits = kComparedBits - 1;
constexpr std::uint32_t kLowMask = (1U << kLowBits) - 1;
static_assert(kLowMask == 63, "a table is one 64-bit word");

std::uint32_t Low(std::uint32_t value) {
  return value >> kShift & kLowMask;
}
std::uint32_t Top(std::uint32_t value) {
  return value >> (kModulusBits - 1) & 1;
}

std::uint64_t RotateRight(std::uint64_t word, std::uint32_t by) {
  return word >> by | word << (-by & 63);
}

std::uint64_t Table(const RequesterInput& input, std::size_t i) {
  const std::uint32_t r = (input.threshold + kHalfStep - input.scores[i]) & kModulusMask;
  const std::uint64_t flip = 1 ^ Top(r) ^ (input.masks[i] & 1U);
  return ((std::uint64_t{1} << Low(r)) - 1) ^ (0 - flip);
}

// Reads items of six bits one after the other.
class OffsetReader {
 public:
  explicit OffsetReader(ByteView bytes) : next_(bytes.data()) {}
  std::uint32_t Next() {
    if (bits_ < kLowBits) {
      window_ |= std::uint32_t{*next_++} << bits_;
      bits_ += 8;
    }
    const std::uint32_t item = window_ & kLowMask;
    window_ >>= kLowBits;
    bits_ -= kLowBits;
    return item;
  }

 private:
  const std::uint8_t* next_;
  std::uint32_t window_ = 0;
  unsigned bits_ = 0;
};

}  // namespace

Bytes EncodeOffsets(std::span<const std::uint32_t> shares, const HolderPads& pads) {
  COMITY_CHECK(pads.choices.size() == shares.size());
  Bytes bytes(OffsetBytes(shares.size()));
  std::uint8_t* to = bytes.data();
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    window |= ((Low(shares[i]) - pads.choices[i]) & kLowMask) << bits;
    bits += kLowBits;
    if (bits >= 8) {
      *to++ = static_cast<std::uint8_t>(window);
      window >>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) *to = static_cast<std::uint8_t>(window);
  return bytes;
}

Result<Bytes> EncodeTables(const RequesterInput& input, ByteView offsets) {
  const std::size_t slots = input.scores.size();
  COMITY_CHECK(input.pads.size() == slots && input.masks.size() == slots);
  if (offsets.size() != OffsetBytes(slots)) {
    return Fail(ErrorCode::kInvalidArgument, "offsets of the wrong length");
  }
  const std::size_t spare_bits = 8 * offsets.size() - kLowBits * slots;
  if (!offsets.empty() && offsets.back() >> (8 - spare_bits) != 0) {
    return Fail(ErrorCode::kInvalidArgument, "spare bits of the offsets are not zero");
  }
  Bytes bytes(kTableBytes * slots);
  OffsetReader reader(offsets);
  for (std::size_t i = 0; i < slots; ++i) {
    const std::uint64_t y = RotateRight(Table(input, i), reader.Next()) ^ input.pads[i];
    const auto octets = LittleEndian<8>(y);
    std::uint8_t* to = bytes.data() + kTableBytes * i;
    for (std::size_t k = 0; k < kTableBytes; ++k) to[k] = octets[k];
  }
  return bytes;
}

Result<SecretArray<std::uint8_t>> OpenTables(std::span<const std::uint32_t> shares,
                                             const HolderPads& pads, ByteView tables) {
  const std::size_t slots = shares.size();
  COMITY_CHECK(pads.choices.size() == slots && pads.pad_bits.size() == slots);
  if (tables.size() != kTableBytes * slots) {
    return Fail(ErrorCode::kInvalidArgument, "tables of the wrong length");
  }
  SecretArray<std::uint8_t> bits(slots);
  std::uint8_t* to = bits.ExposeMutable().data();
  for (std::size_t i = 0; i < slots; ++i) {
    const std::uint64_t y = ReadLittleEndian<kTableBytes>(tables.subspan(kTableBytes * i));
    const std::uint64_t bit = y >> (pads.choices[i] & kLowMask);
    to[i] = static_cast<std::uint8_t>((bit ^ pads.pad_bits[i] ^ Top(shares[i])) & 1);
  }
  return bits;
}

}  // namespace comity::sealed
