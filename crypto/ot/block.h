// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"

namespace comity::ot {

static_assert(std::endian::native == std::endian::little, "a Block is copied as it lies in memory");

// 128 bits. Bit j is bit j % 8 of octet j / 8, hence bit j of `low` or bit j - 64 of `high`.
struct alignas(16) Block {
  static constexpr std::size_t kSize = 16;  // octets
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  Block& operator^=(const Block& other) {
    low ^= other.low;
    high ^= other.high;
    return *this;
  }
  friend Block operator^(Block left, const Block& right) { return left ^= right; }
  friend Block operator&(const Block& left, const Block& right) {
    return {left.low & right.low, left.high & right.high};
  }
  friend Block operator~(const Block& block) { return {~block.low, ~block.high}; }
};
static_assert(sizeof(Block) == Block::kSize);
inline constexpr std::size_t kBitsABlock = 128;

// In: octets  at least 16; the first 16 are read
inline Block LoadBlock(ByteView octets) {
  COMITY_CHECK(octets.size() >= Block::kSize);
  Block block;
  std::memcpy(&block, octets.data(), Block::kSize);
  return block;
}
inline std::array<std::uint8_t, Block::kSize> Octets(const Block& block) {
  return std::bit_cast<std::array<std::uint8_t, Block::kSize>>(block);
}
// The octets of `blocks`, not copied.
inline ByteView AsOctets(std::span<const Block> blocks) {
  return {reinterpret_cast<const std::uint8_t*>(blocks.data()), blocks.size_bytes()};
}
inline std::span<std::uint8_t> AsWritableOctets(std::span<Block> blocks) {
  return {reinterpret_cast<std::uint8_t*>(blocks.data()), blocks.size_bytes()};
}

// All ones if `bit` is 1, all zeros if it is 0; for choosing without a branch. In: bit  0 or 1
inline std::uint64_t MaskOf(std::uint64_t bit) {
  return std::uint64_t{0} - bit;
}
inline Block BlockMaskOf(std::uint64_t bit) {
  return {MaskOf(bit), MaskOf(bit)};
}
// 1 if both are equal, else 0, without a branch. In: less than 2^63 each
inline std::uint64_t EqualBit(std::uint64_t left, std::uint64_t right) {
  return ((left ^ right) - 1) >> 63;
}
inline std::uint64_t BitOf(const Block& block, std::size_t position) {
  return ((position < 64 ? block.low : block.high) >> (position % 64)) & 1;
}

// Secret blocks: move-only, wiped when destroyed, moved from or made anew.
//
// Threads: thread-compatible
class SecretBlocks {
 public:
  SecretBlocks() = default;
  explicit SecretBlocks(std::size_t count) : blocks_(count) {}
  SecretBlocks(SecretBlocks&& other) noexcept : blocks_(std::move(other.blocks_)) {
    other.blocks_.clear();
  }
  SecretBlocks& operator=(SecretBlocks&& other) noexcept;
  SecretBlocks(const SecretBlocks&) = delete;
  SecretBlocks& operator=(const SecretBlocks&) = delete;
  ~SecretBlocks();

  // Makes it `count` blocks of no particular value; the memory is kept where it suffices, so that
  // a buffer used batch after batch costs no page faults.
  void Reset(std::size_t count);
  std::size_t size() const { return blocks_.size(); }
  bool empty() const { return blocks_.empty(); }
  std::span<const Block> Expose() const { return blocks_; }
  std::span<Block> ExposeMutable() { return blocks_; }

 private:
  std::vector<Block> blocks_;
};

}  // namespace comity::ot
