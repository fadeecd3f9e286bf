// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "policy/model/decision.h"

namespace comity::policy {

// The first field of the request that is absent, unknown or out of range; nothing if it is well
// formed. `agreement` may be absent: that is a reason of its own.
std::optional<std::string_view> FindMalformedField(const SearchRequest& request);

}  // namespace comity::policy
