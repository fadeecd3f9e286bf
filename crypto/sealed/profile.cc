// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/profile.h"

#include <algorithm>

#include "crypto/base/secret.h"

namespace comity::sealed {
namespace {

constexpr std::int64_t kUnit = 10'000;  // cosines are integers in units of 1e-4
// alpha^2 = (254/11)^2 d = 64516 d / 121
constexpr std::int64_t kNormNumerator = 64'516;
constexpr std::int64_t kNormDenominator = 121;
constexpr std::int64_t kLargestCosine = 10'200;  // templates are up to 2 % longer than C says
constexpr std::int64_t kNoiseGuard = std::int64_t{1} << 17;
constexpr std::int32_t kLargestCosMin = -5000;

Status CheckScales(const Scales& scales) {
  if (!IsDimension(scales.dimension)) {
    return Fail(ErrorCode::kInvalidArgument, "no such template dimension");
  }
  if (scales.compared_bits != kComparedBits) {
    return Fail(ErrorCode::kInvalidArgument, "the comparison looks at 7 bits");
  }
  if (scales.cos_min < -kUnit || scales.cos_min > kLargestCosMin || scales.tau_min < 0 ||
      scales.tau_min > scales.tau_max || scales.tau_max > kUnit) {
    return Fail(ErrorCode::kInvalidArgument, "the cosines of the scales are out of range");
  }
  return {};
}

std::uint32_t DeltaOf(const Scales& scales) {
  const std::int64_t half_modulus = std::int64_t{1} << (kModulusBits - 1);
  const std::int64_t room = half_modulus - std::int64_t{kHalfStep} - kNoiseGuard;
  const std::int64_t span = std::max<std::int64_t>(std::int64_t{scales.tau_max} - scales.cos_min,
                                                   kLargestCosine - scales.tau_min);
  return static_cast<std::uint32_t>(room * kNormDenominator * kUnit /
                                    (kNormNumerator * scales.dimension * span));
}

}  // namespace

bool IsDimension(std::size_t dimension) {
  return dimension == 128 || dimension == 256 || dimension == 512 || dimension == 1024;
}

Status CheckTemplate(std::span<const std::int8_t> entry) {
  if (!IsDimension(entry.size())) {
    return Fail(ErrorCode::kInvalidArgument, "no such template dimension");
  }
  std::int64_t squares = 0;
  std::uint32_t outside = 0;
  for (const std::int8_t x : entry) {
    squares += std::int64_t{x} * x;
    outside |= static_cast<std::uint32_t>(x == -128);
  }
  const std::int64_t norm = kNormNumerator * static_cast<std::int64_t>(entry.size());
  const std::int64_t off = kNormDenominator * squares - norm;
  const bool refused = (outside != 0) | (50 * off > norm) | (50 * off < -norm);
  if (Declassify(refused)) {  // the caller learns it
    return Fail(ErrorCode::kInvalidArgument, "the template's norm or an element is out of range");
  }
  return {};
}

Result<Profile> Profile::Create(const Scales& scales) {
  COMITY_RETURN_IF_ERROR(CheckScales(scales));
  return Profile(scales, DeltaOf(scales));
}

Result<Profile> Profile::FromHeader(const Scales& scales, std::uint64_t delta) {
  COMITY_ASSIGN_OR_RETURN(const Profile profile, Create(scales));
  if (profile.delta() != delta) {
    return Fail(ErrorCode::kCorrupt, "the header's Delta does not follow from its scales");
  }
  return profile;
}

Result<std::uint32_t> Profile::Threshold(std::int32_t tau) const {
  if (tau < scales_.tau_min || tau > scales_.tau_max) {
    return Fail(ErrorCode::kInvalidArgument, "the threshold is outside the list's range");
  }
  const std::int64_t unit = kNormDenominator * kUnit;
  const std::int64_t score = std::int64_t{tau} * delta_ * kNormNumerator * scales_.dimension;
  return static_cast<std::uint32_t>((2 * score + unit) / (2 * unit));
}

}  // namespace comity::sealed
