// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

// Role names in one column, with ',' between; no name has one.
namespace comity::store {

inline std::string JoinRoles(const std::vector<std::string>& roles) {
  std::string joined;
  for (const std::string& role : roles) joined += (joined.empty() ? "" : ",") + role;
  return joined;
}

inline std::vector<std::string> SplitRoles(std::string_view joined) {
  std::vector<std::string> roles;
  while (!joined.empty()) {
    const std::size_t end = joined.find(',');
    roles.emplace_back(joined.substr(0, end));
    joined = end == std::string_view::npos ? std::string_view() : joined.substr(end + 1);
  }
  return roles;
}

}  // namespace comity::store
