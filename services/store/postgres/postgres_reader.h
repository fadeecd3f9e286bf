// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "crypto/base/result.h"
#include "services/store/postgres/postgres_connection.h"
#include "services/store/postgres/postgres_url.h"

namespace comity::store {

// A connection that only reads.
//
// Threads: thread-compatible.
class PostgresReader final : public PostgresConnection {
 public:
  // In: line  counts the lines that the writer had; a connection of an earlier one is broken: the
  //           server it leads to may not be the primary any more
  static Result<std::unique_ptr<PostgresReader>> Open(const PostgresUrl& url, LineWatch& watch,
                                                      std::chrono::milliseconds limit,
                                                      const std::atomic<std::uint64_t>& line);

  void Begin() override;   // throws: it does not write
  void Commit() override;  // likewise
  void BeginRead() override;
  bool IsBroken() const override;

 private:
  PostgresReader(std::unique_ptr<Session> session, const std::atomic<std::uint64_t>& line);

  const std::atomic<std::uint64_t>& line_;
  const std::uint64_t own_line_;
};

}  // namespace comity::store
