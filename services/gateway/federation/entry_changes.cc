// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/entry_changes.h"

#include <string_view>
#include <vector>

#include "crypto/base/check.h"
#include "services/store/holding_store.h"

namespace comity::gateway {
namespace {

// As partners learn it: that a list is closed ends its entries' time.
std::string_view NameFor(watchlists::ChangeKind kind) {
  switch (kind) {
    case watchlists::ChangeKind::kWithdrawn:
      return oversight::entry_change::kWithdrawn;
    case watchlists::ChangeKind::kCorrected:
      return oversight::entry_change::kCorrected;
    case watchlists::ChangeKind::kRestricted:
      return oversight::entry_change::kRestricted;
    case watchlists::ChangeKind::kUnrestricted:
      return oversight::entry_change::kUnrestricted;
    case watchlists::ChangeKind::kExpired:
    case watchlists::ChangeKind::kListClosed:
      return oversight::entry_change::kExpired;
  }
  COMITY_CHECK(false);
}

std::uint32_t BitsOf(const policy::Decision& decision) {
  std::uint32_t bits = 0;
  for (const policy::Release& release : decision.releases) {
    switch (release.item) {
      case policy::ReleaseItem::kReferenceNumber:
        bits |= store::HoldingRecord::kReference;
        break;
      case policy::ReleaseItem::kCategory:
        bits |= store::HoldingRecord::kCategory;
        break;
      case policy::ReleaseItem::kResponseCode:
        bits |= store::HoldingRecord::kResponseCode;
        break;
      case policy::ReleaseItem::kSimilarity:
        break;
    }
  }
  return bits;
}

}  // namespace

Status EntryChanges::OnChange(store::Transaction& transaction, audit::Recorder& recorder,
                              const watchlists::EntryChange& change) {
  std::vector<oversight::ChangedEntry> told;
  // What was corrected while it did not match is told when it matches again, before that.
  const bool says_values = change.kind == watchlists::ChangeKind::kCorrected ||
                           change.kind == watchlists::ChangeKind::kUnrestricted;
  if (says_values) {
    told.push_back({change.list, change.reference, oversight::entry_change::kCorrected,
                    change.category, change.response_code});
  }
  if (change.kind != watchlists::ChangeKind::kCorrected) {
    told.push_back({change.list, change.reference, NameFor(change.kind), {}, {}});
  }
  COMITY_RETURN_IF_ERROR(holdings_.Pass(transaction, recorder, told));
  return {};
}

Status EntryChanges::Remember(store::Transaction& transaction, audit::Recorder& recorder,
                              const matching::ReleasedEntries& released) {
  if (!released.decision.agreement) {
    return Fail(ErrorCode::kInternal, "entries are released under an agreement");
  }
  oversight::Told told{
      released.partner,          *released.decision.agreement,      released.answer,
      BitsOf(released.decision), released.decision.alert_retention, {}};
  for (const auto& entry : released.entries) told.entries.push_back({entry.list, entry.reference});
  return holdings_.Remember(transaction, recorder, told);
}

}  // namespace comity::gateway
