// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/table_watch.h"

#include <string>
#include <vector>

#include "services/audit/events.h"
#include "services/oversight/bound_start.h"

namespace comity::oversight {
namespace {

using identity::Role;
using store::BoundState;
using store::BoundTable;

// Whom it concerns that somebody writes to the database behind the gateway's back.
constexpr identity::RoleSet kAudience{Role::kSupervisor,    Role::kDpo,
                                      Role::kSignatory,     Role::kAuditor,
                                      Role::kAdministrator, Role::kKeyAdministrator};

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
  const std::string table(Name(state.table));
  ports_.logger.Error(
      "tamper-found",
      {{"table", table}, {"reason", state.fault}, {"effect", ConsequenceOf(state.table)}});
  audit::Event event;
  event.type = audit::kTamperFound;
  event.time = ports_.clock.Now();
  event.parties = {ports_.own};
  event.decision_code = table;
  event.committed = {{"reason", state.fault}};
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return ports_.notices.Post(
            transaction, recorder,
            {identity::notice::kTamperFound, kAudience, "table " + table,
             "The database's table " + table + " is not to be trusted: " + state.fault + ". " +
                 "Until it is put right, " + ConsequenceOf(state.table) +
                 ". Find out who writes to the database; then the newest backup is restored and "
                 "two people confirm it."});
      }));
  told_.insert(state.table);
  ports_.notices.Announce();
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
