// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "services/runtime/guarded.h"
#include "services/store/sql/connection.h"
#include "services/store/store.h"

namespace comity::store {

// Connections to read with, opened when needed or all at once, and kept; each serves one thread at
// a time. One that was lost is thrown away.
//
// Threads: thread-safe. A read that is made inside another read can wait for ever.
class ReadPool {
 public:
  using Open = std::function<Result<std::unique_ptr<Connection>>()>;

  // In: open  makes a connection; called by the threads that read
  //     most  how many there are at a time; who finds none waits
  ReadPool(Open open, std::size_t most) : open_(std::move(open)), most_(most) {}

  // Opens all there may be, so that their number does not rise with the load. Before the first Run.
  // Errors: those of `open`
  Status OpenAll();
  // Runs `work` on a snapshot of the database.
  Status Run(const std::function<Status(const Transaction&)>& work);

 private:
  struct State {
    std::vector<std::unique_ptr<Connection>> idle;
    std::size_t open = 0;  // idle ones and those in use
  };
  class Lease;

  const Open open_;
  const std::size_t most_;
  runtime::Watched<State> state_;
};

}  // namespace comity::store
