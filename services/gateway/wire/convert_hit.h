// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "comity/v1/types.pb.h"
#include "crypto/base/result.h"
#include "policy/model/agreement.h"
#include "services/casework/alert.h"

namespace comity::gateway {

v1::Hit ToProto(const casework::ReleasedHit& hit);

// A hit as a peer sends it: nothing in it is believed before it is within the wire's bounds.
// Errors: kInvalidArgument  names what is out of bounds
Result<casework::ReleasedHit> FromProto(const v1::Hit& proto);

// The hit without what the agreement does not release, whatever the holder sent.
casework::ReleasedHit Permitted(casework::ReleasedHit hit,
                                const std::vector<policy::Release>& releases);

}  // namespace comity::gateway
