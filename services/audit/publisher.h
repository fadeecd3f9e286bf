// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "crypto/tlog/tile.h"
#include "services/audit/checkpoint.h"
#include "services/audit/log_edge.h"
#include "services/audit/tile_files.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::audit {

// Brings durable entries into tiles under a signed checkpoint, behind the acknowledgement.
//
// The order makes a crash harmless at every point: tiles, then the checkpoint in the store (the one
// act that binds the log: what it says is never signed otherwise), then the file `checkpoint`.
//
// Threads: thread-safe, except Start, which is called once. The destructor joins the thread.
class Publisher {
 public:
  struct Options {
    store::Store& store;
    const sign::SigningKey& log_key;
    std::string origin;
    TileFiles files;
    runtime::Logger& logger;
  };
  // In: edge    of the size that `last` signed, or empty
  //     last    the checkpoint saved last, if any
  Publisher(Options options, LogEdge edge, std::optional<Checkpoint> last);

  // Publishes all that is in the store, then starts the thread.
  Status Start();

  void Wake(std::uint64_t log_size);
  Result<Checkpoint> WaitFor(std::uint64_t log_size, std::chrono::milliseconds timeout);
  Checkpoint Latest() const;
  LogHealth Health() const;
  bool stopped() const { return stopped_; }

 private:
  struct State {
    std::uint64_t wanted = 0;  // entries known to be durable
    std::uint64_t urgent = 0;  // entries that somebody waits for
    Checkpoint published;
    LogHealth health;
  };

  void Run(const std::stop_token& stop);
  Status Publish();
  Status Integrate();
  Status Save(const Checkpoint& checkpoint);
  void Report(const Status& outcome);
  void Announce();

  Options options_;
  LogEdge edge_;
  std::optional<Checkpoint> saved_;        // in the store
  std::vector<tlog::TilePath> completed_;  // full tiles whose partial forms may go
  bool file_is_current_ = false;           // the file `checkpoint` holds saved_
  std::atomic<bool> stopped_ = false;
  runtime::Watched<State> state_;
  std::jthread thread_;  // last: joined before what it uses goes
};

}  // namespace comity::audit
