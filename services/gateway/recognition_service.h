// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "comity/v1/recognition.grpc.pb.h"
#include "services/agreements/register.h"
#include "services/gateway/callers.h"
#include "services/gateway/holder_link.h"
#include "services/gateway/places.h"
#include "services/matching/deployments.h"

namespace comity::gateway {

// What streamed through one deployment since the gateway started.
struct StreamCounts {
  std::uint64_t faces = 0;
  std::uint64_t alerts = 0;
};

// comity.v1.Recognition at the agency port. Threads: thread-safe.
class RecognitionService final : public v1::Recognition::Service {
 public:
  struct Ports {
    policy::AgencyId self;
    AgencyCallers& callers;
    matching::Deployments& deployments;
    HolderLink::Ports link;
    std::uint32_t max_streams;
  };
  // All references must outlive the object.
  explicit RecognitionService(Ports ports)
      : ports_(std::move(ports)), streams_(ports_.max_streams) {}

  grpc::Status Watch(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::WatchResponse, v1::WatchRequest>* stream) override;

  StreamCounts CountsOf(const policy::DeploymentId& deployment) const;

 private:
  using Stream = grpc::ServerReaderWriter<v1::WatchResponse, v1::WatchRequest>;

  Result<matching::DeploymentStatus> FindDeployment(const std::string& id,
                                                    const std::string& engine) const;
  Status Serve(grpc::ServerContext& context, Stream& stream, const std::string& engine);

  Ports ports_;
  Places streams_;
  mutable runtime::Guarded<std::map<policy::DeploymentId, StreamCounts>> counts_;
};

}  // namespace comity::gateway
