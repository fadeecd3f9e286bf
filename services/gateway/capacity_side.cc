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

Result<std::unique_ptr<CapacitySide>> CapacitySide::Open(Ports ports, const SecretBytes& kek,
                                                         const std::stop_token& stop) {
  std::unique_ptr<CapacitySide> side(new CapacitySide(std::move(ports)));
  COMITY_RETURN_IF_ERROR(side->meter_.Recall(kek, stop));
  COMITY_RETURN_IF_ERROR(side->Tell());
  return side;
}

Status CapacitySide::Housekeep() {
  const Status looked = meter_.Look();
  COMITY_RETURN_IF_ERROR(Tell());
  return looked;
}

// What could not be told is told in a later round, before anything that was found since.
Status CapacitySide::Tell() {
  if (untold_.empty()) untold_ = meter_.TakeFaults();
  if (untold_.empty()) return {};
  COMITY_RETURN_IF_ERROR(oversight::TellOfTamper(
      {ports_.journal, ports_.notices, ports_.own, ports_.clock, ports_.logger},
      {"capacity", untold_, "nothing that such a counter counts is searched on its day"}));
  untold_.clear();
  return {};
}

}  // namespace comity::gateway
