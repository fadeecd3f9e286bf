// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::casework {

// What shows which template was behind a sealed probe that hit: from it everybody can make what
// was sent of the probe again, and compare it with the holder's log (docs/formats/opening.md).
// Biometric; secret.
struct HitOpening {
  static constexpr std::size_t kMaxTemplate = 1024;
  static constexpr std::size_t kSeedSize = 32;
  static constexpr std::size_t kMaxLists = 16;
  static constexpr std::size_t kMaxHeader = 1024;
  // The probe against one list.
  struct List {
    Bytes header;      // of the sealed list as its holder signed it; the copy may be gone by then
    SecretBytes seed;  // z, kSeedSize octets
  };
  SecretBytes probe;  // the canonical template q, an octet an element
  std::vector<List> lists;
};

// One opening as an alert keeps it: encrypted, and in the alert's own encrypted content only, so
// that it ends with it.
struct SealedOpening {
  std::string exchange_id;  // of the probe
  Bytes sealed;
  bool operator==(const SealedOpening&) const = default;
};

// In:     exchange_id  bound to the ciphertext
// Secret: kek, opening
SealedOpening SealOpening(const HitOpening& opening, const std::string& exchange_id,
                          const SecretBytes& kek, RandomSource& random);
// Errors: kCorrupt  it does not decrypt, or is no opening of this form
Result<HitOpening> OpenOpening(const SealedOpening& sealed, const SecretBytes& kek);

}  // namespace comity::casework
