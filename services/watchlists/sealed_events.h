// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/sealed_list.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"

namespace comity::watchlists {

// What the requester's log says of its copies of sealed lists (services/audit/events.h).
//
// In: view  of a header whose names are well formed
audit::Event SealedListReceived(const policy::AgencyId& own, const sealed::ListView& view,
                                policy::Instant now);
struct ErasedCopy {
  const sealed::ListHeader& header;
  std::uint64_t sequence = 0;
  const Digest& state;
  std::string_view reason;
};
audit::Event SealedListErased(const policy::AgencyId& own, const ErasedCopy& copy,
                              policy::Instant now);

}  // namespace comity::watchlists
