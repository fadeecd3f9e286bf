// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crypto/base/check.h"
#include "services/runtime/file.h"
#include "tests/support/process.h"

namespace comity::testing {

// Runs the built program, as a person or a script does.
inline CommandOutput Comity(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), COMITY_PROGRAM);
  auto output = RunCommand(arguments);
  COMITY_CHECK(output.has_value());
  return *output;
}

inline nlohmann::json ComityJson(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  return nlohmann::json::parse(Comity(std::move(arguments)).out);
}

inline std::string ReadWhole(const std::filesystem::path& path) {
  const auto text = runtime::ReadTextFile(path, std::size_t{16} << 20);
  COMITY_CHECK(text.has_value());
  return *text;
}

inline void WriteWhole(const std::filesystem::path& path, std::string_view text,
                       mode_t mode = 0644) {
  std::filesystem::create_directories(path.parent_path());
  COMITY_CHECK(runtime::WriteFile(path, AsBytes(text), mode).has_value());
}

// Exchanges the first `from` of a file, which must be there, for `to`.
inline void Replace(const std::filesystem::path& path, const std::string& from,
                    const std::string& to, mode_t mode = 0644) {
  std::string text = ReadWhole(path);
  const std::size_t at = text.find(from);
  COMITY_CHECK(at != std::string::npos);
  WriteWhole(path, text.replace(at, from.size(), to), mode);
}

}  // namespace comity::testing
