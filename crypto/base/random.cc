// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/random.h"

#include <sodium.h>

#include "crypto/base/check.h"

namespace comity {

SystemRandom::SystemRandom() {
  COMITY_CHECK(sodium_init() >= 0);
}

void SystemRandom::Fill(std::span<std::uint8_t> out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

}  // namespace comity
