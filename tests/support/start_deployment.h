// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <filesystem>
#include <memory>
#include <string>

#include "comity/v1/deployments.grpc.pb.h"

namespace comity::testing {

// What every deployment must say about what is to be expected, with room for any test.
void AddForecast(v1::DeploymentDefinition& definition);

// Who proposes a deployment and who approves it, with channels to the agency port.
struct DeploymentStarters {
  std::shared_ptr<grpc::Channel> proposer;
  std::shared_ptr<grpc::Channel> approver;
  std::filesystem::path pki;  // where the approver's signing key is
  std::string approver_id = "supervisor-1";
};
// Proposes it, and approves it unless it was refused. Ends the process if the gateway does not do
// its part.
v1::ProposeDeploymentResponse StartDeployment(const DeploymentStarters& people,
                                              const v1::DeploymentDefinition& definition);

}  // namespace comity::testing
