// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "policy/decide/agreement_set.h"
#include "policy/model/instant.h"
#include "services/agreements/catalogue.h"
#include "services/agreements/register.h"
#include "services/agreements/register_state.h"

namespace comity::agreements {

// "in-force" and so on; "untrusted-keys" for a version that is held but not in the set.
std::string StatusText(const policy::AgreementSet& set, const policy::AgreementRef& ref,
                       policy::Instant now);

AgreementView ViewOf(const HeldVersion& version, const Published& published, policy::Instant now);
bool Matches(const AgreementView& view, const ListFilter& filter);

// In: party  only statements of this party; absent: all
AgreementFile FileOf(const HeldVersion& version, const std::optional<policy::AgencyId>& party);

}  // namespace comity::agreements
