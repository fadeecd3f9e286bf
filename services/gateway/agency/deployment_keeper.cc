// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/deployment_keeper.h"

#include <algorithm>

#include "policy/decide/decide.h"
#include "services/gateway/federation/list_validation.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/sealed_mode.h"
#include "services/matching/search_order.h"

namespace comity::gateway {
namespace {

using matching::DeploymentPhase;
using std::chrono::steady_clock;
using store::HolderState;

constexpr std::chrono::milliseconds kTick{500};
constexpr std::chrono::seconds kAskAgain{2};    // a holder that was out of reach
constexpr std::chrono::seconds kFirstPause{5};  // one whose lists are stale, or that refuses
constexpr std::chrono::seconds kLongestPause{600};

// The terms that a holder would be asked under now: of the first agreement that permits, else of
// the first that is known.
std::optional<policy::SearchRequest> TermsOf(const matching::DeploymentStatus& deployment,
                                             const AskedHolder& asked, const policy::AgencyId& self,
                                             const matching::RequesterPorts& search) {
  const auto order =
      matching::OrderOf(*deployment.definition, deployment.id, deployment.created_by, self);
  const auto agreements = search.agreements();
  const policy::Instant now = search.clock.Now();
  std::optional<policy::SearchRequest> first;
  for (const policy::AgreementId& id : asked.agreements) {
    const policy::AgreementVersion* const version = agreements->FindCurrent(id, now);
    if (version == nullptr) continue;
    policy::SearchRequest request = order->request;
    request.holder = asked.holder;
    request.agreement = version->ref;
    request.mode = matching::ChooseMode(*order, asked.holder, asked.agreements, *agreements, now);
    if (policy::Consider(*agreements, request, now).capacity) return request;
    if (!first) first = std::move(request);
  }
  return first;
}

}  // namespace

DeploymentKeeper::DeploymentKeeper(Ports ports)
    : ports_(ports), thread_([this](const std::stop_token& stop) { Keep(stop); }) {}

DeploymentKeeper::~DeploymentKeeper() {
  thread_.request_stop();
  Poke();
  if (thread_.joinable()) thread_.join();
  for (auto& [holder, asker] : askers_) asker->thread.request_stop();
}

void DeploymentKeeper::Poke() {
  progress_.With([](Progress& progress) { progress.poked = true; });
}

void DeploymentKeeper::Await(const policy::DeploymentId& deployment,
                             std::chrono::milliseconds patience) {
  Poke();
  progress_.WaitUntil(
      {}, steady_clock::now() + patience,
      [&](const Progress& progress) { return progress.asked.contains(deployment); },
      [](Progress&) {});
}

void DeploymentKeeper::Keep(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Look();
    progress_.WaitUntil(
        stop, steady_clock::now() + kTick, [](const Progress& progress) { return progress.poked; },
        [](Progress& progress) { progress.poked = false; });
  }
}

void DeploymentKeeper::Look() {
  const auto unfinished = ports_.deployments.Unfinished();
  ports_.validations.Keep(unfinished);
  const auto is_gone = [&](const policy::DeploymentId& id) {
    return std::ranges::none_of(unfinished, [&](const auto& one) { return one.id == id; });
  };
  progress_.With([&](Progress& progress) {
    std::erase_if(progress.attempts, [&](const auto& item) { return is_gone(item.first.first); });
    std::erase_if(progress.asked, is_gone);
  });
  for (const matching::DeploymentStatus& deployment : unfinished) {
    if (deployment.phase == DeploymentPhase::kActive) LookAt(deployment);
  }
}

