// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "crypto/base/check.h"

namespace comity::runtime {
namespace {

constexpr std::size_t kMaxWord = 64;

}  // namespace

std::size_t EditDistance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

const std::string& Nearest(std::string_view word, std::span<const std::string> known) {
  COMITY_CHECK(!known.empty());
  word = word.substr(0, kMaxWord);
  return *std::min_element(known.begin(), known.end(), [&](const auto& left, const auto& right) {
    return EditDistance(word, left) < EditDistance(word, right);
  });
}

}  // namespace comity::runtime
