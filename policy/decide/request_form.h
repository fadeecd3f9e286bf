// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "policy/model/decision.h"

namespace comity::policy {

// The first field of the request that is absent, unknown or out of range; nothing if it is well
// formed. `agreement` and `offence_class` may be absent: those are reasons of their own.
std::optional<std::string_view> FindMalformedField(const SearchRequest& request);

}  // namespace comity::policy
