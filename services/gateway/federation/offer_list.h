// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comity/v1/federation.pb.h"
#include "policy/model/ids.h"
#include "services/matching/holder_session.h"

namespace comity::gateway {

// Most offers in one reply.
inline constexpr std::size_t kMaxOffers = 256;
// Entries of a category that an agency can hold; a partner that claims more is not believed.
inline constexpr std::uint64_t kMaxOfferedEntries = 1'000'000'000;

// What `requester` may search here at this moment: each permission and purpose under which a search
// with its own bounds would be permitted up to capacity, with the entries it would meet. What a
// prohibition, a suspension or a stop keeps from being searched is not there. Counts only.
//
// Threads: as the ports.
v1::ListOffersReply OffersTo(const policy::AgencyId& requester, const policy::AgencyId& self,
                             const matching::HolderPorts& ports);

}  // namespace comity::gateway
