// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace comity {

// True for well-formed UTF-8: shortest form, no surrogates, at most U+10FFFF.
// Source: Unicode 15, table 3-7
bool IsUtf8(std::string_view text);

// True if well-formed `text` holds a character beyond ASCII that Unicode counts as white space.
bool HasUnicodeSpace(std::string_view text);

}  // namespace comity
