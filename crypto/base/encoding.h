// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity {

// Lower-case hexadecimal, two characters an octet.
std::string EncodeHex(ByteView bytes);
// Errors: kInvalidArgument  odd length or a character that is not 0-9a-f (upper case is refused:
//                           one value has one spelling).
Result<Bytes> ParseHex(std::string_view text);

// Standard base64 with padding, no line breaks (RFC 4648 section 4).
std::string EncodeBase64(ByteView bytes);
// Errors: kInvalidArgument  anything but the one canonical spelling: wrong padding, stray
//                           characters, white space, or unused bits that are not zero.
Result<Bytes> ParseBase64(std::string_view text);

// Exactly 32 octets from canonical base64 or lower-case hex.
// Errors: kInvalidArgument
Result<Digest> ParseBase64Digest(std::string_view text);
Result<Digest> ParseHexDigest(std::string_view text);

}  // namespace comity
