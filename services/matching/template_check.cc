// SPDX-License-Identifier: Apache-2.0
#include "services/matching/template_check.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

namespace comity::matching {
namespace {

float LoadLittleEndian(const std::uint8_t* octets) {
  std::uint32_t bits = 0;
  for (int i = 3; i >= 0; --i) bits = bits << 8 | octets[i];
  return std::bit_cast<float>(bits);
}

// Four sums side by side, since each addition waits for the one before it.
double SumOfSquares(std::span<const float> values) {
  constexpr std::size_t kLanes = 4;
  std::array<double, kLanes> sums{};
  const std::size_t whole = values.size() / kLanes * kLanes;
  const float* const from = values.data();
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = double{from[i + lane]};
      sums[lane] += value * value;
    }
  }
  for (std::size_t i = whole; i < values.size(); ++i) sums[0] += double{from[i]} * double{from[i]};
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

Status NormalizeTemplate(std::span<float> values) {
  const double sum = SumOfSquares(values);  // of floats: finite unless one of them is not
  if (!std::isfinite(sum)) {
    return Fail(ErrorCode::kInvalidArgument, "a template value is not a finite number");
  }
  const double norm = std::sqrt(sum);
  if (!(std::abs(norm - 1.0) <= kNormTolerance)) {
    return Fail(ErrorCode::kInvalidArgument,
                "the template's norm is off by more than 0.001; scale it to unit length");
  }
  for (float& value : values) value = static_cast<float>(double{value} / norm);
  return {};
}

Result<SecretFloats> ParseTemplate(ByteView octets, std::uint32_t dimension) {
  if (octets.size() != std::size_t{dimension} * sizeof(float)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a template has " + std::to_string(octets.size()) + " octets instead of " +
                    std::to_string(std::size_t{dimension} * sizeof(float)));
  }
  SecretFloats values(dimension);
  const std::span<float> out = values.ExposeMutable();
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = LoadLittleEndian(octets.data() + i * sizeof(float));
  }
  COMITY_RETURN_IF_ERROR(NormalizeTemplate(out));
  return values;
}

}  // namespace comity::matching
