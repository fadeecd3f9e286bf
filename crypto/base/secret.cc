// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secret.h"

#include <sodium.h>

#include <utility>

namespace comity {

void Wipe(std::span<std::uint8_t> memory) {
  if (!memory.empty()) sodium_memzero(memory.data(), memory.size());
}

bool ConstantTimeEqual(ByteView left, ByteView right) {
  if (left.size() != right.size()) return false;
  return left.empty() || sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

// Called and not inlined, since the tests know it by its name.
[[gnu::noinline]] bool Declassify(bool bit) {
  return bit;
}

SecretBytes SecretBytes::CopyOf(ByteView bytes) {
  SecretBytes secret;
  secret.bytes_.assign(bytes.begin(), bytes.end());
  return secret;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Wipe(bytes_);
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
  }
  return *this;
}

}  // namespace comity
