// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/watchlists/template_matrix.h"

namespace comity::watchlists {

// How far a template's L2 norm may be from 1: rounding of an engine's export, not more.
inline constexpr double kNormTolerance = 1e-3;

// Copies one row of float32 little-endian into `out` and scales it to unit norm: the norm is the
// square root of the sum, in order, of the squares in double precision; each element is divided by
// it in double precision and rounded to float32. Probes are scaled by the same arithmetic, so that
// equal input scores alike.
//
// In:     octets  out.size() x 4
// Errors: kInvalidArgument  an element is not finite, all are zero, or the norm is further than
//                           kNormTolerance from 1
// Secret: octets and out
Status ReadRow(ByteView octets, std::span<float> out);

// Pairs of rows with bitwise equal elements: each further row with the first of its kind, ordered
// by the further row.
std::vector<std::pair<std::size_t, std::size_t>> EqualRows(const TemplateMatrix& templates);

}  // namespace comity::watchlists
