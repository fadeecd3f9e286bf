// SPDX-License-Identifier: Apache-2.0
#include "services/transport/call_gate.h"

#include <algorithm>

#include "services/transport/call_connections.h"

namespace comity::transport {

grpc::Status CallGate::Process(const InputMetadata&, grpc::AuthContext* context, OutputMetadata*,
                               OutputMetadata*) {
  const std::string caller = context == nullptr ? std::string() : CallerName(*context);
  const Verdict verdict = Judge(caller, Clock::now());
  if (verdict == Verdict::kTaken) return grpc::Status::OK;
  on_refusal_(caller, verdict);
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls; try again later"};
}

CallGate::Verdict CallGate::Judge(const std::string& caller, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(caller);
  if (found == buckets_.end()) {
    if (buckets_.size() >= limits::kMaxKnownAddresses) ForgetIdle(now);
    found = buckets_.emplace(caller, Bucket{bounds_.burst, now, {}}).first;
  }
  Bucket& bucket = found->second;
  const std::chrono::duration<double> passed = now - bucket.at;
  bucket.tokens = std::min(bounds_.burst, bucket.tokens + passed.count() * bounds_.per_second);
  bucket.at = now;
  bucket.tokens = std::max(bucket.tokens - 1, -bounds_.unheeded);
  if (bucket.tokens >= 0) return Verdict::kTaken;
  if (bucket.tokens > -bounds_.unheeded || now - bucket.said < kPause) return Verdict::kRefused;
  bucket.said = now;
  return Verdict::kFlood;
}

void CallGate::ForgetIdle(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& each) {
    const std::chrono::duration<double> passed = now - each.second.at;
    return each.second.tokens + passed.count() * bounds_.per_second >= bounds_.burst;
  });
}

}  // namespace comity::transport
