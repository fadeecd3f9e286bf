// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "comity/v1/node.grpc.pb.h"
#include "services/audit/log.h"
#include "services/gateway/agency/configuration_act.h"
#include "services/gateway/agency/node_health.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"

namespace comity::gateway {

// comity.v1.Node at the agency port. Threads: thread-safe.
class NodeService final : public v1::Node::Service {
 public:
  struct Ports {
    policy::AgencyId self;
    AgencyCallers& callers;
    const audit::Log& log;
    const PeerLinks& peers;
    const runtime::Clock& clock;
    runtime::Instant started_at;
    identity::Approvals& approvals;
    const ConfigurationAct& configuration;
    std::filesystem::path certificate;   // PEM of the gateway's own identity
    std::optional<NodeHealth> health{};  // absent: of a restored node there is nothing to tell
  };
  // All references must outlive the object.
  explicit NodeService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Status(grpc::ServerContext* context, const v1::NodeStatusRequest* request,
                      v1::NodeStatusResponse* response) override;
  grpc::Status AcknowledgeConfiguration(grpc::ServerContext* context,
                                        const v1::AcknowledgeConfigurationRequest* request,
                                        v1::PendingAct* response) override;

 private:
  Ports ports_;
};

}  // namespace comity::gateway
