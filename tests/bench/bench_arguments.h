// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace comity::bench {

// The command line of a benchmark: --json, options with a number each, and numbers by position.
struct BenchArguments {
  bool json = false;
  std::map<std::string, double> options;
  std::vector<std::size_t> positions;

  double Option(const std::string& name, double otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  }
  std::size_t Position(std::size_t index, std::size_t otherwise) const {
    return index < positions.size() ? positions[index] : otherwise;
  }
};

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// In: known  names of the options, with their dashes;  most  positions. Nothing: something else.
inline std::optional<BenchArguments> ParseArguments(int argc, char** argv,
                                                    const std::vector<std::string>& known,
                                                    std::size_t most) {
  BenchArguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    if (text == "--json") {
      arguments.json = true;
      continue;
    }
    if (text.starts_with("--")) {
      const bool is_known = std::find(known.begin(), known.end(), text) != known.end();
      const auto number =
          is_known && i + 1 < argc ? ParseNumber<double>(argv[++i]) : std::optional<double>();
      if (!number || !(*number >= 0)) return std::nullopt;
      arguments.options[text] = *number;
      continue;
    }
    const auto number = ParseNumber<std::size_t>(text);
    if (!number || *number == 0 || arguments.positions.size() == most) return std::nullopt;
    arguments.positions.push_back(*number);
  }
  return arguments;
}

}  // namespace comity::bench
