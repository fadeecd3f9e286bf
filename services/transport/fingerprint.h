// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::transport {

// A fingerprint as people read it to each other: sixteen groups of four hexadecimal digits.
std::string EncodeFingerprint(const Digest& digest);
// What a person typed: 64 hexadecimal digits of either case, with spaces, ':' or '-' between.
// Errors: kInvalidArgument  anything else; also a shortened fingerprint
Result<Digest> ParseFingerprint(std::string_view text);

}  // namespace comity::transport
