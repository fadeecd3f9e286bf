// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::store {

// Where a database is and how it is reached: the operator's URL with what Comity always adds.
// Nothing comes from the environment: a PG... variable that would change something is refused.
class PostgresUrl {
 public:
  // In:     password_file  may be empty
  // Errors: kInvalidArgument   the URL or the environment; says what to write
  //         kPermissionDenied  others may read the passfile
  static Result<PostgresUrl> Parse(std::string_view url, std::filesystem::path password_file);

  // libpq's keywords and values for one connection; reads the password file.
  // In:     name  what the server's list of sessions shows
  // Secret: the text holds the password
  // Errors: of runtime::ReadSecretFile; kInvalidArgument  the file is not one line
  Result<std::string> ConnectionString(std::string_view name) const;

  const std::string& role() const { return settings_.at("user"); }

 private:
  PostgresUrl(std::map<std::string, std::string> settings, std::filesystem::path password_file)
      : settings_(std::move(settings)), password_file_(std::move(password_file)) {}

  std::map<std::string, std::string> settings_;
  std::filesystem::path password_file_;
};

}  // namespace comity::store
