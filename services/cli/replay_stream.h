// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "comity/v1/recognition.grpc.pb.h"
#include "crypto/base/result.h"
#include "policy/model/instant.h"
#include "services/cli/own_gateway.h"
#include "services/cli/replay_schedule.h"
#include "services/cli/replay_tally.h"
#include "services/cli/template_rows.h"

namespace comity::cli {

// What is under way in all streams together.
//
// Threads: thread-safe.
class ReplayLoad {
 public:
  // In: holders  each of which answers each face
  explicit ReplayLoad(std::uint64_t holders) : holders_(holders) {}
  void Sent();
  void Answered() { ++answers_; }
  std::uint64_t answers() const { return answers_; }
  // Answers that were awaited at one time, at most.
  std::uint64_t most_awaited() const { return most_awaited_; }

 private:
  const std::uint64_t holders_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> most_awaited_{0};
};

// What all cameras of a replay share. References must outlive the streams.
struct ReplayScene {
  const ReplaySchedule& schedule;
  const TemplateRows& rows;
  ReplayClock& clock;
  ReplayLoad& load;
  policy::Instant started_at;  // when the clock was at zero
  std::string run;             // begins every capture_ref and track: no two replays share any
};

// One camera: a Watch stream of its own.
//
// Threads: Send() and Read() in a thread each; Cancel() anywhere.
class ReplayStream {
 public:
  // Errors: as Recognition.Watch; kUnavailable also when it does not open within ten seconds
  static Result<std::unique_ptr<ReplayStream>> Open(const OwnGateway& gateway,
                                                    const std::string& deployment);

  const v1::WatchOpened& opened() const { return opened_; }
  // Every face of `camera`, each at its time, and then no more.
  CameraRun Send(const ReplayScene& scene, std::uint64_t camera);
  // Answers until the stream ends.
  void Read(const ReplayScene& scene, std::uint64_t camera);
  // Once Send() and Read() have returned. Errors: what the stream ended with
  Status Finish();
  const ReplayTally& tally() const { return tally_; }  // the same
  void Cancel() { context_.TryCancel(); }

 private:
  explicit ReplayStream(const OwnGateway& gateway) : gateway_(gateway) {}
  bool Write(const ReplayScene& scene, std::uint64_t face, std::uint64_t turn);

  const OwnGateway& gateway_;  // outlives it
  std::unique_ptr<v1::Recognition::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::WatchRequest, v1::WatchResponse>> stream_;
  v1::WatchOpened opened_;
  ReplayTally tally_;
};

}  // namespace comity::cli
