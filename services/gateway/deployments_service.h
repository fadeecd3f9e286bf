// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/deployments.grpc.pb.h"
#include "services/gateway/callers.h"
#include "services/gateway/recognition_service.h"
#include "services/matching/deployments.h"

namespace comity::gateway {

// comity.v1.Deployments at the agency port. Threads: thread-safe.
class DeploymentsService final : public v1::Deployments::Service {
 public:
  struct Ports {
    policy::AgencyId self;
    AgencyCallers& callers;
    matching::Deployments& deployments;
    const matching::RequesterPorts& search;
    const RecognitionService& recognition;
    RandomSource& random;
  };
  // All references must outlive the object.
  explicit DeploymentsService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Create(grpc::ServerContext* context, const v1::CreateDeploymentRequest* request,
                      v1::CreateDeploymentResponse* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListDeploymentsRequest* request,
                    v1::ListDeploymentsResponse* response) override;
  grpc::Status Stop(grpc::ServerContext* context, const v1::StopDeploymentRequest* request,
                    v1::StopDeploymentResponse* response) override;

 private:
  policy::Decision Outlook(const matching::DeploymentStatus& deployment,
                           const policy::AgencyId& holder, const std::string& person) const;
  Ports ports_;
};

}  // namespace comity::gateway
