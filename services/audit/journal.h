// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/store/store.h"

namespace comity::audit {

// One act, before it becomes a log entry. The entry holds what is here in the clear and, for each
// field of `committed`, a commitment only; the values of `committed` go into the encrypted payload.
struct Event {
  std::string_view type;   // a constant of services/audit/events.h
  policy::Instant time{};  // at the epoch: the time of the clock when it is recorded
  std::string exchange{};  // exchange id; empty for acts inside the agency
  std::vector<policy::AgencyId> parties{};  // own agency first
  std::optional<policy::AgreementRef> agreement{};
  std::string decision_code{};  // Name(ReasonCode), an act's outcome, or empty
  std::vector<std::string> clauses{};
  std::map<std::string, std::string> committed{};  // field name -> canonical octets
  // Digests of signed messages that both sides hold (each message carries a random salt, so that
  // its digest reveals nothing): the cross-commitments that reconciliation compares.
  std::map<std::string, Digest> messages{};
  std::map<std::string, std::int64_t> counts{};  // faces, hits, refusals ... never about one person
};

// Appends events to the log inside a unit of work.
class Recorder {
 public:
  virtual ~Recorder() = default;
  // Errors: kInternal  the entry would exceed 8 KiB; else those of the store
  virtual Result<std::uint64_t> Record(const Event& event) = 0;
};

// The one way to write: an effect and its audit entries commit together, and Commit returns when
// both are durable. If the log cannot be written, nothing is.
//
// Threads: thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;
  using Work = std::function<Status(store::Transaction&, Recorder&)>;
  virtual Status Commit(const Work& work) = 0;
  Status Record(const Event& event) {
    return Commit([&](store::Transaction&, Recorder& recorder) -> Status {
      COMITY_RETURN_IF_ERROR(recorder.Record(event));
      return {};
    });
  }
};

}  // namespace comity::audit
