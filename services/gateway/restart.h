// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>
#include <utility>

#include "services/runtime/guarded.h"

namespace comity::gateway {

// The wish that the gateway ends and starts anew, with why. Threads: thread-safe.
class Restart {
 public:
  void Ask(std::string why) {
    why_.With([&](std::string& reason) { reason = std::move(why); });
  }
  // Waits until it is asked for and returns why; or until `stop`: empty.
  std::string Await(const std::stop_token& stop) {
    std::string why;
    why_.WaitThen(
        stop, [](const std::string& reason) { return !reason.empty(); },
        [&](const std::string& reason) { why = reason; });
    return why;
  }

 private:
  runtime::Watched<std::string> why_;
};

}  // namespace comity::gateway
