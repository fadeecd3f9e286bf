// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/matching/secret_floats.h"

namespace comity::matching {

// How far the L2 norm of a template may be from 1 before it is refused instead of renormalised.
inline constexpr double kNormTolerance = 1e-3;

// Checks a template and scales it to unit length: norm in double precision, result in float32, the
// same as on import, so that a probe and an entry made from the same values score alike.
//
// In:     values  any number of float32
// Errors: kInvalidArgument  a value is not finite, or the norm is not within 1 +- 1e-3; `values` is
//                           then unchanged
Status NormalizeTemplate(std::span<float> values);

// Reads a template as it crosses the wire: `dimension` x float32 little-endian; checks and scales
// it.
//
// Errors: kInvalidArgument  wrong length, or as NormalizeTemplate
// Secret: the returned values; the caller wipes `octets`
Result<SecretFloats> ParseTemplate(ByteView octets, std::uint32_t dimension);

}  // namespace comity::matching
