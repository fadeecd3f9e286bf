// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/own_keys.h"

#include <string>

#include "services/identity/peer_record.h"
#include "services/store/peer_store.h"
#include "services/transport/peer_card.h"

namespace comity::gateway {

Result<std::vector<sign::PublicKey>> FormerKeys(const store::Store& store,
                                                const policy::AgencyId& self,
                                                const sign::PublicKey& present) {
  std::string announced;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto records, transaction.peers().All());
    for (const store::PeerRecord& record : records) {
      if (record.agency == self) announced = identity::AnnouncedCardOf(record);
    }
    return {};
  }));
  std::vector<sign::PublicKey> former;
  const auto card = transport::ParsePeerCard(announced);
  if (!card || card->agency != self.text() || card->signing_key != sign::EncodePublicKey(present)) {
    return former;
  }
  if (const auto key = sign::ParsePublicKey(card->former_key); key) former.push_back(*key);
  return former;
}

}  // namespace comity::gateway
