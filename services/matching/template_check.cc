// SPDX-License-Identifier: Apache-2.0
#include "services/matching/template_check.h"

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

}  // namespace

Status NormalizeTemplate(std::span<float> values) {
  double sum = 0;  // of squares of floats: finite unless one of them is not
  for (const float value : values) sum += double{value} * double{value};
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
