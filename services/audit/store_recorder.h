// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::audit {

// How long the agreement of an event lets its payload be kept; absent: it is under none, or none
// that is known. Must not block, nor call the store.
using PayloadRetention = std::function<std::optional<std::chrono::seconds>(const Event& event)>;

// Makes an event into an entry and its sealed payload and appends both in one unit of work.
//
// Threads: thread-compatible; lives as long as the unit of work.
class StoreRecorder final : public Recorder {
 public:
  struct Sources {
    const SecretBytes& kek;
    const runtime::Clock& clock;  // for events without a time of their own
    RandomSource& random;
    PayloadRetention retention{};  // may be empty: every payload is kept as long as the law lets
  };
  StoreRecorder(store::AuditStore& log, const Sources& sources) : log_(log), sources_(sources) {}

  Result<std::uint64_t> Record(const Event& event) override;

  // The first failure of Record, so that work which overlooks it does not commit without its entry.
  Status status() const { return status_; }
  // Entries of the log after the last Record; absent if nothing was recorded.
  std::optional<std::uint64_t> log_size() const { return log_size_; }

 private:
  Result<std::uint64_t> Append(const Event& event);

  store::AuditStore& log_;
  Sources sources_;
  Status status_;
  std::optional<std::uint64_t> log_size_;
};

}  // namespace comity::audit
