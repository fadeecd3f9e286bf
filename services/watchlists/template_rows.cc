// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/template_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "crypto/base/check.h"

namespace comity::watchlists {

Status ReadRow(ByteView octets, std::span<float> out) {
  static_assert(std::endian::native == std::endian::little, "elements are copied as they lie");
  COMITY_CHECK(octets.size() == out.size_bytes());
  std::memcpy(out.data(), octets.data(), octets.size());
  double sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!std::isfinite(out[i])) {
      return Fail(ErrorCode::kInvalidArgument,
                  "element " + std::to_string(i) + " of the template is not a finite number");
    }
    sum += double{out[i]} * double{out[i]};
  }
  if (sum == 0) return Fail(ErrorCode::kInvalidArgument, "all elements of the template are zero");
  const double norm = std::sqrt(sum);
  if (std::abs(norm - 1) > kNormTolerance) {
    return Fail(ErrorCode::kInvalidArgument, "the template's L2 norm is " + std::to_string(norm) +
                                                 "; it must be within 0.001 of 1");
  }
  for (float& element : out) element = static_cast<float>(double{element} / norm);
  return {};
}

std::vector<std::pair<std::size_t, std::size_t>> EqualRows(const TemplateMatrix& templates) {
  const auto compare = [&](std::size_t left, std::size_t right) {
    const auto a = templates.Row(left);
    return std::memcmp(a.data(), templates.Row(right).data(), a.size_bytes());
  };
  // Sorting instead of hashing: the time does not depend on how the rows were chosen.
  std::vector<std::size_t> order(templates.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    const int difference = compare(left, right);
    return difference != 0 ? difference < 0 : left < right;
  });
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::size_t first = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (compare(order[first], order[i]) == 0) {
      pairs.emplace_back(order[first], order[i]);
    } else {
      first = i;
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const auto& left, const auto& right) { return left.second < right.second; });
  return pairs;
}

}  // namespace comity::watchlists
