// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/sealed/plane_matrix.h"
#include "crypto/sealed/ring.h"

namespace comity::sealed {

// How the scan multiplies. All give the same numbers, to the bit.
enum class Kernel {
  kPortable,    // plain C++
  kAvx2,        // x86-64 with AVX2
  kAvx512Vnni,  // x86-64 with AVX-512 F, BW and VNNI
};

// The kernels that this processor and its operating system can run, slowest first; never empty.
std::vector<Kernel> SupportedKernels();
// The last of SupportedKernels().
Kernel FastestKernel();

// For each probe q and each row b of `matrix`: sum of q_j b_j mod M. On a sealed block these are
// the b' of its slots; on a public matrix the coefficients of c.
//
// In:      probes  one after the other, columns() elements each in [-127, 127]; 1..32 probes
//          kernel  one of SupportedKernels()
//          out     one element a probe; coefficients from rows() on become 0
// Secret:  the probes, and `out` as much; no branch or index depends on them
// Threads: pure function
void Score(const PlaneMatrix& matrix, std::span<const std::int8_t> probes, Kernel kernel,
           std::span<Element> out);

}  // namespace comity::sealed
