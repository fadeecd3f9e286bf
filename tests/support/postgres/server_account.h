// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace comity::testing {

// PostgreSQL refuses to be run by root: what a test run by root starts is the user postgres.

// Debian's programs of PostgreSQL 15, with a slash at the end.
constexpr const char* kPostgresPrograms = "/usr/lib/postgresql/15/bin/";

// `command` as that user, in a folder that it may enter; it gets `death_signal` when the thread
// that starts it ends.
std::vector<std::string> AsServer(const std::vector<std::string>& command,
                                  const std::string& death_signal);

// Errors: kUnavailable  there is no such user
Status GiveToServer(const std::filesystem::path& path);

// A file with mode 0600 of that user. Errors: kUnavailable
Status WriteForServer(const std::filesystem::path& path, std::string_view content);

// For all roles of one server of a test.
std::string NewPassword();

// Runs statements; returns the first value of the last one's result, or nothing. Throws pqxx
// exceptions.
std::string AskServer(const std::string& url, const std::string& sql);

// All of a file; empty if there is none.
std::string ReadText(const std::filesystem::path& path);

}  // namespace comity::testing
