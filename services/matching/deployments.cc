// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployments.h"

#include <algorithm>
#include <utility>

#include "services/audit/events.h"
#include "services/identity/visible_text.h"
#include "services/matching/exchange_id.h"

namespace comity::matching {
namespace {

using store::DeploymentRecord;
using store::DeploymentState;

constexpr std::size_t kMaxStopReason = 1000;

tl::unexpected<Error> NoSuchDeployment() {
  return Fail(ErrorCode::kNotFound,
              "no such deployment; `comity deployment list` names those there are");
}

DeploymentPhase PhaseOf(const DeploymentRecord& record, policy::Instant now) {
  switch (record.state) {
    case DeploymentState::kStopped:
      return DeploymentPhase::kStopped;
    case DeploymentState::kOver:
      return DeploymentPhase::kOver;
    case DeploymentState::kClosed:
      return DeploymentPhase::kClosed;
    case DeploymentState::kActive:
      break;
  }
  if (now >= record.ends_at) return DeploymentPhase::kOver;
  return now < record.starts_at ? DeploymentPhase::kPlanned : DeploymentPhase::kActive;
}

bool IsUnfinished(const DeploymentRecord& record, policy::Instant now) {
  const DeploymentPhase phase = PhaseOf(record, now);
  return phase == DeploymentPhase::kPlanned || phase == DeploymentPhase::kActive;
}

}  // namespace

Deployments::Subscription::Subscription(Subscription&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), key_(other.key_) {}

Deployments::Subscription& Deployments::Subscription::operator=(Subscription&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(key_, other.key_);
  return *this;
}

Deployments::Subscription::~Subscription() {
  if (owner_ != nullptr) owner_->Cancel(key_);
}

Result<std::unique_ptr<Deployments>> Deployments::Open(Ports ports) {
  std::unique_ptr<Deployments> deployments(new Deployments(std::move(ports)));
  std::vector<DeploymentRecord> records;
  const auto read = [&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(records, transaction.deployments().InState({DeploymentState::kActive}));
    return {};
  };
  const Status known = deployments->ports_.store.Read(read);
  // Without a record to trust there is no deployment; the gateway works on without any.
  if (!known && known.error().code != ErrorCode::kCorrupt) return Fail(known.error());
  const std::lock_guard lock(deployments->mutex_);
  for (DeploymentRecord& record : records) {
    const policy::DeploymentId id = record.id;
    COMITY_ASSIGN_OR_RETURN(deployments->items_[id], deployments->ItemOf(std::move(record)));
  }
  return deployments;
}

Result<Deployments::Item> Deployments::ItemOf(DeploymentRecord record) const {
  COMITY_ASSIGN_OR_RETURN(Deployment definition, ParseDeployment(record.definition));
  return Item{std::move(record), std::make_shared<const Deployment>(std::move(definition)),
              std::make_shared<DeploymentTally>()};
}

DeploymentStatus Deployments::StatusOf(const Item& item) const {
  const DeploymentRecord& record = item.record;
  const DeploymentTally::Counts counts = item.tally->Peek();
  return {.id = record.id,
          .definition = item.definition,
          .created_at = record.created_at,
          .created_by = record.created_by,
          .approved_by = record.approved_by,
          .phase = PhaseOf(record, ports_.clock.Now()),
          .activated_at = record.activated_at,
          .ended_at = record.ended_at,
          .deletion_due_at = record.deletion_due_at,
          .closed_at = record.closed_at,
          .faces = record.faces + counts.faces,
          .alerts = record.alerts + counts.alerts,
          .false_alerts = record.false_alerts};
}

policy::DeploymentId Deployments::NewId() const {
  return NewDeploymentId(ports_.random);
}

Status Deployments::CheckRoom(std::size_t unfinished) const {
  if (unfinished < ports_.max_unfinished) return {};
  return Fail(ErrorCode::kExhausted,
              std::to_string(unfinished) + " deployments are planned or active; stop one first");
}

Status Deployments::CheckProposal(const Deployment& definition) const {
  COMITY_RETURN_IF_ERROR(CheckDeployment(definition, ports_.clock.Now()));
  return CheckRoom(Unfinished().size());
}

audit::Event Deployments::EventOf(std::string_view type, const policy::DeploymentId& id) const {
  audit::Event event;
  event.type = type;
  event.time = ports_.clock.Now();
  event.parties = {ports_.own_agency};
  event.committed = {{"deployment", id.text()}};
  return event;
}

Status Deployments::Start(store::Transaction& transaction, audit::Recorder& recorder,
                          const Decided& decided) const {
  const policy::Instant now = ports_.clock.Now();
  COMITY_RETURN_IF_ERROR(CheckDeployment(decided.definition, now));
  COMITY_ASSIGN_OR_RETURN(const auto stored,
                          transaction.deployments().InState({DeploymentState::kActive}));
  const auto unfinished = std::count_if(
      stored.begin(), stored.end(), [&](const auto& record) { return IsUnfinished(record, now); });
  COMITY_RETURN_IF_ERROR(CheckRoom(static_cast<std::size_t>(unfinished)));
  DeploymentRecord record;
  record.id = decided.id;
  record.created_at = now;
  record.starts_at = decided.definition.starts_at;
  record.ends_at = decided.definition.ends_at;
  record.created_by = decided.proposed_by;
  record.approved_by = decided.approved_by;
  record.definition = EncodeDeployment(decided.definition);
  COMITY_RETURN_IF_ERROR(transaction.deployments().Add(record));
  audit::Event event = EventOf(audit::kDeploymentCreated, record.id);
  event.committed["definition"] = record.definition;
  event.committed["case_ref"] = decided.definition.case_ref;
  event.committed["engine_name"] = decided.definition.engine_name;
  event.committed["operator"] = decided.proposed_by;
  event.committed["approver"] = decided.approved_by;
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

Status Deployments::Change(store::Transaction& transaction, audit::Recorder& recorder,
                           const Decided& decided) const {
  const policy::Instant now = ports_.clock.Now();
  COMITY_RETURN_IF_ERROR(CheckDeployment(decided.definition, now));
  COMITY_ASSIGN_OR_RETURN(DeploymentRecord record, transaction.deployments().Get(decided.id));
  if (!IsUnfinished(record, now)) {
    return Fail(ErrorCode::kConflict,
                "the deployment is " + std::string(Name(PhaseOf(record, now))));
  }
  record.definition = EncodeDeployment(decided.definition);
  COMITY_RETURN_IF_ERROR(transaction.deployments().Change(record, DeploymentState::kActive));
  audit::Event event = EventOf(audit::kDeploymentChanged, record.id);
  event.committed["definition"] = record.definition;
  event.committed["reason"] = decided.reason;
  event.committed["operator"] = decided.proposed_by;
  event.committed["approver"] = decided.approved_by;
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

Status Deployments::Refresh(const policy::DeploymentId& id) {
  const std::lock_guard refreshing(refresh_mutex_);
  Result<DeploymentRecord> record = Fail(ErrorCode::kInternal, "not read");
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    record = transaction.deployments().Get(id);
    return {};
  }));
  if (!record) return Fail(record.error());
  COMITY_ASSIGN_OR_RETURN(Item item, ItemOf(*std::move(record)));
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(id);
    const bool is_new = found == items_.end();
    const bool is_same = !is_new && *found->second.definition == *item.definition;
    if (item.record.state != DeploymentState::kActive) {
      items_.erase(id);
    } else {
      if (!is_new) item.tally = found->second.tally;
      if (is_same) item.definition = found->second.definition;
      items_[id] = std::move(item);
      if (is_new || is_same) return {};
    }
    calls = TakeListeners(id);
  }
  for (const auto& call : calls) (*call)();
  ports_.barrier.Drain();
  return {};
}

