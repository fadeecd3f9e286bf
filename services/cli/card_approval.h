// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "comity/v1/approvals.pb.h"
#include "crypto/base/result.h"

namespace comity::cli {

// Whether the act takes over a partner's card, which is approved with its fingerprint only.
bool TakesCard(const v1::PendingAct& act);

// The reason that the approver signs: the fingerprint that the partner read out.
// In:     typed  as it was given on the command line; empty: asked for, if a person can answer
// Errors: kInvalidArgument  none was given, or it is no fingerprint
//         kConflict         it is not that of the card: the card is not the partner's
Result<std::string> ComparedFingerprint(const v1::PendingAct& act, std::string typed);

}  // namespace comity::cli