void DeploymentKeeper::LookAt(const matching::DeploymentStatus& deployment) {
  const auto holders = HoldersOf(deployment.definition->agreements, *ports_.search.agreements(),
                                 ports_.self, ports_.search.clock.Now());
  if (!deployment.activated_at) {
    const Status activated = ports_.deployments.Activate(deployment.id, holders.size());
    if (!activated) {
      ports_.logger.Error("activation-failed", {{"reason", activated.error().detail}});
      return;
    }
  }
  for (const AskedHolder& asked : holders) {
    if (IsDue(deployment, asked)) Give({deployment, asked});
  }
  progress_.With([&](Progress& progress) {
    const bool all = std::ranges::all_of(holders, [&](const AskedHolder& asked) {
      const Key key(deployment.id, asked.holder);
      return progress.attempts.contains(key) ||
             ports_.validations.IsValidated(deployment.id, asked.holder);
    });
    if (all) progress.asked.insert(deployment.id);
  });
}

bool DeploymentKeeper::IsDue(const matching::DeploymentStatus& deployment,
                             const AskedHolder& asked) {
  return progress_.With([&](Progress& progress) {
    // Under the lock: whoever asked takes it to say so, after what the holder said is kept. A
    // holder that is asked a second time may be out of reach by then.
    if (ports_.validations.IsValidated(deployment.id, asked.holder)) return false;
    const Key key(deployment.id, asked.holder);
    const auto tried = progress.attempts.find(key);
    if (tried != progress.attempts.end() && steady_clock::now() < tried->second.next) return false;
    return progress.under_way.insert(key).second;
  });
}

void DeploymentKeeper::Give(Task task) {
  auto& asker = askers_[task.asked.holder];
  if (!asker) {
    asker = std::make_unique<Asker>();
    asker->thread =
        std::jthread([this, &asked = *asker](const std::stop_token& stop) { Serve(asked, stop); });
  }
  asker->tasks.With([&](std::deque<Task>& tasks) { tasks.push_back(std::move(task)); });
}

void DeploymentKeeper::Serve(Asker& asker, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<Task> task;
    const bool any = asker.tasks.WaitThen(
        stop, [](const std::deque<Task>& tasks) { return !tasks.empty(); },
        [&](std::deque<Task>& tasks) {
          task = std::move(tasks.front());
          tasks.pop_front();
        });
    if (any) Ask(*task, stop);
  }
}

void DeploymentKeeper::Ask(const Task& task, const std::stop_token& stop) {
  const auto standing = AskOnce(task, stop);
  // One that is out of reach is tried often; one that has answered logs each time that it is asked.
  const bool answered = standing && standing->state != HolderState::kUnreachable;
  if (!standing) {
    ports_.logger.Error("validation-not-stored", {{"holder", task.asked.holder.text()},
                                                  {"reason", standing.error().detail}});
  }
  progress_.With([&](Progress& progress) {
    const Key key(task.deployment.id, task.asked.holder);
    progress.under_way.erase(key);
    Attempt& attempt = progress.attempts[key];
    attempt.pause =
        answered ? std::clamp(2 * attempt.pause, kFirstPause, kLongestPause) : kAskAgain;
    attempt.next = steady_clock::now() + attempt.pause;
    progress.poked = true;
  });
}

Result<matching::ListValidations::Standing> DeploymentKeeper::AskOnce(const Task& task,
                                                                      const std::stop_token& stop) {
  const matching::DeploymentStatus& deployment = task.deployment;
  const policy::AgencyId& holder = task.asked.holder;
  const auto terms = TermsOf(deployment, task.asked, ports_.self, ports_.search);
  if (!terms) {
    return ports_.validations.Unreachable(deployment, holder, "no agreement is known here");
  }
  v1::ValidateListsRequest request;
  *request.mutable_terms() = ToProto(*terms);
  request.set_deployment(deployment.id.text());
  *request.mutable_starts_at() = ToProto(deployment.definition->starts_at);
  const auto validated = ports_.peers.ValidateLists(holder, std::move(request), stop);
  if (!validated) {
    return ports_.validations.Unreachable(deployment, holder,
                                          std::string(Name(validated.error().code)));
  }
  auto said = FromProto(validated->reply);
  if (!said) {
    return ports_.validations.Unreachable(deployment, holder, "its answer is malformed");
  }
  said->messages = {{"request", validated->request}, {"reply", validated->answer}};
  return ports_.validations.Judge(deployment, holder, *said);
}

}  // namespace comity::gateway
