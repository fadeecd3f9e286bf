// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "services/gateway/wire/repeats.h"
#include "services/runtime/clock.h"

namespace comity::gateway {

// Warnings of the program log that somebody outside can cause as often as they like. The first of a
// subject, method and error code is written at once, its repeats as a count (repeats.h). Whoever
// owns it calls WriteRepeats() every now and then.
//
// Threads: thread-safe, as far as `write` is.
class WarningFold {
 public:
  struct Warning {
    std::string subject;  // a partner or nobody known: not a name that the caller makes up
    std::string method;   // what was called: likewise
    std::string correlation;
    Error error;
  };
  using Write = std::function<void(const Warning& last, std::int64_t attempts)>;

  // In: clock  must outlive the object
  WarningFold(const runtime::Clock& clock, Write write) : clock_(clock), write_(std::move(write)) {}

  void Add(const Warning& warning) {
    const std::string key =
        warning.subject + "\n" + warning.method + "\n" + std::string(Name(warning.error.code));
    for (const auto& due : repeats_.Add(key, warning, clock_.Now())) write_(due.last, due.times);
  }
  void WriteRepeats() {
    for (const auto& due : repeats_.TakeDue(clock_.Now())) write_(due.last, due.times);
  }

 private:
  const runtime::Clock& clock_;
  const Write write_;
  Repeats<Warning> repeats_;
};

}  // namespace comity::gateway
