// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace comity::runtime {

// Appends `text` as the inside of a JSON string: quotes, backslashes and control characters are
// escaped, ill-formed UTF-8 becomes U+FFFD. Text above `max_bytes` is cut at a character and ends
// with an ellipsis (U+2026).
void AppendJsonText(std::string& line, std::string_view text, std::size_t max_bytes);

}  // namespace comity::runtime
