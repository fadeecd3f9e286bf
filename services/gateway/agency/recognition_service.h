// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "comity/v1/recognition.grpc.pb.h"
#include "services/agreements/register.h"
#include "services/gateway/agency/deployment_keeper.h"
#include "services/gateway/agency/offers_reader.h"
#include "services/gateway/federation/link_ports.h"
#include "services/gateway/wire/callers.h"
#include "services/gateway/wire/places.h"
#include "services/matching/deployments.h"

namespace comity::gateway {

// What streamed through all deployments.
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
    DeploymentKeeper& keeper;
    LinkPorts link;
    std::uint32_t max_streams;
  };
  // All references must outlive the object.
  explicit RecognitionService(Ports ports)
      : ports_(std::move(ports)),
        streams_(ports_.max_streams),
        offers_({ports_.self, ports_.link.peers, ports_.link.search.journal,
                 ports_.link.search.clock}) {}

  grpc::Status Watch(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::WatchResponse, v1::WatchRequest>* stream) override;

  grpc::Status Identify(grpc::ServerContext* context, const v1::IdentifyRequest* request,
                        v1::IdentifyResponse* response) override;
  grpc::Status Offers(grpc::ServerContext* context, const v1::OffersRequest* request,
                      v1::OffersResponse* response) override;

  // Since the gateway started.
  StreamCounts counts() const { return {faces_, alerts_}; }

 private:
  using Stream = grpc::ServerReaderWriter<v1::WatchResponse, v1::WatchRequest>;

  Result<matching::DeploymentStatus> FindDeployment(const std::string& id,
                                                    const std::string& engine) const;
  Status Serve(grpc::ServerContext& context, Stream& stream, const std::string& engine);

  Ports ports_;
  static constexpr std::uint32_t kMaxSearches = 16;  // each takes up to 64 threads for seconds

  Places streams_;
  Places searches_{kMaxSearches};
  OffersReader offers_;
  std::atomic<std::uint64_t> faces_ = 0;
  std::atomic<std::uint64_t> alerts_ = 0;
};

}  // namespace comity::gateway
