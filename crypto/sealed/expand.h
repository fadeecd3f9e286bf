// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/sealed/ring.h"

namespace comity::sealed {

// The labels of profile sealed-v1 for hash::ExpandStream. A key is used with the labels of its kind
// only: the public seed with 1, a block's expansion key with 2 and 3, a probe seed with 4 to 6.
inline constexpr std::uint32_t kPublicLabel = 1;      // a_j; index j, from 0 to d
inline constexpr std::uint32_t kSecretLabel = 2;      // s; ternary
inline constexpr std::uint32_t kErrorLabel = 3;       // e_j; index j, from 0 to d
inline constexpr std::uint32_t kBlindLabel = 4;       // u; ternary
inline constexpr std::uint32_t kBlindErrorLabel = 5;  // e_1; index 0
inline constexpr std::uint32_t kMaskLabel = 6;        // rho; index 0
inline constexpr std::uint32_t kRotationLabel = 7;    // the quantiser's signs; index 1 and 2

// Keys are 32 octets. Pure functions of key, label and index.
// Leaks: time depends on how many octets ExpandTernary skips, which says nothing of those it takes

// Element j of the public matrix: 3072 octets of the stream, as DecodeElement reads them.
void ExpandPublic(ByteView seed, std::uint64_t index, ElementSpan out);

// Errors: v = LE16 of the stream for each coefficient, then (v mod 32) - (v / 32 mod 32): sd 13.06.
void ExpandError(ByteView key, std::uint32_t label, std::uint64_t index, SmallSpan out);

// A uniform ternary element: octets from 243 are skipped, of the others each gives five digits of
// base 3, least significant first, minus 1. 512 octets a call, from index 0 on.
void ExpandTernary(ByteView key, std::uint32_t label, SmallSpan out);

}  // namespace comity::sealed
