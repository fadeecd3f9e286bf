// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/inbox_budget.h"

#include <string>

#include "services/oversight/partner_content.h"
#include "services/store/outbox_store.h"

namespace comity::gateway {
namespace {

using std::chrono::hours;

// The use in the window that holds `now`.
Result<store::InboxUse> UseAt(const store::Transaction& transaction, const policy::AgencyId& sender,
                              std::string_view kind, policy::Instant now) {
  COMITY_ASSIGN_OR_RETURN(const auto kept, transaction.outbox().Use(sender, kind));
  // A clock that was set back begins anew, too: else nothing was taken until it has caught up.
  const bool stands = kept && kept->since <= now && now - kept->since < BudgetOf(kind).window;
  return stands ? *kept : store::InboxUse{.since = now};
}

}  // namespace

KindBudget BudgetOf(std::string_view kind) {
  namespace kinds = oversight::message_kind;
  // A closed list of 50,000 entries is 200 messages; entries, answers and alerts weigh 1 each.
  if (kind == kinds::kEntryChange) return {hours(24), 20'000, 200'000};
  // One for each version of an agreement that ended.
  if (kind == kinds::kDeletionOrder) return {hours(24), 200, 200'000};
  // Each is read by people, whom more would only hide what matters from.
  if (kind == kinds::kPeerNotice) return {hours(1), 20, 20};
  if (kind == kinds::kKeyChange) return {hours(1), 10, 10};
  // One for each state of each list that the partner has fetched, and for each epoch that ended.
  if (kind == kinds::kSealedHeld) return {hours(24), 20'000, 20'000};
  if (kind == kinds::kSealedErased) return {hours(24), 2'000, 2'000};
  return {};
}

Status CheckBudget(const store::Transaction& transaction, const policy::AgencyId& sender,
                   std::string_view kind, policy::Instant now) {
  COMITY_ASSIGN_OR_RETURN(const store::InboxUse use, UseAt(transaction, sender, kind, now));
  const KindBudget budget = BudgetOf(kind);
  if (use.messages < budget.messages && use.weight < budget.weight) return {};
  return Fail(ErrorCode::kExhausted, sender.text() + " has used up its " + std::string(kind) +
                                         " messages of these " +
                                         std::to_string(budget.window.count()) + " hours");
}

Status ChargeBudget(store::Transaction& transaction, const policy::AgencyId& sender,
                    std::string_view kind, std::uint64_t weight, policy::Instant now) {
  COMITY_ASSIGN_OR_RETURN(store::InboxUse use, UseAt(transaction, sender, kind, now));
  ++use.messages;
  use.weight += weight;
  return transaction.outbox().PutUse(sender, kind, use);
}

}  // namespace comity::gateway
