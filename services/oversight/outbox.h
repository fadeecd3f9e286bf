// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/store/store.h"

namespace comity::oversight {

// Where messages to partners are put, within the unit of work that causes them; a courier for each
// partner waits here.
//
// Threads: thread-safe.
class Outbox {
 public:
  struct Setup {
    policy::AgencyId own;
    const runtime::Clock& clock;
    RandomSource& random;
  };
  explicit Outbox(Setup setup) : setup_(std::move(setup)) {}

  struct Message {
    policy::AgencyId peer;
    std::string_view kind;  // of message_kind
    std::string content;    // canonical JSON in the form of its kind, <= 64 KiB
    std::optional<policy::Instant> due_by{};
  };
  // Stores and records it; returns its number. Nobody need be told: the courier of the peer looks
  // at once, and again until the commit must be over.
  // Errors: kInvalidArgument  the content is larger than 64 KiB; those of store and log
  Result<std::uint64_t> Add(store::Transaction& transaction, audit::Recorder& recorder,
                            const Message& message);

  // How many messages were put for `peer` since the start, some perhaps not committed.
  std::uint64_t PutFor(const policy::AgencyId& peer) const;
  // Waits until there were more than `seen`, or `patience` is over, or `stop`.
  void AwaitMore(const policy::AgencyId& peer, std::uint64_t seen,
                 std::chrono::milliseconds patience, const std::stop_token& stop);

 private:
  Setup setup_;
  runtime::Watched<std::map<policy::AgencyId, std::uint64_t>> put_;
};

}  // namespace comity::oversight
