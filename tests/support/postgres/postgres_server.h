// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {

// A PostgreSQL 15 server of its own, in a temporary directory, reached through a Unix socket and
// 127.0.0.1 with passwords (SCRAM). Its text sorts by the rules of English, not by octets, so that
// what relies on the order says so. It ends with the object, and with this process however that
// ends. Run by root, the server is the user postgres.
//
// Threads: thread-compatible. Made by the main thread: the server ends with the thread that made
// it.
class PostgresServer {
 public:
  struct Setup {
    bool durable = false;           // fsync, as in production; off it is many times as fast
    std::string certificate_pem{};  // for TLS; empty: none
    std::string key_pem{};
  };
  static Result<std::unique_ptr<PostgresServer>> Start(const Setup& setup);
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  std::uint16_t port() const { return port_; }
  const std::filesystem::path& sockets() const { return directory_.path(); }
  // With the password of all roles; mode 0600.
  std::filesystem::path passfile() const { return own_.path() / "pgpass"; }
  const std::string& password() const { return password_; }

  // Through the socket. In: more  "&sslmode=..." or empty
  std::string Url(std::string_view role, std::string_view database,
                  std::string_view more = {}) const;
  // Through TCP to a port of 127.0.0.1, this server's or that of a proxy before it.
  std::string UrlOfPort(std::string_view role, std::string_view database, std::uint16_t port) const;

  // Runs statements as the superuser; returns the first value of the last one's result, or nothing.
  // Throws pqxx exceptions, which fail a test.
  std::string Ask(const std::string& database, const std::string& sql) const;

  // kill -9 of the postmaster; its children follow.
  void Kill();
  // Starts it again after Kill or Stop, on the same data, port and socket. Errors: kUnavailable
  Status StartAgain();
  // What it has logged so far.
  std::string Log() const;

 private:
  PostgresServer(const Setup& setup, std::uint16_t port);
  Status MakeCluster(const Setup& setup);
  Status WaitUntilReady();
  Status MakeTemplate();

  struct EndGuard {
    void operator()(std::FILE* pipe) const { ::pclose(pipe); }
  };

  TemporaryDirectory directory_;  // the server's
  TemporaryDirectory own_;        // this process's
  const bool durable_;
  const bool with_tls_;
  const std::uint16_t port_;
  const std::string password_;
  // A shell that removes both directories when this process has ended, even if it was killed.
  const std::unique_ptr<std::FILE, EndGuard> guard_;
  std::optional<Process> process_;
};

// The server that the tests of this program share, started at the first call; not durable.
PostgresServer& SharedPostgres();

}  // namespace comity::testing
