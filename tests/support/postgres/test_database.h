// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/postgres_server.h"

namespace comity::testing {

// A fresh database with Comity's schema and roles, dropped at the end with whoever is connected.
//
// Threads: thread-compatible.
class TestDatabase {
 public:
  explicit TestDatabase(const PostgresServer& server = SharedPostgres());
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& name() const { return name_; }
  // Of the gateway's role, through the socket; short patience.
  store::PostgresOptions options() const;
  std::string Ask(const std::string& sql) const { return server_.Ask(name_, sql); }
  std::string Url(std::string_view role) const { return server_.Url(role, name_); }
  const PostgresServer& server() const { return server_; }

 private:
  const PostgresServer& server_;
  const std::string name_;
};

}  // namespace comity::testing
