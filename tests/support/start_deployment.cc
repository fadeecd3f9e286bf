// SPDX-License-Identifier: Apache-2.0
#include "tests/support/start_deployment.h"

#include <fmt/format.h>

#include "crypto/base/check.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

void CheckCall(const grpc::Status& status) {
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
}

}  // namespace

void AddForecast(v1::DeploymentDefinition& definition) {
  definition.set_expected_faces(5000);
  definition.set_false_match_rate(1e-9);
  definition.set_test_report("engine test 2026-03");
  definition.set_faces_per_false_alert(1000);
}

v1::ProposeDeploymentResponse StartDeployment(const DeploymentStarters& people,
                                              const v1::DeploymentDefinition& definition) {
  v1::ProposeDeploymentRequest request;
  *request.mutable_definition() = definition;
  grpc::ClientContext context;
  v1::ProposeDeploymentResponse response;
  CheckCall(v1::Deployments::NewStub(people.proposer)->Propose(&context, request, &response));
  if (!response.has_pending()) return response;
  v1::PendingAct act = response.pending();
  CheckCall(Decide(people.approver, people.pki, people.approver_id, act));
  return response;
}

}  // namespace comity::testing
