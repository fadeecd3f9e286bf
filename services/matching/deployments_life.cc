// SPDX-License-Identifier: Apache-2.0
// What happens to a deployment by itself: counting, activation, its end and its close.
#include <algorithm>
#include <utility>

#include "services/audit/events.h"
#include "services/matching/deployments.h"

namespace comity::matching {
namespace {

using store::DeploymentRecord;
using store::DeploymentState;

void SetCounts(audit::Event& event, const DeploymentRecord& record) {
  event.counts = {{"faces", static_cast<std::int64_t>(record.faces)},
                  {"alerts", static_cast<std::int64_t>(record.alerts)},
                  {"false_alerts", static_cast<std::int64_t>(record.false_alerts)}};
}

Status Store(store::Transaction& transaction, const policy::DeploymentId& id,
             const DeploymentTally::Counts& counts) {
  if (counts.empty()) return {};
  COMITY_RETURN_IF_ERROR(transaction.deployments().AddCounts(id, counts.faces, counts.alerts));
  for (const auto& [holder, alerts] : counts.alerts_by_holder) {
    const Status added = transaction.deployments().AddHolderAlerts(id, holder, alerts);
    // A holder that was never asked to validate has no row of its own.
    if (!added && added.error().code != ErrorCode::kNotFound) return added;
  }
  return {};
}

// When the last of what the deployment gathered is due to be gone.
policy::Instant DeletionDue(policy::Instant ended, const store::AlertStore::Left& left) {
  const policy::Instant lists = ended + Deployments::kDeletionTime;
  return left.alerts == 0 ? lists : std::max(lists, left.last_due);
}

}  // namespace

Status Deployments::End(const policy::DeploymentId& id, Ending ending) {
  std::shared_ptr<DeploymentTally> tally;
  if (auto found = TallyOf(id)) tally = *std::move(found);
  std::optional<DeploymentTally::Counts> counts;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    if (tally && !counts) counts = tally->Take();
    COMITY_ASSIGN_OR_RETURN(DeploymentRecord record, transaction.deployments().Get(id));
    COMITY_ASSIGN_OR_RETURN(const auto left, transaction.alerts().LeftOf(id));
    record.state = ending.state;
    record.ended_at = ending.at;
    record.deletion_due_at = DeletionDue(ending.at, left);
    COMITY_RETURN_IF_ERROR(transaction.deployments().Change(record, DeploymentState::kActive));
    if (counts) COMITY_RETURN_IF_ERROR(Store(transaction, id, *counts));
    COMITY_ASSIGN_OR_RETURN(record, transaction.deployments().Get(id));
    SetCounts(ending.event, record);
    COMITY_RETURN_IF_ERROR(recorder.Record(ending.event));
    if (ending.state != DeploymentState::kStopped || ports_.lone_acts == nullptr) return {};
    const std::string on = "deployment " + id.text();
    return ports_.lone_acts->Tell(transaction, recorder,
                                  {identity::Act::kDeploymentStop, on, on + " was stopped",
                                   ending.event.committed.at("operator")});
  };
  const Status ended = ports_.journal.Commit(work);
  if (!ended) {
    if (counts) tally->Return(*counts);
    return ended;
  }
  if (ports_.lone_acts != nullptr) ports_.lone_acts->Announce();
  return Refresh(id);
}

Result<DeploymentStatus> Deployments::CountFalseAlert(store::Transaction& transaction,
                                                      const policy::DeploymentId& id,
                                                      const policy::AgencyId& holder) const {
  COMITY_ASSIGN_OR_RETURN(DeploymentRecord record,
                          transaction.deployments().AddFalseAlert(id, holder));
  COMITY_ASSIGN_OR_RETURN(Item item, ItemOf(std::move(record)));
  if (auto tally = TallyOf(id)) item.tally = *std::move(tally);
  return StatusOf(item);
}

Status Deployments::Activate(const policy::DeploymentId& id, std::uint64_t holders) {
  bool is_first = false;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(DeploymentRecord record, transaction.deployments().Get(id));
    is_first = !record.activated_at && record.state == DeploymentState::kActive;
    if (!is_first) return {};
    audit::Event event = EventOf(audit::kDeploymentActivated, id);
    record.activated_at = event.time;
    event.counts = {{"holders", static_cast<std::int64_t>(holders)}};
    COMITY_RETURN_IF_ERROR(transaction.deployments().Change(record, DeploymentState::kActive));
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  return is_first ? Refresh(id) : Status();
}

Status Deployments::SaveCounts(const policy::DeploymentId& id,
                               const std::shared_ptr<DeploymentTally>& tally) {
  if (tally->Peek().empty()) return {};
  const DeploymentTally::Counts counts = tally->Take();
  const auto work = [&](store::Transaction& transaction, audit::Recorder&) -> Status {
    return Store(transaction, id, counts);
  };
  const Status saved = ports_.journal.Commit(work);
  if (saved) return Refresh(id);
  tally->Return(counts);
  return saved;
}

Status Deployments::CloseDeleted() {
  std::vector<DeploymentRecord> ended;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(ended, transaction.deployments().InState(
                                       {DeploymentState::kStopped, DeploymentState::kOver}));
    return {};
  }));
  for (const DeploymentRecord& seen : ended) {
    const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto left, transaction.alerts().LeftOf(seen.id));
      if (left.alerts > 0) return {};
      COMITY_ASSIGN_OR_RETURN(DeploymentRecord record, transaction.deployments().Get(seen.id));
      const DeploymentState from = record.state;
      if (from == DeploymentState::kClosed) return {};
      audit::Event event = EventOf(audit::kDeploymentClosed, seen.id);
      record.state = DeploymentState::kClosed;
      record.closed_at = event.time;
      COMITY_RETURN_IF_ERROR(transaction.deployments().Change(record, from));
      SetCounts(event, record);
      COMITY_RETURN_IF_ERROR(recorder.Record(event));
      return {};
    };
    COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  }
  return {};
}

Status Deployments::Housekeep() {
  std::vector<Item> items;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, item] : items_) items.push_back(item);
  }
  const policy::Instant now = ports_.clock.Now();
  for (const Item& item : items) {
    const policy::DeploymentId& id = item.record.id;
    if (now < item.record.ends_at) {
      COMITY_RETURN_IF_ERROR(SaveCounts(id, item.tally));
      continue;
    }
    const Status over =
        End(id, {DeploymentState::kOver, item.record.ends_at, EventOf(audit::kDeploymentOver, id)});
    // Somebody stopped it meanwhile.
    if (!over && over.error().code != ErrorCode::kConflict) return over;
  }
  return CloseDeleted();
}

}  // namespace comity::matching
