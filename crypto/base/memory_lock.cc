// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/memory_lock.h"

#include <sodium.h>

namespace comity {

bool LockInMemory(ByteView octets) {
  if (octets.empty()) return true;
  // libsodium takes a pointer to what may change, and changes nothing.
  return sodium_mlock(const_cast<std::uint8_t*>(octets.data()), octets.size()) == 0;
}

}  // namespace comity
