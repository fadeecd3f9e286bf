// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/leaf_expansion.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/ot/avx512.h"

namespace comity::ot {
namespace {

// Blocks of a stream made at a time: what is folded is still in the first cache.
constexpr std::size_t kStrip = 256;

void FoldInto(std::span<const Block> stream, Block* plane) {
  const Block* const from = stream.data();
  for (std::size_t i = 0; i < stream.size(); ++i) plane[i] ^= from[i];
}

// The planes' first values: the correction where it is due, else zeros.
void StartPlanes(const PlaneSpans& out, std::size_t at, std::size_t count) {
  for (std::size_t bit = 0; bit < kTreeDepth; ++bit) {
    const Block mask = BlockMaskOf(out.correction_planes >> bit & 1);
    Block* const plane = out.planes + bit * out.stride + at;
    for (std::size_t i = 0; i < count; ++i) {
      plane[i] = Block{};
      if (out.correction.empty()) continue;
      plane[i] = LoadBlock(out.correction.subspan((at + i) * Block::kSize)) & mask;
    }
  }
}

}  // namespace

LeafExpansion::LeafExpansion(std::span<const Block> keys, Kernel kernel) : kernel_(kernel) {
  COMITY_CHECK(keys.size() == kLeafCount);
  if (kernel == Kernel::kPortable) {
    for (const Block& key : keys) streams_.emplace_back(key);
    return;
  }
  schedules_.Reset(kLeafCount * avx512::kRoundKeys);
  for (std::size_t leaf = 0; leaf < kLeafCount; ++leaf) {
    avx512::KeySchedule schedule;
    avx512::ExpandKey(keys[leaf], schedule);
    std::copy(schedule.begin(), schedule.end(),
              schedules_.ExposeMutable().subspan(leaf * avx512::kRoundKeys).begin());
    Wipe(AsWritableOctets(schedule));
  }
}

void LeafExpansion::Expand(std::uint64_t first_counter, const PlaneSpans& out) {
  COMITY_CHECK(out.stride >= out.count);  // nothing is asked about the secret correction_planes
  const std::size_t octets = out.count * Block::kSize;
  COMITY_CHECK(out.sum.empty() || out.sum.size() == octets);
  COMITY_CHECK(out.sum_offset.empty() || out.sum_offset.size() == out.count);
  COMITY_CHECK(out.correction.empty() || out.correction.size() == octets);
  if (kernel_ == Kernel::kPortable) {
    ExpandPortably(first_counter, out);
    return;
  }
  const auto mask = [&](std::size_t bit) { return MaskOf(out.correction_planes >> bit & 1); };
  avx512::ExpandLeaves({.schedules = schedules_.Expose().data(),
                        .first_counter = first_counter,
                        .count = out.count,
                        .sum = out.sum.empty() ? nullptr : out.sum.data(),
                        .sum_offset = out.sum_offset.empty() ? nullptr : out.sum_offset.data(),
                        .correction = out.correction.empty() ? nullptr : out.correction.data(),
                        .plane_masks = {mask(0), mask(1), mask(2), mask(3)},
                        .planes = out.planes,
                        .stride = out.stride});
}

void LeafExpansion::ExpandPortably(std::uint64_t first_counter, const PlaneSpans& out) {
  SecretBlocks strip(2 * std::min(kStrip, out.count));
  for (std::size_t at = 0; at < out.count; at += kStrip) {
    const std::size_t count = std::min(kStrip, out.count - at);
    const std::span<Block> stream = strip.ExposeMutable().first(count);
    const std::span<Block> sum = strip.ExposeMutable().subspan(count, count);
    std::ranges::fill(sum, Block{});
    if (!out.sum_offset.empty()) std::ranges::copy(out.sum_offset.subspan(at, count), sum.begin());
    StartPlanes(out, at, count);
    for (std::size_t leaf = out.sum.empty() ? 1 : 0; leaf < kLeafCount; ++leaf) {
      streams_[leaf].Fill(first_counter + at, stream);
      FoldInto(stream, sum.data());
      for (std::size_t bit = 0; bit < kTreeDepth; ++bit) {
        if ((leaf >> bit & 1) != 0) FoldInto(stream, out.planes + bit * out.stride + at);
      }
    }
    if (!out.sum.empty()) {
      std::ranges::copy(AsOctets(sum), out.sum.subspan(at * Block::kSize).begin());
    }
  }
}

}  // namespace comity::ot
