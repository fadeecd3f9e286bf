// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity {

// Canonical JSON: RFC 8785 restricted to objects, arrays, strings, booleans and integers of
// magnitude below 2^53; no null, no fraction. Object names are printable ASCII, so that ordering by
// octets and by UTF-16 units agree. What is signed or hashed is always these bytes.

// Encodes a value built by this program. Ends the process if the value is outside the subset.
std::string EncodeCanonicalJson(const nlohmann::json& value);
// The same for a value that holds text from outside, of which nothing was checked.
// Errors: kInvalidArgument  the value is outside the subset, or a string is not UTF-8
Result<std::string> TryEncodeCanonicalJson(const nlohmann::json& value);

// Reads untrusted bytes that must be in canonical form already.
//
// In:     text      at most `max_size` octets; nesting at most 16
// Errors: kInvalidArgument  too large, not JSON, outside the subset, a duplicate name, or a
//                           spelling that differs from the canonical one in any octet
// Source: RFC 8785
Result<nlohmann::json> ParseCanonicalJson(std::string_view text, std::size_t max_size);

}  // namespace comity
