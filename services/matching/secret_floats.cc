// SPDX-License-Identifier: Apache-2.0
#include "services/matching/secret_floats.h"

#include <cstdint>

#include "crypto/base/secret.h"

namespace comity::matching {

void Wipe(std::span<float> values) {
  comity::Wipe({reinterpret_cast<std::uint8_t*>(values.data()), values.size_bytes()});
}

SecretFloats& SecretFloats::operator=(SecretFloats&& other) noexcept {
  if (this != &other) {
    Wipe(values_);
    values_ = std::exchange(other.values_, {});
  }
  return *this;
}

}  // namespace comity::matching
