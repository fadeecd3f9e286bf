// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "services/audit/journal.h"
#include "services/identity/act.h"
#include "services/identity/notices.h"
#include "services/store/approval_store.h"

// What the log and the people concerned are told of an act that needs two.
namespace comity::identity {

// "pending", "approved", ...
std::string_view Name(store::ApprovalState state);

// An entry about `act`. The hash of its content stands in the clear; it is salted.
audit::Event ApprovalEvent(std::string_view type, const store::ApprovalRecord& act,
                           const policy::AgencyId& own);

Notice AskedNotice(const store::ApprovalRecord& act, const ActRule& rule);
// Approved, rejected or expired: told to those who propose such acts.
Notice DecidedNotice(const store::ApprovalRecord& act, const ActRule& rule);
// To everybody who oversees.
Notice UrgentNotice(const store::ApprovalRecord& act, const ActRule& rule);
Notice OverdueNotice(const store::ApprovalRecord& act, const ActRule& rule);
Notice ReviewedNotice(const store::ApprovalRecord& act, const ActRule& rule);
// So many that waited were not as they were proposed, and were ended.
Notice CorruptNotice(std::size_t acts);

}  // namespace comity::identity
