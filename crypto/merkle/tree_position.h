// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace comity::merkle {

// The position of a leaf, counted from 0. Not a TreeSize: mixing the two up does not compile.
struct LeafIndex {
  std::uint64_t value = 0;
  auto operator<=>(const LeafIndex&) const = default;
};

// How many leaves a tree has.
struct TreeSize {
  std::uint64_t value = 0;
  auto operator<=>(const TreeSize&) const = default;
};

// The perfect subtree over the leaves [index << level, (index + 1) << level).
struct Subtree {
  unsigned level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const Subtree&) const = default;
};

}  // namespace comity::merkle
