// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/deployments.grpc.pb.h"
#include "services/gateway/agency/deployment_forecast.h"
#include "services/gateway/agency/offers_reader.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/matching/deployments.h"
#include "services/matching/list_validations.h"
#include "services/oversight/stops.h"

namespace comity::gateway {

// comity.v1.Deployments at the agency port. Threads: thread-safe.
class DeploymentsService final : public v1::Deployments::Service {
 public:
  struct Ports {
    policy::AgencyId self;
    AgencyCallers& callers;
    matching::Deployments& deployments;
    matching::ListValidations& validations;
    // What would be decided, whether lists are validated or not: they are when it starts.
    const matching::RequesterPorts& outlook;
    const OffersReader& offers;
    identity::Approvals& approvals;
    oversight::Stops& stops;
  };
  // All references must outlive the object.
  explicit DeploymentsService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Propose(grpc::ServerContext* context, const v1::ProposeDeploymentRequest* request,
                       v1::ProposeDeploymentResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context, const v1::GetDeploymentRequest* request,
                   v1::DeploymentSummary* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListDeploymentsRequest* request,
                    v1::ListDeploymentsResponse* response) override;
  grpc::Status Change(grpc::ServerContext* context, const v1::ChangeDeploymentRequest* request,
                      v1::PendingAct* response) override;
  grpc::Status Stop(grpc::ServerContext* context, const v1::StopDeploymentRequest* request,
                    v1::StopDeploymentResponse* response) override;

 private:
  std::vector<AskedHolder> HoldersNow(const matching::Deployment& definition) const;
  std::vector<HolderOutlook> OutlookOf(const matching::Deployment& definition,
                                       const matching::SearchOrder& order,
                                       const identity::Caller& caller) const;
  Status Refuse(const matching::Deployment& definition, const policy::Decision& decision,
                const identity::Caller& caller, v1::ProposeDeploymentResponse& response) const;
  Result<v1::DeploymentSummary> SummaryOf(const matching::DeploymentStatus& deployment) const;
  std::string HaltedBy(const matching::DeploymentStatus& deployment) const;

  Ports ports_;
};

}  // namespace comity::gateway
