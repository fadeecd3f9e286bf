// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"

namespace comity::hash {

// Fills `out` with the key stream that a label and an index name: ChaCha20 with the nonce
// LE32(label) | LE64(index), from block 0. Nothing is random but the key: the same three give the
// same octets for ever.
//
// In:      key  32 octets, secret unless the caller says otherwise
//          out  at most 2^38 octets
// Leaks:   time depends on the length only
// Threads: pure function
// Source:  RFC 8439, section 2.4 (96-bit nonce, 32-bit counter)
void ExpandStream(ByteView key, std::uint32_t label, std::uint64_t index,
                  std::span<std::uint8_t> out);

}  // namespace comity::hash
