// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::watchlists {

// Reads one line as a JSON object of texts, booleans, whole numbers and objects, nested at most
// three deep.
//
// In:     line  untrusted, without its line end; the caller has checked its length
// Errors: kInvalidArgument  not such an object, a duplicate name, null, a list, a fraction, a byte
//                           order mark, invalid UTF-8; the detail names the place but never repeats
//                           values, which are personal data
Result<nlohmann::json> ParseJsonLine(std::string_view line);

}  // namespace comity::watchlists
