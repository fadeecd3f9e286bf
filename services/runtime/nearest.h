// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace comity::runtime {

// Levenshtein distance: insertions, deletions and replacements from one text to the other. Costs
// the product of the lengths.
std::size_t EditDistance(std::string_view from, std::string_view to);

// Which of the words that there are is most like `word`, for "did you mean". The first of several.
//
// In: word   untrusted; the first 64 octets count
//     known  not empty
const std::string& Nearest(std::string_view word, std::span<const std::string> known);

}  // namespace comity::runtime
