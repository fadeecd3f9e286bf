// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/store/store.h"

namespace comity::gateway {

// How much one partner may have this gateway do by messages of one kind. What is taken stays for
// years: a row, a log entry, a notice to people. An honest partner stays far below.
struct KindBudget {
  std::chrono::hours window{1};
  std::uint64_t messages = 100;
  std::uint64_t weight = 100;  // in the unit of the kind (PartnerMessageHandler::Taken)
};
KindBudget BudgetOf(std::string_view kind);

// Within the unit of work that takes the message, before it has an effect. Durable: a restart gives
// nothing back.
// Errors: kExhausted  the budget of this window is used up; the sender keeps the message and tries
//         again. Else those of the store
Status CheckBudget(const store::Transaction& transaction, const policy::AgencyId& sender,
                   std::string_view kind, policy::Instant now);
// The same unit of work, once it is known what the message had this gateway do. The last message of
// a window may exceed `weight`.
Status ChargeBudget(store::Transaction& transaction, const policy::AgencyId& sender,
                    std::string_view kind, std::uint64_t weight, policy::Instant now);

}  // namespace comity::gateway
