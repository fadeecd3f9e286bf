// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace comity::demo {

// One line of the story, at once.
inline void Tell(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}
inline void Chapter(const std::string& title) {
  Tell("\n" + title);
}

}  // namespace comity::demo
