// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crypto/base/result.h"

namespace comity::demo {

// Runs the `comity` binary as a person at a terminal would.
class Cli {
 public:
  Cli(std::filesystem::path binary, std::filesystem::path profile)
      : binary_(std::move(binary)), profile_(std::move(profile)) {}

  // Errors: kInternal  it ended with another code than 0; the detail holds what it said
  Status Run(std::vector<std::string> arguments) const;
  // With --json; exit codes 0 and 1 (an answer that is "no") both give the answer.
  Result<nlohmann::json> Ask(std::vector<std::string> arguments) const;

 private:
  std::filesystem::path binary_;
  std::filesystem::path profile_;  // empty: commands that need no gateway
};

}  // namespace comity::demo
