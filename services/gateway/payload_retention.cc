// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/payload_retention.h"

#include <algorithm>

namespace comity::gateway {

std::optional<std::chrono::seconds> PayloadRetention(const policy::AgreementSet& known,
                                                     const audit::Event& event) {
  const auto* version = known.FindVersion(event.agreement->id, event.agreement->version);
  if (version == nullptr) return std::nullopt;
  const policy::Retention& agreed = version->agreement.retention;
  if (!event.committed.contains("case_ref")) return agreed.audit;
  return std::min(agreed.audit, agreed.justification);
}

}  // namespace comity::gateway
