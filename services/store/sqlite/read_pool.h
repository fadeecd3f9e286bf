// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "services/runtime/guarded.h"
#include "services/store/sqlite/connection.h"
#include "services/store/store.h"

namespace comity::store {

// Read-only connections, opened when needed and kept; each serves one thread at a time.
//
// Threads: thread-safe. A read that is made inside another read can wait for ever.
class ReadPool {
 public:
  explicit ReadPool(std::filesystem::path file) : file_(std::move(file)) {}

  // Runs `work` on a snapshot of the database.
  Status Run(const std::function<Status(const Transaction&)>& work);

 private:
  struct State {
    std::vector<std::unique_ptr<Connection>> idle;
    std::size_t open = 0;  // idle ones and those in use
  };

  Result<std::unique_ptr<Connection>> Take();
  void GiveBack(std::unique_ptr<Connection> connection);

  const std::filesystem::path file_;
  runtime::Watched<State> state_;
};

}  // namespace comity::store
