// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/approvals.pb.h"
#include "services/identity/approvals.h"

namespace comity::gateway {

// `with_content`: false leaves out `content`, for lists.
v1::PendingAct ToProto(const identity::PendingAct& act, bool with_content = true);

}  // namespace comity::gateway
