// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/base/result.h"

namespace comity::sealed {

// The fixed parameters of profile sealed-v1. The ring is Z_M[X]/(X^n + 1).
inline constexpr std::size_t kRingDegree = 1024;  // n, also the slots of a block
inline constexpr unsigned kModulusBits = 24;
inline constexpr std::uint32_t kModulus = 1U << kModulusBits;  // M
inline constexpr std::uint32_t kModulusMask = kModulus - 1;
// k: how many leading bits of a share the comparison looks at. A table has 2^(k-1) = 64 bits.
inline constexpr unsigned kComparedBits = 7;
// Half a step of the comparison, 2^(23-k): what makes it round and not cut.
inline constexpr std::uint32_t kHalfStep = 1U << (kModulusBits - 1 - kComparedBits);
inline constexpr std::size_t kMaxDimension = 1024;
inline constexpr std::uint32_t kMaxProbesInBatch = 32;
inline constexpr unsigned kDefaultCap = 5;
// A larger cap than the release budget of a block would make answers that can never be released.
inline constexpr unsigned kMaxCap = 8;
// Slot numbers are non-zero elements of GF(2^20).
inline constexpr std::uint32_t kMaxSlotNumber = (1U << 20) - 1;

// What a list's header says of its scale. Cosines are integers in units of 1e-4.
struct Scales {
  std::uint32_t dimension = 0;  // d: 128, 256, 512 or 1024
  std::uint32_t compared_bits = kComparedBits;
  std::int32_t tau_min = 2000;
  std::int32_t tau_max = 6000;
  std::int32_t cos_min = -6500;
  bool operator==(const Scales&) const = default;
};

// The scales of one list with all that follows from them, in exact integers.
//
// C = 64516 d / 121 is the squared norm of a template, S = Delta * C the score of cosine 1. Scores
// of cosines in [cos_min, 1.02] do not wrap around M for any threshold in [tau_min, tau_max].
//
// Threads: immutable.
class Profile {
 public:
  // For the holder, who makes a header.
  //
  // Errors: kInvalidArgument  d is not one of the four, k is not 7, or the cosines are not ordered
  //                           -10000 <= cos_min <= -5000, 0 <= tau_min <= tau_max <= 10000. A
  //                           cos_min above -0.5 would let honest strangers wrap into certain hits.
  static Result<Profile> Create(const Scales& scales);
  // For whoever reads a header: a false Delta lowers the threshold without a trace.
  //
  // Errors: as Create, and kCorrupt if `delta` is not the one that follows from `scales`
  static Result<Profile> FromHeader(const Scales& scales, std::uint64_t delta);

  const Scales& scales() const { return scales_; }
  std::uint32_t dimension() const { return scales_.dimension; }
  std::uint32_t delta() const { return delta_; }

  // T, the score of the agreed threshold: tau * S, rounded half up.
  //
  // In:     tau  in 1e-4
  // Errors: kInvalidArgument  tau is outside [tau_min, tau_max]
  Result<std::uint32_t> Threshold(std::int32_t tau) const;

 private:
  Profile(const Scales& scales, std::uint32_t delta) : scales_(scales), delta_(delta) {}
  Scales scales_;
  std::uint32_t delta_;
};

// Whether there are templates of `dimension` elements.
bool IsDimension(std::size_t dimension);

// Whether `entry` can be a template: a length that IsDimension, no element -128, and a squared norm
// within a fiftieth of C.
//
// Secret: the elements; time depends on their number only
// Errors: kInvalidArgument
Status CheckTemplate(std::span<const std::int8_t> entry);

}  // namespace comity::sealed
