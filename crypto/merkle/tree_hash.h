// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"

namespace comity::merkle {

// The three hashes of an RFC 6962 tree. The prefix octet keeps a leaf from passing for a node.
//
// Threads: pure functions; safe from any thread.
// Source:  RFC 9162 section 2.1.1; vectors in tests/vectors/tlog
Digest LeafHash(ByteView entry);                           // SHA-256(0x00 || entry)
Digest NodeHash(const Digest& left, const Digest& right);  // SHA-256(0x01 || left || right)
Digest EmptyRoot();                                        // SHA-256("")

}  // namespace comity::merkle
