// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/link_choice.h"

#include <utility>

#include "services/gateway/federation/holder_link.h"
#include "services/gateway/federation/sealed_link.h"
#include "services/matching/sealed_mode.h"

namespace comity::gateway {

matching::RequesterTerms InSettledMode(matching::RequesterTerms terms,
                                       const matching::RequesterPorts& search) {
  terms.mode = matching::ChooseMode(*terms.order, terms.holder, terms.agreements,
                                    *search.agreements(), search.clock.Now());
  terms.order = matching::InMode(terms.order, terms.mode);
  return terms;
}

std::unique_ptr<SearchLink> MakeLink(const LinkPorts& ports, matching::RequesterTerms terms,
                                     LinkAsker asker) {
  terms = InSettledMode(std::move(terms), ports.search);
  if (terms.mode == policy::SearchMode::kSealed) {
    return std::make_unique<SealedLink>(ports, ports.sealed, std::move(terms), std::move(asker));
  }
  return std::make_unique<HolderLink>(ports, std::move(terms), std::move(asker));
}

}  // namespace comity::gateway
