// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployments.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "services/audit/events.h"
#include "services/matching/exchange_id.h"

namespace comity::matching {
namespace {

constexpr std::size_t kMaxStopReason = 1000;

tl::unexpected<Error> NoSuchDeployment() {
  return Fail(ErrorCode::kNotFound,
              "no such deployment; `comity deployment list` names those there are");
}

store::DeploymentRecord RecordOf(const DeploymentStatus& status) {
  return {.id = status.id,
          .state = store::DeploymentState::kActive,
          .created_at = status.created_at,
          .starts_at = status.definition->starts_at,
          .ends_at = status.definition->ends_at,
          .created_by = status.created_by,
          .definition = EncodeDeployment(*status.definition)};
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
  COMITY_RETURN_IF_ERROR(deployments->Load());
  return deployments;
}

Status Deployments::Load() {
  std::vector<store::DeploymentRecord> records;
  const auto read = [&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(records, transaction.deployments().All());
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.store.Read(read));
  std::lock_guard lock(mutex_);
  for (const store::DeploymentRecord& record : records) {
    COMITY_ASSIGN_OR_RETURN(Deployment definition, ParseDeployment(record.definition));
    items_[record.id] = {.definition = std::make_shared<const Deployment>(std::move(definition)),
                         .created_at = record.created_at,
                         .created_by = record.created_by,
                         .stopped = record.state == store::DeploymentState::kStopped};
  }
  return {};
}

DeploymentStatus Deployments::StatusOf(const policy::DeploymentId& id, const Item& item) const {
  const policy::Instant now = ports_.clock.Now();
  DeploymentPhase phase = DeploymentPhase::kActive;
  if (item.stopped) {
    phase = DeploymentPhase::kStopped;
  } else if (now >= item.definition->ends_at) {
    phase = DeploymentPhase::kOver;
  } else if (now < item.definition->starts_at) {
    phase = DeploymentPhase::kPlanned;
  }
  return {.id = id,
          .definition = item.definition,
          .created_at = item.created_at,
          .created_by = item.created_by,
          .phase = phase};
}

Status Deployments::CheckRoom(policy::Instant now) const {
  std::lock_guard lock(mutex_);
  const auto unfinished = std::count_if(items_.begin(), items_.end(), [&](const auto& item) {
    return !item.second.stopped && now < item.second.definition->ends_at;
  });
  if (static_cast<std::size_t>(unfinished) < ports_.max_unfinished) return {};
  return Fail(ErrorCode::kExhausted,
              std::to_string(unfinished) + " deployments are planned or active; stop one first");
}

Result<DeploymentStatus> Deployments::Create(const Deployment& definition,
                                             std::string_view operator_id) {
  const policy::Instant now = ports_.clock.Now();
  COMITY_RETURN_IF_ERROR(CheckDeployment(definition, now));
  COMITY_RETURN_IF_ERROR(CheckRoom(now));
  const Item item{.definition = std::make_shared<const Deployment>(definition),
                  .created_at = now,
                  .created_by = std::string(operator_id)};
  const DeploymentStatus status = StatusOf(NewDeploymentId(ports_.random), item);
  const store::DeploymentRecord record = RecordOf(status);
  audit::Event event;
  event.type = audit::kDeploymentCreated;
  event.time = now;
  event.parties = {ports_.own_agency};
  event.committed = {{"deployment", status.id.text()},
                     {"definition", record.definition},
                     {"case_ref", definition.case_ref},
                     {"engine_name", definition.engine_name},
                     {"operator", std::string(operator_id)}};
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(transaction.deployments().Add(record));
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  std::lock_guard lock(mutex_);
  items_[status.id] = item;
  return status;
}

Result<DeploymentStatus> Deployments::Find(const policy::DeploymentId& id) const {
  std::lock_guard lock(mutex_);
  const auto found = items_.find(id);
  if (found == items_.end()) return NoSuchDeployment();
  return StatusOf(id, found->second);
}

std::vector<DeploymentStatus> Deployments::List() const {
  std::vector<DeploymentStatus> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, item] : items_) all.push_back(StatusOf(id, item));
  }
  std::sort(all.begin(), all.end(), [](const DeploymentStatus& a, const DeploymentStatus& b) {
    return std::tie(b.created_at, b.id) < std::tie(a.created_at, a.id);
  });
  return all;
}

Status Deployments::Stop(const policy::DeploymentId& id, std::string_view reason,
                         std::string_view operator_id) {
  if (reason.empty() || reason.size() > kMaxStopReason) {
    return Fail(ErrorCode::kInvalidArgument, "a reason of 1 to 1000 octets is needed to stop");
  }
  COMITY_ASSIGN_OR_RETURN(const DeploymentStatus status, Find(id));
  if (status.phase == DeploymentPhase::kStopped || status.phase == DeploymentPhase::kOver) {
    return Fail(ErrorCode::kConflict, "the deployment is " + std::string(Name(status.phase)));
  }
  audit::Event event;
  event.type = audit::kDeploymentStopped;
  event.time = ports_.clock.Now();
  event.parties = {ports_.own_agency};
  event.committed = {{"deployment", id.text()},
                     {"reason", std::string(reason)},
                     {"operator", std::string(operator_id)}};
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(
        transaction.deployments().SetState(id, store::DeploymentState::kStopped));
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  for (const auto& call : MarkStopped(id)) (*call)();
  ports_.barrier.Drain();
  return {};
}

std::vector<std::shared_ptr<const std::function<void()>>> Deployments::MarkStopped(
    const policy::DeploymentId& id) {
  std::vector<std::shared_ptr<const std::function<void()>>> calls;
  std::lock_guard lock(mutex_);
  items_[id].stopped = true;
  std::erase_if(listeners_, [&](const auto& item) {
    if (item.second.id != id) return false;
    calls.push_back(item.second.call);
    return true;
  });
  return calls;
}

Result<Deployments::Subscription> Deployments::OnStop(const policy::DeploymentId& id,
                                                      std::function<void()> on_stop) {
  std::lock_guard lock(mutex_);
  const auto found = items_.find(id);
  if (found == items_.end()) return NoSuchDeployment();
  if (found->second.stopped) return Fail(ErrorCode::kConflict, "the deployment is stopped");
  const std::uint64_t key = next_key_++;
  listeners_[key] = {.id = id,
                     .call = std::make_shared<const std::function<void()>>(std::move(on_stop))};
  return Subscription(this, key);
}

void Deployments::Cancel(std::uint64_t key) {
  std::lock_guard lock(mutex_);
  listeners_.erase(key);
}

}  // namespace comity::matching
