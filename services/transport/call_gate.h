// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/security/auth_metadata_processor.h>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "services/transport/limits.h"

namespace comity::transport {

// Refuses calls beyond a rate of their caller before gRPC gives them a thread, with
// RESOURCE_EXHAUSTED, and tells when a caller does not heed it. A call that its caller resets at
// once takes no place among the streams that a connection may have, but a thread until it is
// answered: a flood of them over one connection takes all threads of a server from everybody else,
// and the thread that reads other connections (CVE-2023-44487). gRPC 1.51 bounds neither; this is
// its only place for a judgement between a connection and a thread.
//
// A caller is a certificate's SPIFFE id; all its connections count together.
//
// Threads: thread-safe; called from those that read connections.
class CallGate final : public grpc::AuthMetadataProcessor {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Verdict {
    kTaken,
    kRefused,
    // Refused, and so many before it that connections from its addresses should end, those of
    // others at the same address with them; said every kPause.
    kFlood,
  };
  // In: on_refusal  each time, with kRefused or kFlood; must not block
  CallGate(const limits::CallBounds& bounds,
           std::function<void(const std::string& caller, Verdict)> on_refusal)
      : bounds_(bounds), on_refusal_(std::move(on_refusal)) {}

  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context,
                       OutputMetadata* consumed, OutputMetadata* response) override;

  // One more call of `caller`.
  Verdict Judge(const std::string& caller, Clock::time_point now);

 private:
  struct Bucket {
    double tokens = 0;  // negative: calls that were refused
    Clock::time_point at{};
    Clock::time_point said{};  // that it is a flood
  };
  static constexpr std::chrono::milliseconds kPause{250};
  void ForgetIdle(Clock::time_point now);

  const limits::CallBounds bounds_;
  const std::function<void(const std::string&, Verdict)> on_refusal_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace comity::transport
