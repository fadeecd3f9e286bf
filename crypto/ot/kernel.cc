// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/kernel.h"

namespace comity::ot {

Kernel FastestKernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi") != 0 &&
      __builtin_cpu_supports("gfni") != 0 && __builtin_cpu_supports("vaes") != 0 &&
      __builtin_cpu_supports("vpclmulqdq") != 0) {
    return Kernel::kAvx512;
  }
#endif
  return Kernel::kPortable;
}

}  // namespace comity::ot
