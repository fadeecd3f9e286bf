// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "crypto/base/result.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// How often each peer may call: a token bucket for each name. Every call costs a signature check, a
// durable exchange id and often a log entry, and a peer with valid keys could ask for them without
// end.
//
// Threads: thread-safe.
class CallRate {
 public:
  // In: per_second  > 0; burst  >= 1: what may come at once after a quiet time
  CallRate(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  // Errors: kExhausted  too many calls of `name`
  Status Take(const std::string& name) {
    const auto now = std::chrono::steady_clock::now();
    const bool taken = buckets_.With([&](auto& buckets) {
      Bucket& bucket = buckets.try_emplace(name, Bucket{burst_, now}).first->second;
      const std::chrono::duration<double> passed = now - bucket.at;
      bucket.tokens = std::min(burst_, bucket.tokens + passed.count() * per_second_);
      bucket.at = now;
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    });
    if (taken) return {};
    return Fail(ErrorCode::kExhausted, "too many calls of " + name + "; try again later");
  }

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::steady_clock::time_point at{};
  };
  const double per_second_;
  const double burst_;
  runtime::Guarded<std::map<std::string, Bucket>> buckets_;  // names are pinned peers: few
};

}  // namespace comity::gateway
