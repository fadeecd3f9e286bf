// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/gauges.h"

namespace comity::gateway {

void UpdateGauges(const GaugeSources& sources, policy::Instant now, runtime::Metrics& metrics) {
  const auto set = [&](const char* name, const char* help, double value) {
    metrics.Gauge({name, help}).Set(value);
  };
  set("comity_log_signed_entries", "Entries under the published checkpoint",
      static_cast<double>(sources.log.Latest().size));
  set("comity_log_publishing", "1 while checkpoints are being signed",
      sources.log.Health().publishing ? 1 : 0);
  double active = 0;
  for (const auto& deployment : sources.deployments.Unfinished()) {
    if (deployment.phase == matching::DeploymentPhase::kActive) active += 1;
  }
  const StreamCounts counts = sources.recognition.counts();
  set("comity_deployments_active", "Deployments that may stream now", active);
  set("comity_faces_streamed", "Faces that engines sent since the start",
      static_cast<double>(counts.faces));
  set("comity_alerts_raised", "Alerts raised since the start", static_cast<double>(counts.alerts));
  for (const auto& view : sources.agreements.List(now)) {
    metrics
        .Gauge({"comity_agreement_in_force", "1 while the agreement permits"},
               {{"agreement", view.agreement.id.text()},
                {"version", std::to_string(view.agreement.version)}})
        .Set(view.status == "in-force" ? 1 : 0);
  }
}

std::string ProblemOf(const audit::Log& log) {
  const audit::LogHealth health = log.Health();
  return health.publishing && !health.stopped ? std::string() : "audit log: " + health.problem;
}

}  // namespace comity::gateway
