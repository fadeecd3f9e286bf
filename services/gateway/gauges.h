// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "policy/model/instant.h"
#include "services/agreements/register.h"
#include "services/audit/log.h"
#include "services/gateway/agency/recognition_service.h"
#include "services/matching/deployments.h"
#include "services/runtime/metrics.h"

namespace comity::gateway {

// What the gauges of /metrics are read from.
struct GaugeSources {
  const audit::Log& log;
  const matching::Deployments& deployments;
  const RecognitionService& recognition;
  const agreements::Register& agreements;
};
// Sets every gauge to what it is at `now`.
void UpdateGauges(const GaugeSources& sources, policy::Instant now, runtime::Metrics& metrics);

// Why the gateway cannot work, for /health; empty when it can.
std::string ProblemOf(const audit::Log& log);

}  // namespace comity::gateway
