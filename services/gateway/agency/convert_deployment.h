// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/deployments.pb.h"
#include "crypto/base/result.h"
#include "services/matching/deployments.h"
#include "services/matching/list_validations.h"

namespace comity::gateway {

// Checks form, not bounds: matching::CheckDeployment does. Errors: kInvalidArgument
Result<matching::Deployment> FromProto(const v1::DeploymentDefinition& proto);
v1::DeploymentDefinition ToProto(const matching::Deployment& definition);

// Without holders and `halted`.
v1::DeploymentSummary ToProto(const matching::DeploymentStatus& status);
v1::DeploymentHolder ToProto(const matching::ListValidations::Standing& standing);

}  // namespace comity::gateway
