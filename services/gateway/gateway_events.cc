// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/gateway_events.h"

#include <string>

#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/gateway/wire/version.h"

namespace comity::gateway {

audit::Event StartEvent(const policy::AgencyId& self, policy::Instant at,
                        std::string_view configuration) {
  audit::Event event;
  event.type = audit::kGatewayStarted;
  event.time = at;
  event.parties = {self};
  event.committed = {{"software", std::string(kSoftware)}};
  event.messages.emplace("configuration", hash::Sha256(AsBytes(configuration)));
  return event;
}

audit::Event StopEvent(const policy::AgencyId& self, policy::Instant at, std::string_view reason) {
  audit::Event event;
  event.type = audit::kGatewayStopped;
  event.time = at;
  event.parties = {self};
  event.committed = {{"reason", std::string(reason)}};
  return event;
}

}  // namespace comity::gateway
