// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "comity/v1/recognition.grpc.pb.h"
#include "services/gateway/federation/link_choice.h"
#include "services/matching/deployments.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// One open Recognition.Watch: reads the engine's faces, checks them, and gives each to every
// holder's link; the links answer the engine. Waits for room only while no holder at all has any.
//
// Threads: Run() by the handler's thread; a thread of its own keeps the time; answers are written
// by the links' threads, one at a time.
class WatchStream {
 public:
  using Stream = grpc::ServerReaderWriter<v1::WatchResponse, v1::WatchRequest>;
  struct Events {
    std::function<void()> on_face;
    std::function<void(const std::string&)> on_alert;  // a new one of this holder, no merged frame
    std::function<bool()> is_stopped;                  // asked before each answer: true swallows it
    std::function<bool()> may_continue;  // asked for each face and twice a second: false ends it
  };

  // References must outlive the object.
  WatchStream(Stream& stream, grpc::ServerContext& context, const runtime::Clock& clock,
              matching::DeploymentStatus deployment, Events events)
      : stream_(stream),
        context_(context),
        clock_(clock),
        deployment_(std::move(deployment)),
        events_(std::move(events)) {}

  // Adds a holder to ask. Before Run().
  void AddHolder(const LinkPorts& ports, matching::RequesterTerms terms);
  // Errors: kInvalidArgument  the engine broke a bound; the message names the field
  Status Run(const std::string& exchange);

 private:
  Status OnProbe(v1::WatchProbe& probe);
  void AwaitRoom();
  void Finish(std::chrono::seconds patience);
  void Write(v1::WatchResponse response);
  void Deliver(v1::WatchAnswer answer);
  void KeepTime(const std::stop_token& stop);
  void AnswerLate(const v1::WatchProbe& probe);

  Stream& stream_;
  grpc::ServerContext& context_;
  const runtime::Clock& clock_;
  matching::DeploymentStatus deployment_;
  Events events_;
  std::vector<std::unique_ptr<SearchLink>> links_;
  runtime::Guarded<bool> writing_;           // gRPC allows one write at a time
  runtime::Watched<std::uint64_t> answers_;  // given so far: each makes room
  std::uint64_t last_sequence_ = 0;
  bool any_probe_ = false;
};

}  // namespace comity::gateway
