// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace comity::policy {

// Which recognition engine made a template. Templates of two profiles are never compared; the
// metric is always cosine (inner product of unit vectors).
struct EngineProfile {
  static constexpr std::uint32_t kMinDimension = 32;
  static constexpr std::uint32_t kMaxDimension = 2048;
  std::string name;     // 1..64 printable ASCII, e.g. facenet
  std::string version;  // 1..64 printable ASCII
  std::uint32_t dimension = 0;
  auto operator<=>(const EngineProfile&) const = default;
};

}  // namespace comity::policy
