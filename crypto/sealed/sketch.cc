// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/sketch.h"

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/gf20.h"

namespace comity::sealed {
namespace {

constexpr std::size_t kWords = 4;

Status CheckCap(unsigned cap) {
  if (cap < 1 || cap > kMaxCap) {
    return Fail(ErrorCode::kInvalidArgument, "the cap is out of range");
  }
  return {};
}

// Bit string <-> sums; `words` in the order of the encoding.
void PackSum(std::uint32_t sum, std::size_t index, std::span<std::uint64_t, kWords> words) {
  const std::size_t bit = gf20::kBits * index;
  words[bit / 64] |= std::uint64_t{sum} << (bit % 64);
  if (bit % 64 + gf20::kBits > 64) words[bit / 64 + 1] |= std::uint64_t{sum} >> (64 - bit % 64);
}

std::uint32_t UnpackSum(std::size_t index, std::span<const std::uint64_t, kWords> words) {
  const std::size_t bit = gf20::kBits * index;
  std::uint64_t sum = words[bit / 64] >> (bit % 64);
  if (bit % 64 + gf20::kBits > 64) sum |= words[bit / 64 + 1] << (64 - bit % 64);
  return static_cast<std::uint32_t>(sum) & gf20::kMask;
}

}  // namespace

Bytes EncodeSketch(const Sketch& sketch) {
  std::array<std::uint64_t, kWords> words{};
  for (std::size_t j = 0; j < sketch.sum_count(); ++j) PackSum(sketch.sums[j], j, words);
  Bytes bytes(SketchBytes(sketch.cap));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(words[i / 8] >> (i % 8 * 8));
  }
  return bytes;
}

Result<Sketch> ParseSketch(ByteView bytes, unsigned cap) {
  COMITY_RETURN_IF_ERROR(CheckCap(cap));
  if (bytes.size() != SketchBytes(cap)) {
    return Fail(ErrorCode::kInvalidArgument, "a sketch of the wrong length");
  }
  std::array<std::uint64_t, kWords> words{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    words[i / 8] |= std::uint64_t{bytes[i]} << (i % 8 * 8);
  }
  Sketch sketch{.cap = cap};
  for (std::size_t j = 0; j < sketch.sum_count(); ++j) sketch.sums[j] = UnpackSum(j, words);
  const Bytes again = EncodeSketch(sketch);
  if (!ConstantTimeEqual(again, bytes)) {
    return Fail(ErrorCode::kInvalidArgument, "spare bits of the sketch are not zero");
  }
  return sketch;
}

Sketch Difference(const Sketch& left, const Sketch& right) {
  COMITY_CHECK(left.cap == right.cap);
  Sketch difference{.cap = left.cap};
  for (std::size_t j = 0; j < difference.sum_count(); ++j) {
    difference.sums[j] = left.sums[j] ^ right.sums[j];
  }
  return difference;
}

Result<SketchTable> SketchTable::Create(const PlacedSlots& placed, unsigned cap) {
  COMITY_RETURN_IF_ERROR(CheckCap(cap));
  const SlotSet& slots = *placed.slots;
  if (placed.first_block > kMaxSlotNumber / kRingDegree ||
      (slots.size() > 0 && placed.shift() + slots.numbers().back() > kMaxSlotNumber)) {
    return Fail(ErrorCode::kInvalidArgument, "the lists of a sketch have too many blocks");
  }
  SketchTable table(cap);
  table.rows_.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint32_t number = placed.shift() + slots.numbers()[i];
    const std::uint32_t square = gf20::Multiply(number, number);
    std::uint32_t power = number;
    for (std::size_t j = 0; j < cap + 2; ++j) {
      PackSum(power, j, table.rows_[i].words);
      power = gf20::Multiply(power, square);
    }
  }
  return table;
}

Sketch SketchTable::Fold(std::span<const std::uint8_t> bits) const {
  COMITY_CHECK(bits.size() == rows_.size());
  std::array<std::uint64_t, kWords> words{};
  const Row* row = rows_.data();
  for (const std::uint8_t bit : bits) {
    const std::uint64_t mask = 0 - std::uint64_t{bit & 1U};
    for (std::size_t w = 0; w < kWords; ++w) words.data()[w] ^= row->words.data()[w] & mask;
    ++row;
  }
  Sketch sketch{.cap = cap_};
  for (std::size_t j = 0; j < sketch.sum_count(); ++j) sketch.sums[j] = UnpackSum(j, words);
  return sketch;
}

}  // namespace comity::sealed