Result<DeploymentStatus> Deployments::Find(const policy::DeploymentId& id) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(id);
    if (found != items_.end()) return StatusOf(found->second);
  }
  Result<DeploymentRecord> record = Fail(ErrorCode::kInternal, "not read");
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    record = transaction.deployments().Get(id);
    return {};
  }));
  if (!record) {
    if (record.error().code == ErrorCode::kNotFound) return NoSuchDeployment();
    return Fail(record.error());
  }
  COMITY_ASSIGN_OR_RETURN(const Item item, ItemOf(*std::move(record)));
  return StatusOf(item);
}

Result<std::vector<DeploymentStatus>> Deployments::List(std::uint32_t limit) const {
  std::vector<DeploymentRecord> records;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(records, transaction.deployments().Newest(limit));
    return {};
  }));
  std::vector<DeploymentStatus> all;
  for (DeploymentRecord& record : records) {
    COMITY_ASSIGN_OR_RETURN(Item item, ItemOf(std::move(record)));
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(item.record.id);
    if (found != items_.end()) item.tally = found->second.tally;
    all.push_back(StatusOf(item));
  }
  return all;
}

std::vector<DeploymentStatus> Deployments::Unfinished() const {
  std::vector<DeploymentStatus> unfinished;
  const policy::Instant now = ports_.clock.Now();
  const std::lock_guard lock(mutex_);
  for (const auto& [id, item] : items_) {
    if (IsUnfinished(item.record, now)) unfinished.push_back(StatusOf(item));
  }
  return unfinished;
}

