// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/matching/search_order.h"

namespace comity::matching {

// A threshold as sealed search compares it, in 1e-4: rounded up, so that nothing hits below what
// was agreed. A binary fraction next to a multiple of 1e-4 is that multiple.
// In: threshold  cosine in (0, 1]
std::int32_t TauOf(double threshold);

// The most hits of one probe in sealed mode: an answer with more could never be released.
// In: hit_cap  of the agreement, 1..100
std::uint32_t SealedCap(std::uint32_t hit_cap);

// In which mode a holder is searched: the order's, or, when it leaves that open, sealed if one of
// the agreements has a permission of that mode for the order's purpose and engine, else direct.
//
// Neither the state of that agreement nor want of a copy that could be searched is a reason to
// choose direct: a holder that suspends it, or withholds its list, would get the faces instead.
// Such a search is refused; whoever means direct says so.
policy::SearchMode ChooseMode(const SearchOrder& order, const policy::AgencyId& holder,
                              std::span<const policy::AgreementId> agreements,
                              const policy::AgreementSet& set, policy::Instant now);

// The order with its mode settled.
std::shared_ptr<const SearchOrder> InMode(const std::shared_ptr<const SearchOrder>& order,
                                          policy::SearchMode mode);

}  // namespace comity::matching
