// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"

namespace comity {

// Keeps the pages that hold these octets out of swap and core files until the process ends, also
// once the octets are gone: a page can hold other secrets, and unlocking does not nest. For the few
// keys that live as long as the process, not for what comes and goes.
//
// Errors: false  the system refuses (RLIMIT_MEMLOCK): the octets are as they were, unlocked
// Threads: safe from any thread.
[[nodiscard]] bool LockInMemory(ByteView octets);

}  // namespace comity
