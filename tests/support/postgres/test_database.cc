// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres/test_database.h"

#include <atomic>
#include <cstdio>
#include <exception>

namespace comity::testing {
namespace {

std::string NextName() {
  static std::atomic<int> next{0};
  return "t" + std::to_string(++next);
}

}  // namespace

TestDatabase::TestDatabase(const PostgresServer& server) : server_(server), name_(NextName()) {
  server_.Ask("postgres", "CREATE DATABASE " + name_ + " TEMPLATE comity_template");
}

TestDatabase::~TestDatabase() {
  try {
    server_.Ask("postgres", "DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "%s was not dropped: %s\n", name_.c_str(), exception.what());
  }
}

store::PostgresOptions TestDatabase::options() const {
  store::PostgresOptions options;
  options.url = Url("comity_gateway");
  options.patience = std::chrono::seconds(10);
  options.accept_unsafe_server = true;
  return options;
}

}  // namespace comity::testing
