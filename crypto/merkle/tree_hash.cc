// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/tree_hash.h"

#include <algorithm>

#include "crypto/hash/sha256.h"

namespace comity::merkle {

Digest LeafHash(ByteView entry) {
  constexpr std::uint8_t kPrefix = 0x00;
  return hash::Sha256({ByteView(&kPrefix, 1), entry});
}

Digest NodeHash(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 1 + 2 * Digest::kSize> node;
  node[0] = 0x01;
  std::copy(left.bytes.begin(), left.bytes.end(), node.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), node.begin() + 1 + Digest::kSize);
  return hash::Sha256(node);
}

Digest EmptyRoot() {
  return hash::Sha256(ByteView());
}

}  // namespace comity::merkle
