// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comity/v1/recognition.grpc.pb.h"
#include "crypto/base/result.h"
#include "services/runtime/clock.h"

namespace comity::testing {

// Where an engine finds its gateway and what it shows there.
struct EngineSettings {
  std::string gateway;                  // host:port of the agency port
  std::string gateway_id;               // spiffe://.../gateway
  std::filesystem::path identity_file;  // PEM of /engine/<name>
  std::filesystem::path roots_file;
  std::string agency;
};

// A recognition engine as an integrator would write it: one Watch stream. Not thread-safe, but
// Send() and Receive() may run beside each other.
class EngineClient {
 public:
  // Errors: as the gateway's
  static Result<std::unique_ptr<EngineClient>> Open(const EngineSettings& settings,
                                                    const std::string& deployment,
                                                    const runtime::Clock& clock);

  const v1::WatchOpened& opened() const { return opened_; }
  struct Face {
    std::uint64_t sequence = 0;
    std::string capture_ref;
    std::string camera = "camera-1";
    std::span<const float> embedding;
    std::string track = {};  // empty: none
  };
  // False: the stream has ended.
  bool Send(const Face& face);
  // The next answer; kNotFound: the stream has ended (Finish() says why).
  Result<v1::WatchAnswer> Receive();
  void DoneSending() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }  // gives up at once; then Finish()
  Status Finish();

 private:
  explicit EngineClient(const runtime::Clock& clock) : clock_(clock) {}
  const runtime::Clock& clock_;
  std::unique_ptr<v1::Recognition::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::WatchRequest, v1::WatchResponse>> stream_;
  v1::WatchOpened opened_;
};

}  // namespace comity::testing
