// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"

namespace comity::identity {

// The content of a pending act. Its hash stands in the log in the clear, so it is hashed with a
// random salt: nobody can confirm a guess of what was proposed.
struct SaltedContent {
  std::string content;  // the given object with the field `salt`, 32 hexadecimal digits
  Digest sha256;        // of that
  Digest unsalted;      // of the content as given
};

// In:     content  canonical JSON object without the field `salt`
// Errors: kInvalidArgument  anything else, or more than `max_size` octets
Result<SaltedContent> AddSalt(std::string_view content, std::size_t max_size, RandomSource& random);
// The content as its handler made it. Errors: kCorrupt  not what AddSalt makes
Result<std::string> WithoutSalt(std::string_view content);

}  // namespace comity::identity
