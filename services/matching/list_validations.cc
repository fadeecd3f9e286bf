// SPDX-License-Identifier: Apache-2.0
#include "services/matching/list_validations.h"

#include <algorithm>

#include "services/audit/events.h"

namespace comity::matching {
namespace {

using store::HolderState;
using Standing = ListValidations::Standing;

constexpr std::size_t kMaxReason = 500;

Standing StandingOf(const DeploymentStatus& deployment, const policy::AgencyId& holder,
                    policy::Instant now) {
  Standing standing;
  standing.deployment = deployment.id;
  standing.holder = holder;
  standing.checked_at = now;
  return standing;
}

void JudgeAge(const Deployment& definition, const HolderValidation& said, policy::Instant now,
              Standing& standing) {
  const policy::Instant oldest = definition.starts_at - ListValidations::kOldest;
  standing.state = HolderState::kStale;
  if (!said.validated_at) {
    standing.reason = "the holder has no list for this deployment";
  } else if (*said.validated_at < oldest) {
    standing.reason = "a list was validated at " + policy::EncodeInstant(*said.validated_at) +
                      ", earlier than 24 hours before the start";
  } else if (said.entries == 0 && said.stale > 0) {
    standing.reason = "all of its " + std::to_string(said.stale) +
                      " entries wait for somebody there to look at them again";
  } else if (*said.validated_at > now + std::chrono::seconds(60)) {
    standing.reason = "a list claims to be validated in the future";
  } else {
    standing.state = HolderState::kValidated;
    standing.reason =
        said.stale == 0 ? std::string() : std::to_string(said.stale) + " stale entries left out";
  }
}

}  // namespace

Result<std::unique_ptr<ListValidations>> ListValidations::Open(
    Ports ports, const std::vector<DeploymentStatus>& unfinished) {
  std::unique_ptr<ListValidations> validations(new ListValidations(std::move(ports)));
  for (const DeploymentStatus& deployment : unfinished) {
    COMITY_ASSIGN_OR_RETURN(auto standings, validations->Of(deployment.id));
    for (Standing& standing : standings) {
      Key key(standing.deployment, standing.holder);
      validations->standings_.insert_or_assign(std::move(key), std::move(standing));
    }
  }
  return validations;
}

bool ListValidations::IsValidated(const policy::DeploymentId& deployment,
                                  const policy::AgencyId& holder) const {
  const std::lock_guard lock(mutex_);
  const auto found = standings_.find(Key(deployment, holder));
  return found != standings_.end() && found->second.state == HolderState::kValidated;
}

std::optional<ListValidations::Standing> ListValidations::Find(
    const policy::DeploymentId& deployment, const policy::AgencyId& holder) const {
  const std::lock_guard lock(mutex_);
  const auto found = standings_.find(Key(deployment, holder));
  if (found == standings_.end()) return std::nullopt;
  return found->second;
}

Result<ListValidations::Standing> ListValidations::Judge(const DeploymentStatus& deployment,
                                                         const policy::AgencyId& holder,
                                                         const HolderValidation& said) {
  const policy::Instant now = ports_.clock.Now();
  Standing standing = StandingOf(deployment, holder, now);
  standing.validated_at = said.validated_at;
  standing.entries = said.entries;
  if (said.decision.permitted()) {
    JudgeAge(*deployment.definition, said, now, standing);
  } else {
    standing.state = HolderState::kRefused;
    standing.reason = "the holder refuses: " + std::string(policy::Name(said.decision.code));
  }
  COMITY_RETURN_IF_ERROR(Save(standing, said));
  return standing;
}

Result<ListValidations::Standing> ListValidations::Unreachable(const DeploymentStatus& deployment,
                                                               const policy::AgencyId& holder,
                                                               std::string_view reason) {
  Standing standing = StandingOf(deployment, holder, ports_.clock.Now());
  standing.state = HolderState::kUnreachable;
  standing.reason = reason.substr(0, kMaxReason);
  const auto before = Find(deployment.id, holder);
  if (before && before->state == HolderState::kUnreachable) return standing;
  COMITY_RETURN_IF_ERROR(Save(standing, {}));
  return standing;
}

Status ListValidations::Save(const Standing& standing, const HolderValidation& said) {
  audit::Event event;
  event.type = audit::kListsValidated;
  event.time = standing.checked_at;
  event.parties = {ports_.own_agency, standing.holder};
  event.agreement = said.decision.agreement;
  event.decision_code = std::string(standing.state == HolderState::kValidated
                                        ? policy::Name(policy::ReasonCode::kPermit)
                                    : standing.state == HolderState::kUnreachable ? "unreachable"
                                    : standing.state == HolderState::kRefused
                                        ? policy::Name(said.decision.code)
                                        : policy::Name(policy::ReasonCode::kListNotCovered));
  event.clauses = said.decision.clauses;
  event.committed = {{"deployment", standing.deployment.text()}, {"reason", standing.reason}};
  if (standing.validated_at) {
    event.committed["validated_at"] = policy::EncodeInstant(*standing.validated_at);
  }
  event.messages = said.messages;
  event.counts = {{"entries", static_cast<std::int64_t>(standing.entries)}};
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(transaction.deployments().PutHolder(standing));
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  const std::lock_guard lock(mutex_);
  standings_.insert_or_assign(Key(standing.deployment, standing.holder), standing);
  return {};
}

void ListValidations::Keep(const std::vector<DeploymentStatus>& unfinished) {
  const std::lock_guard lock(mutex_);
  std::erase_if(standings_, [&](const auto& item) {
    return std::none_of(unfinished.begin(), unfinished.end(),
                        [&](const auto& deployment) { return deployment.id == item.first.first; });
  });
}

Result<std::vector<ListValidations::Standing>> ListValidations::Of(
    const policy::DeploymentId& deployment) const {
  std::vector<Standing> standings;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(standings, transaction.deployments().Holders(deployment));
    return {};
  }));
  return standings;
}

}  // namespace comity::matching
