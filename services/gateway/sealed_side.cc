// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/sealed_side.h"

#include <utility>

namespace comity::gateway {

Result<std::unique_ptr<SealedSide>> SealedSide::Open(Ports ports) {
  std::unique_ptr<SealedSide> side(new SealedSide());
  COMITY_ASSIGN_OR_RETURN(
      side->requester_,
      SealedRequesterSide::Open(
          {ports.self, ports.store, ports.journal, ports.clock, ports.random, ports.logger,
           ports.notices, ports.partners, ports.outbox, ports.tls, ports.peers, ports.signer,
           ports.verifier, ports.agreements, ports.config.data_directory / "sealed" / "copies"}));
  COMITY_ASSIGN_OR_RETURN(
      side->holder_, SealedHolderSide::Open({ports.config, ports.self, ports.keys, ports.store,
                                             ports.journal, ports.clock, ports.random, ports.logger,
                                             ports.lists, ports.tls, std::move(ports.agreements)}));
  return side;
}

void SealedSide::UpdateGauges(runtime::Metrics& metrics) const {
  if (requester_) requester_->UpdateGauges(metrics);
  holder_->UpdateGauges(metrics);
}

void SealedSide::Halt() {
  requester_.reset();
  holder_->Halt();
}

}  // namespace comity::gateway
