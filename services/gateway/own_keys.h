// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/store/store.h"

namespace comity::gateway {

// The key that `present` succeeds, as the card proves that was announced before the key file was
// changed: the present key signed it. What the former key vouched for in the store is read and
// vouched for anew. Empty: there is none.
// Errors: those of the store
Result<std::vector<sign::PublicKey>> FormerKeys(const store::Store& store,
                                                const policy::AgencyId& self,
                                                const sign::PublicKey& present);

}  // namespace comity::gateway
