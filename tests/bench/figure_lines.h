// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

namespace comity::bench {

// One row of what a benchmark prints.
struct FigureLine {
  std::string name;
  double value = 0;
  std::string unit;
};

// A table for people, or one JSON array of {"name", "value", "unit"}; to standard output.
inline void PrintFigures(const std::vector<FigureLine>& lines, bool json) {
  if (!json) {
    constexpr double kFourDigits = 1000;
    for (const FigureLine& line : lines) {
      const std::string value =
          fmt::format(fmt::runtime(line.value < kFourDigits ? "{:.4g}" : "{:.0f}"), line.value);
      fmt::print("{:<60} {:>12} {}\n", line.name, value, line.unit);
    }
    return;
  }
  fmt::print("[");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    fmt::print("{}{{\"name\":\"{}\",\"value\":{:.6g},\"unit\":\"{}\"}}", i == 0 ? "" : ",\n ",
               lines[i].name, lines[i].value, lines[i].unit);
  }
  fmt::print("]\n");
}

}  // namespace comity::bench
