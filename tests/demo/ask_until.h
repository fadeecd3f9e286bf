// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "crypto/base/result.h"

namespace comity::demo {

// Asks until `is_there` says so, at most for `patience`.
template <typename Asking, typename Check>
Result<nlohmann::json> AskUntil(std::chrono::seconds patience, Asking ask, Check is_there) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    COMITY_ASSIGN_OR_RETURN(auto answer, ask());
    if (is_there(answer)) return answer;
    if (std::chrono::steady_clock::now() > end) {
      return Fail(ErrorCode::kUnavailable, "not in time: " + answer.dump());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace comity::demo
