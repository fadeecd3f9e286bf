// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "services/gateway/federation/link_ports.h"
#include "services/gateway/federation/search_link.h"
#include "services/matching/requester_session.h"

namespace comity::gateway {

// The terms with the mode settled in which their holder is searched (matching::ChooseMode).
matching::RequesterTerms InSettledMode(matching::RequesterTerms terms,
                                       const matching::RequesterPorts& search);

// The link for such terms.
std::unique_ptr<SearchLink> MakeLink(const LinkPorts& ports, matching::RequesterTerms terms,
                                     LinkAsker asker);

}  // namespace comity::gateway
