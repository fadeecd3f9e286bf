// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/table_watch.h"

#include <string>
#include <vector>

#include "services/oversight/bound_start.h"
#include "services/oversight/tamper.h"

namespace comity::oversight {
namespace {

using store::BoundState;
using store::BoundTable;

// What is refused as long as the table is not to be trusted.
const char* ConsequenceOf(BoundTable table) {
  switch (table) {
    case BoundTable::kDeployment:
      return "nothing is searched in any deployment";
    case BoundTable::kStop:
      return "nothing is searched at all";
    case BoundTable::kRetentionHold:
      return "nothing is erased that a hold may keep";
    case BoundTable::kRestoration:
      return "the gateway does not start again";
  }
  return "";
}

}  // namespace

Status TableWatch::Look() {
  const std::lock_guard lock(mutex_);
  std::vector<BoundState> states;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(states, tx.bound_tables().Look());
    return {};
  }));
  Status outcome;
  const auto also = [&](const Status& status) {
    if (outcome && !status) outcome = status;
  };
  for (const BoundState& state : states) {
    if (state.fault.empty()) continue;
    if (ports_.distrust) ports_.distrust(state.table);
    also(Tell(state));
  }
  also(Mark(states));
  return outcome;
}

Status TableWatch::Tell(const BoundState& state) {
  if (told_.contains(state.table)) return {};
  COMITY_RETURN_IF_ERROR(
      TellOfTamper({ports_.journal, ports_.notices, ports_.own, ports_.clock, ports_.logger},
                   {std::string(Name(state.table)), state.fault, ConsequenceOf(state.table)}));
  told_.insert(state.table);
  return {};
}

// Deployments count faces all the time: the hourly marks are enough for them.
Status TableWatch::Mark(const std::vector<BoundState>& states) {
  bool is_new = false;
  for (const BoundState& state : states) {
    if (!state.fault.empty() || state.table == BoundTable::kDeployment) continue;
    is_new = is_new || marked_.at(static_cast<std::size_t>(state.table)) != Durable(state);
  }
  if (!is_new) return {};
  // What the first look finds was marked at the start.
  if (has_looked_) COMITY_RETURN_IF_ERROR(MarkLedger(ports_.store, ports_.ledger));
  has_looked_ = true;
  for (const BoundState& state : states) {
    if (!state.fault.empty()) continue;
    marked_.at(static_cast<std::size_t>(state.table)) = Durable(state);
  }
  return {};
}

}  // namespace comity::oversight