bool Deployments::IsActive(const policy::DeploymentId& id) const {
  const policy::Instant now = ports_.clock.Now();
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(id);
  return found != items_.end() && PhaseOf(found->second.record, now) == DeploymentPhase::kActive;
}

Result<std::shared_ptr<DeploymentTally>> Deployments::TallyOf(
    const policy::DeploymentId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(id);
  if (found == items_.end()) return NoSuchDeployment();
  return found->second.tally;
}

Status Deployments::Stop(const policy::DeploymentId& id, std::string_view reason,
                         std::string_view operator_id) {
  COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("the reason", reason, kMaxStopReason));
  COMITY_ASSIGN_OR_RETURN(const DeploymentStatus status, Find(id));
  if (status.phase != DeploymentPhase::kPlanned && status.phase != DeploymentPhase::kActive) {
    return Fail(ErrorCode::kConflict, "the deployment is " + std::string(Name(status.phase)));
  }
  audit::Event event = EventOf(audit::kDeploymentStopped, id);
  event.committed["reason"] = std::string(reason);
  event.committed["operator"] = std::string(operator_id);
  const policy::Instant at = event.time;
  return End(id, {DeploymentState::kStopped, at, std::move(event)});
}

Result<Deployments::Subscription> Deployments::OnEnd(const policy::DeploymentId& id,
                                                     std::function<void()> on_end) {
  {
    const std::lock_guard lock(mutex_);
    if (items_.contains(id)) {
      const std::uint64_t key = next_key_++;
      listeners_[key] = {.id = id,
                         .call = std::make_shared<const std::function<void()>>(std::move(on_end))};
      return Subscription(this, key);
    }
  }
  COMITY_RETURN_IF_ERROR(Find(id));
  return Fail(ErrorCode::kConflict, "the deployment is stopped or over");
}

void Deployments::Cancel(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(key);
}

void Deployments::Distrust() {
  const std::lock_guard refreshing(refresh_mutex_);
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return;
    items_.clear();
    for (const auto& [key, listener] : std::exchange(listeners_, {})) {
      calls.push_back(listener.call);
    }
  }
  for (const auto& call : calls) (*call)();
  ports_.barrier.Drain();
}

Deployments::Calls Deployments::TakeListeners(const policy::DeploymentId& id) {
  Calls calls;
  std::erase_if(listeners_, [&](const auto& item) {
    if (item.second.id != id) return false;
    calls.push_back(item.second.call);
    return true;
  });
  return calls;
}

}  // namespace comity::matching
