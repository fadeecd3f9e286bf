// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace comity::ot {

// Which instructions the heavy loops use. Results are the same bit for bit; tests run both.
enum class Kernel {
  kPortable,  // C++ and libcrypto's AES; constant time on every machine libcrypto's AES is
  kAvx512,    // x86-64 with AVX-512 (F, BW, VL, VBMI), GFNI, VAES and VPCLMULQDQ
};

// The fastest this processor and system can run.
//
// Threads: pure function of the machine
Kernel FastestKernel();

}  // namespace comity::ot
