// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "crypto/ot/block.h"
#include "crypto/ot/kernel.h"

namespace comity::ot {

// The universal hash of the consistency check: a column of m + 1 blocks x_0 .. x_m goes to
//   x_0 * chi_0 + ... + x_(m-1) * chi_(m-1) + x_m     in GF(2^128) = GF(2)[X]/(X^128+X^7+X^2+X+1),
// bit j of a block being the coefficient of X^j.
//
// It is linear over GF(2), so that a matrix of bits can be applied to the four columns of a tree as
// to one column over GF(16). For chi_i independent and uniform it is 2^-128-almost uniform on
// columns that differ before the last block; the last block has coefficient 1 and hides the value.
//
// In:      column        m + 1 blocks
//          coefficients  m blocks
// Secret:  column; the coefficients are public and choose branches
// Leaks:   time depends on the sizes and the coefficients only
// Threads: pure function
// Source:  Roy, CRYPTO 2022 (eprint 2022/192), Figure 9 (the matrix R) and Definition of an
//          epsilon-almost uniform, hiding family
Block HashColumn(std::span<const Block> column, std::span<const Block> coefficients, Kernel kernel);

}  // namespace comity::ot
