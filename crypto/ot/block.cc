// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/block.h"

#include <utility>

#include "crypto/base/secret.h"

namespace comity::ot {

SecretBlocks& SecretBlocks::operator=(SecretBlocks&& other) noexcept {
  if (this != &other) {
    Wipe(AsWritableOctets(blocks_));
    blocks_ = std::move(other.blocks_);
    other.blocks_.clear();
  }
  return *this;
}

SecretBlocks::~SecretBlocks() {
  Wipe(AsWritableOctets(blocks_));
}

void SecretBlocks::Reset(std::size_t count) {
  if (count == blocks_.size()) return;
  // A shrunk or moved vector would leave secrets behind in memory that no destructor reaches.
  Wipe(AsWritableOctets(blocks_));
  blocks_.resize(count);
}

}  // namespace comity::ot
