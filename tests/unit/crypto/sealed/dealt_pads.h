// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "crypto/ot/pads.h"

namespace comity::sealed::testing {

// Pads of both sides made from correlations that a seed deals, in place of an OT extension.
class DealtPads {
 public:
  DealtPads(std::size_t slots, std::uint64_t seed) : DealtPads(RandomChoices(slots, seed), seed) {}
  // With the sigma of each pad, 0..63.
  DealtPads(const std::vector<std::uint8_t>& choices, std::uint64_t seed)
      : count_(choices.size()), generator_(seed + 1) {
    const std::size_t ots = (ot::kOtsAPad * count_ + 127) / 128 * 128;
    ot::HolderRows ours;
    ot::RequesterRows theirs;
    ours.rows.Reset(ots);
    ours.choices.Reset(ots / 128);
    theirs.rows.Reset(ots);
    theirs.delta.Reset(1);
    std::vector<std::uint8_t> bits(ots / 8);
    for (std::size_t i = 0; i < ot::kOtsAPad * count_; ++i) {
      const unsigned bit = choices[i / ot::kOtsAPad] >> (i % ot::kOtsAPad) & 1U;
      bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | bit << (i % 8));
    }
    std::memcpy(ours.choices.ExposeMutable().data(), bits.data(), bits.size());
    const ot::Block delta = Random();
    theirs.delta.ExposeMutable()[0] = delta;
    for (std::size_t i = 0; i < ots; ++i) {
      const ot::Block w = Random();
      theirs.rows.ExposeMutable()[i] = w;
      ours.rows.ExposeMutable()[i] = w ^ (ot::BlockMaskOf(bits[i / 8] >> (i % 8) & 1U) & delta);
    }
    holder_.Add(ours);
    requester_.Add(theirs);
  }

  ot::HolderPads holder() { return *holder_.Take(count_); }
  ot::RequesterPads requester() { return *requester_.Take(count_); }

 private:
  static std::vector<std::uint8_t> RandomChoices(std::size_t slots, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::vector<std::uint8_t> choices(slots);
    for (auto& choice : choices) choice = static_cast<std::uint8_t>(generator() & 63);
    return choices;
  }
  ot::Block Random() { return {generator_(), generator_()}; }

  std::size_t count_;
  std::mt19937_64 generator_;
  ot::HolderPadPool holder_{ot::Block{1, 2}, ot::FastestKernel()};
  ot::RequesterPadPool requester_{ot::Block{1, 2}, ot::FastestKernel()};
};

}  // namespace comity::sealed::testing
