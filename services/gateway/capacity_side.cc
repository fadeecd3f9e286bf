// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/capacity_side.h"

#include <string>
#include <utility>

#include "services/oversight/tamper.h"

namespace comity::gateway {

CapacitySide::CapacitySide(Ports ports)
    : ports_(std::move(ports)),
      meter_(matching::CapacityMeter::Ports{.own_agency = ports_.own,
                                            .store = ports_.store,
                                            .journal = ports_.journal,
                                            .clock = ports_.clock}) {}

Result<std::unique_ptr<CapacitySide>> CapacitySide::Open(Ports ports, const SecretBytes& kek) {
  std::unique_ptr<CapacitySide> side(new CapacitySide(std::move(ports)));
  COMITY_RETURN_IF_ERROR(side->meter_.Recall(kek));
  COMITY_RETURN_IF_ERROR(side->TellOnce());
  return side;
}

Status CapacitySide::Housekeep() {
  const Status looked = meter_.Look();
  COMITY_RETURN_IF_ERROR(TellOnce());
  return looked;
}

Status CapacitySide::TellOnce() {
  const std::string fault = meter_.fault();
  if (told_ || fault.empty()) return {};
  COMITY_RETURN_IF_ERROR(oversight::TellOfTamper(
      {ports_.journal, ports_.notices, ports_.own, ports_.clock, ports_.logger},
      {"capacity", fault, "nothing that such a counter counts is searched on its day"}));
  told_ = true;
  return {};
}

}  // namespace comity::gateway
