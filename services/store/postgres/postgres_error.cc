// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_error.h"

#include <algorithm>
#include <array>
#include <string>

namespace comity::store {

ErrorCode CodeOfSqlState(std::string_view state) {
  constexpr std::array<std::string_view, 6> kPassing = {"08", "40", "53", "55", "57", "58"};
  const std::string_view kind = state.substr(0, 2);
  if (state == "23505") return ErrorCode::kConflict;
  if (state == "25006" || std::ranges::find(kPassing, kind) != kPassing.end()) {
    return ErrorCode::kUnavailable;
  }
  if (state == "XX001" || state == "XX002") return ErrorCode::kCorrupt;
  if (state == "22021" || state == "22P05") return ErrorCode::kInvalidArgument;
  if (state == "42501") return ErrorCode::kPermissionDenied;
  return ErrorCode::kInternal;
}

DatabaseError ToDatabaseError(const pqxx::sql_error& error) {
  return {CodeOfSqlState(error.sqlstate()), OneLine(error.what())};
}

std::string OneLine(std::string_view words) {
  std::string line(words);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace comity::store
