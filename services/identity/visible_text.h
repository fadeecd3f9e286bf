// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/result.h"

namespace comity::identity {

// True for UTF-8 without control characters and without the invisible ones that let text look like
// other text (zero width, line separators, direction marks). `lines`: line feeds are allowed.
bool IsVisibleText(std::string_view text, bool lines = false);

// Errors: kInvalidArgument  `what` has not 1..`most` octets of visible text on one line
Status CheckVisibleText(std::string_view what, std::string_view text, std::size_t most);

}  // namespace comity::identity
