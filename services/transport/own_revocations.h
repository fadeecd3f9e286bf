// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "crypto/base/bytes.h"

namespace comity::transport {

// What this agency itself bars, whatever the lists of the authorities say: each by its SHA-256,
// with the id of the revocation that names it.
struct OwnRevocations {
  std::map<Digest, std::string> certificates;  // of the leaf's DER: this certificate alone
  std::map<Digest, std::string> keys;  // of its SubjectPublicKeyInfo: renewed certificates as well
};

}  // namespace comity::transport
