// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "policy/decide/bounds.h"

namespace comity::policy {

// What a bound says to a request, in words, whether it is kept or not. The request is well formed.
std::string WordsOf(const SearchPermission& permission, const Purpose* purpose,
                    const SearchRequest& request, Bound bound);

}  // namespace comity::policy
