// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "policy/decide/agreement_set.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/watchlists/register.h"
#include "services/watchlists/sealed_publications.h"

namespace comity::gateway {

// A sealed list that an agreement in force asks this agency for.
struct WantedSealed {
  watchlists::SealedScope scope;
  watchlists::SealingTerms terms;
};

// Every sealed list that this agency has to have at `now`: for each agreement version that permits
// sealed searches of it, each requester and purpose, each approved list bound to both. Where
// several permissions cover one list, entries of all their categories are sealed for the lowest of
// their thresholds, and for the shortest of their times; a search is decided by one of them.
//
// Threads: pure function
std::vector<WantedSealed> WantedSealedLists(const policy::AgreementSet& agreements,
                                            const policy::AgencyId& self,
                                            std::span<const watchlists::ListStatus> lists,
                                            policy::Instant now);

// Whether nothing can be searched under this version any more, at whatever time to come: it is
// over, or another one has followed it. A suspension is none.
bool IsOver(const policy::AgreementSet& agreements, const policy::AgreementRef& version,
            policy::Instant now);

// What a list is sealed for. In: floor  the lowest threshold of its searches, cosine in (0, 1]
// Nothing: a template of these dimensions cannot be sealed.
std::optional<sealed::Scales> ScalesFor(std::uint32_t dimension, double floor);

}  // namespace comity::gateway
