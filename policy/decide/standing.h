// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"

namespace comity::policy {

// A denial that names what decided. Null: no agreement could be named.
Decision Deny(ReasonCode code, const AgreementVersion* version, std::vector<std::string> clauses);

// What denies every request under this version at `now`: its state, the other party's word, then
// its attachments. Nothing: requests are looked at.
std::optional<Decision> DenyByState(const AgreementVersion& version, Instant now);
std::optional<Decision> DenyByPeer(const AgreementVersion& version);
std::optional<Decision> DenyByAttachment(const AgreementVersion& version, Instant now);

// None of the three denies.
bool IsUsable(const AgreementVersion& version, Instant now);

}  // namespace comity::policy
