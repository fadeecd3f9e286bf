// SPDX-License-Identifier: Apache-2.0
// Deployments are started, changed, stopped and forgotten, and things are stopped and lifted, at
// random and across restarts; a model that knows nothing of the code says what each answer must be,
// and the log alone must explain where everything stands at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "crypto/tlog/entry.h"
#include "services/audit/events.h"
#include "services/audit/payload.h"
#include "services/matching/deployments.h"
#include "services/oversight/stops.h"
#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using matching::Deployment;
using matching::DeploymentPhase;
using matching::Deployments;
using policy::DeploymentId;
using policy::Instant;
using std::chrono::minutes;
using testing::FailsWith;
using testing::IsOk;

constexpr int kWalks = 20;
constexpr int kSteps = 500;
constexpr std::size_t kRoom = 6;

struct ModelDeployment {
  Instant starts{};
  Instant ends{};
  double threshold = 0.5;
  bool stopped = false;
  bool processed = false;  // its end is stored
  bool closed = false;
  std::uint64_t faces = 0;  // known to the store, or counted since
  std::uint64_t unsaved = 0;
  std::uint64_t false_alerts = 0;
  std::vector<Instant> alerts;  // when each that is kept expires
};

struct ModelStop {
  std::string scope;
  std::string reference;
  std::string by;
  bool lifted = false;
};

class ControlWalk : public OversightTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override { Restart(); }

  // As after a crash: what was counted and not stored is gone.
  void Restart() {
    stops_.reset();
    deployments_.reset();
    agency_.Reopen();
    deployments_ = Deployments::Open({agency_.own, agency_.store(), agency_.journal(),
                                      agency_.clock, agency_.random, barrier_, kRoom})
                       .value();
    notices_now_.emplace(
        identity::Notices::Setup{agency_.store(), agency_.journal(), agency_.own, agency_.clock});
    partners_.emplace(PartnerNotices::Setup{outbox_, *notices_now_, agency_.clock});
    stops_ = Stops::Open({agency_.store(),
                          agency_.journal(),
                          *notices_now_,
                          *partners_,
                          agency_.own,
                          agency_.clock,
                          agency_.random,
                          {},
                          {}})
                 .value();
    for (auto& [id, model] : models_) {
      model.faces -= model.unsaved;
      model.unsaved = 0;
    }
  }

  std::size_t Pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  Instant Now() const { return agency_.clock.Now(); }
  DeploymentPhase PhaseOf(const ModelDeployment& model) const {
    if (model.closed) return DeploymentPhase::kClosed;
    if (model.stopped) return DeploymentPhase::kStopped;
    if (Now() >= model.ends) return DeploymentPhase::kOver;
    return Now() < model.starts ? DeploymentPhase::kPlanned : DeploymentPhase::kActive;
  }
  bool IsUnfinished(const ModelDeployment& model) const {
    const DeploymentPhase phase = PhaseOf(model);
    return phase == DeploymentPhase::kPlanned || phase == DeploymentPhase::kActive;
  }
  std::pair<const DeploymentId, ModelDeployment>* Any() {
    if (models_.empty()) return nullptr;
    // Mostly young ones: most of the old ones are closed.
    const std::size_t last = std::min<std::size_t>(order_.size(), 8);
    const DeploymentId& id = order_.at(order_.size() - 1 - Pick(last));
    return &*models_.find(id);
  }
  Deployment Definition(const ModelDeployment& model) const;
  Status Commit(const std::function<Status(store::Transaction&, audit::Recorder&)>& work) {
    return agency_.journal().Commit(work);
  }

  void StartOne();
  void ChangeOne();
  void StopOne();
  void Count();
  void CountFalse();
  void KeepAnAlert();
  void LetTimePass();
  void Housekeep();
  void SetStop();
  void LiftStop();
  void Walk();
  void Check();
  void CheckLog();

  std::mt19937_64 random_{7919U * static_cast<std::uint64_t>(GetParam() + 1)};
  matching::AnswerBarrier barrier_;
  std::optional<identity::Notices> notices_now_;
  std::optional<PartnerNotices> partners_;
  std::unique_ptr<Deployments> deployments_;
  std::unique_ptr<Stops> stops_;
  std::map<DeploymentId, ModelDeployment> models_;
  std::vector<DeploymentId> order_;
  std::map<std::string, ModelStop> stop_models_;
  int alerts_ = 0;
};

Deployment ControlWalk::Definition(const ModelDeployment& model) const {
  Deployment definition;
  definition.agreements = {policy::AgreementId::Parse("northshire-eastvale").value()};
  definition.purpose = policy::PurposeCode::Parse("court-order-arrest").value();
  definition.list_categories = {policy::ListCategory::Parse("wanted-by-courts").value()};
  definition.engine = {"facenet", "20180402", 128};
  definition.engine_name = "cameras";
  definition.threshold = model.threshold;
  definition.place = "Old Bridge";
  definition.reason = "market day";
  definition.case_ref = "EV-7";
  definition.starts_at = model.starts;
  definition.ends_at = model.ends;
  definition.mode = policy::SearchMode::kDirect;
  definition.expected_faces = 1000;
  definition.false_match_rate = 1e-6;
  definition.test_report = "report";
  definition.faces_per_false_alert = 1000;
  return definition;
}

void ControlWalk::StartOne() {
  ModelDeployment model;
  model.starts = Now() + minutes(Pick(40)) - minutes(5);
  model.ends = model.starts + minutes(1 + Pick(24 * 60 + 20));
  // Sometimes one that exists already.
  const bool again = !order_.empty() && Pick(10) == 0;
  const DeploymentId id = again ? order_.back() : deployments_->NewId();
  const auto unfinished = static_cast<std::size_t>(std::count_if(
      models_.begin(), models_.end(), [&](const auto& item) { return IsUnfinished(item.second); }));
  Status expected;
  if (model.ends - model.starts > std::chrono::hours(24) || model.ends <= Now()) {
    expected = Fail(ErrorCode::kInvalidArgument, "");
  } else if (unfinished >= kRoom) {
    expected = Fail(ErrorCode::kExhausted, "");
  } else if (again) {
    expected = Fail(ErrorCode::kConflict, "");
  }
  const Status started = Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
    return deployments_->Start(transaction, recorder, {id, Definition(model), {}, "ada", "grace"});
  });
  ASSERT_EQ(started.has_value(), expected.has_value());
  if (!expected) {
    ASSERT_EQ(started.error().code, expected.error().code);
    return;
  }
  ASSERT_THAT(deployments_->Refresh(id), IsOk());
  models_[id] = model;
  order_.push_back(id);
}

void ControlWalk::ChangeOne() {
  auto* const one = Any();
  if (one == nullptr) return;
  ModelDeployment changed = one->second;
  changed.threshold = 0.5 + 0.01 * static_cast<double>(Pick(40));
  const Status status = Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
    return deployments_->Change(transaction, recorder,
                                {one->first, Definition(changed), "light", "ada", "grace"});
  });
  ASSERT_EQ(status.has_value(), IsUnfinished(one->second));
  if (!status) return;
  ASSERT_THAT(deployments_->Refresh(one->first), IsOk());
  one->second.threshold = changed.threshold;
}

void ControlWalk::StopOne() {
  auto* const one = Any();
  if (one == nullptr) return;
  const Status status = deployments_->Stop(one->first, "done", "ada");
  if (!IsUnfinished(one->second)) {
    ASSERT_THAT(status, FailsWith(ErrorCode::kConflict));
    return;
  }
  ASSERT_THAT(status, IsOk());
  one->second.stopped = true;
  one->second.processed = true;
  one->second.unsaved = 0;
}

void ControlWalk::Count() {
  auto* const one = Any();
  if (one == nullptr) return;
  const auto tally = deployments_->TallyOf(one->first);
  ASSERT_EQ(tally.has_value(), !one->second.processed);
  if (!tally) return;
  (*tally)->Face();
  ++one->second.faces;
  ++one->second.unsaved;
}

void ControlWalk::CountFalse() {
  auto* const one = Any();
  if (one == nullptr) return;
  ASSERT_THAT(Commit([&](store::Transaction& transaction, audit::Recorder&) -> Status {
                COMITY_ASSIGN_OR_RETURN(const auto counted, deployments_->CountFalseAlert(
                                                                transaction, one->first, kEast));
                EXPECT_EQ(counted.false_alerts, one->second.false_alerts + 1);
                EXPECT_EQ(counted.faces, one->second.faces);
                return {};
              }),
              IsOk());
  ASSERT_THAT(deployments_->Refresh(one->first), IsOk());
  ++one->second.false_alerts;
}

void ControlWalk::KeepAnAlert() {
  auto* const one = Any();
  if (one == nullptr || one->second.closed) return;
  store::AlertRecord alert;
  alert.id = "a-" + std::to_string(alerts_++);
  alert.deployment = one->first;
  alert.holder = kEast;
  alert.expires_at = Now() + minutes(Pick(300));
  alert.wrapped_key = Bytes(4, 1);
  alert.sealed = Bytes(4, 1);
  ASSERT_THAT(Commit([&](store::Transaction& transaction, audit::Recorder&) {
                return transaction.alerts().Put(alert);
              }),
              IsOk());
  one->second.alerts.push_back(alert.expires_at);
}

void ControlWalk::LetTimePass() {
  agency_.clock.Advance(std::chrono::seconds(Pick(Pick(4) == 0 ? 40'000 : 600)));
  ASSERT_THAT(Commit([&](store::Transaction& transaction, audit::Recorder&) -> Status {
                COMITY_RETURN_IF_ERROR(transaction.alerts().EraseExpired(Now()));
                return {};
              }),
              IsOk());
  for (auto& [id, model] : models_) {
    std::erase_if(model.alerts, [&](Instant expires) { return expires <= Now(); });
  }
}

void ControlWalk::Housekeep() {
  ASSERT_THAT(deployments_->Housekeep(), IsOk());
  for (auto& [id, model] : models_) {
    model.unsaved = 0;
    if (!model.stopped && Now() >= model.ends) model.processed = true;
    if (model.processed && model.alerts.empty()) model.closed = true;
  }
}

void ControlWalk::SetStop() {
  static const std::vector<std::pair<StopScope, std::string>> kThings = {
      {StopScope::kPartner, "eastvale-council"}, {StopScope::kAgreement, "northshire-eastvale"},
      {StopScope::kWatchlist, "lantern"},        {StopScope::kDeployment, "d-one"},
      {StopScope::kDeployment, "d-two"},
  };
  const auto& [scope, reference] = kThings.at(Pick(kThings.size()));
  const std::vector<std::string> people = {"ada", "grace", "alan", "alarm"};
  const std::string by = people.at(Pick(people.size()));
  const bool again = std::any_of(stop_models_.begin(), stop_models_.end(), [&](const auto& item) {
    return !item.second.lifted && item.second.scope == Name(scope) &&
           item.second.reference == reference && item.second.by == by;
  });
  const StopOrder order{scope, reference, "complaint", {}};
  std::string id;
  if (by == Stops::kAlarm) {
    ASSERT_THAT(Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
                  COMITY_ASSIGN_OR_RETURN(const auto stop,
                                          stops_->SetByAlarm(transaction, recorder, order));
                  if (stop) id = stop->id;
                  return {};
                }),
                IsOk());
    ASSERT_THAT(stops_->Refresh(), IsOk());
    ASSERT_EQ(id.empty(), again);
  } else {
    const auto stop = stops_->Set(order, policy::PersonId::Parse(by).value());
    ASSERT_EQ(stop.has_value(), !again);
    if (stop) id = stop->id;
  }
  if (!id.empty()) stop_models_[id] = {std::string(Name(scope)), reference, by};
}

void ControlWalk::LiftStop() {
  if (stop_models_.empty()) return;
  auto stop = stop_models_.begin();
  std::advance(stop, static_cast<std::ptrdiff_t>(Pick(stop_models_.size())));
  const Status lifted =
      Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(stops_->Lift(transaction, recorder, stop->first,
                                            policy::PersonId::Parse("grace").value(), "ok"));
        return {};
      });
  ASSERT_EQ(lifted.has_value(), !stop->second.lifted);
  ASSERT_THAT(stops_->Refresh(), IsOk());
  stop->second.lifted = true;
}

void ControlWalk::Check() {
  if (auto* const one = Any(); one != nullptr) {
    const auto found = deployments_->Find(one->first);
    ASSERT_THAT(found, IsOk());
    ASSERT_EQ(found->phase, PhaseOf(one->second)) << one->first.text();
    ASSERT_EQ(found->faces, one->second.faces);
    ASSERT_EQ(found->false_alerts, one->second.false_alerts);
    ASSERT_EQ(found->definition->threshold, one->second.threshold);
    ASSERT_EQ(deployments_->IsActive(one->first), PhaseOf(one->second) == DeploymentPhase::kActive);
  }
  const auto stands = [&](std::string_view scope, std::string_view reference) {
    return std::any_of(stop_models_.begin(), stop_models_.end(), [&](const auto& item) {
      return !item.second.lifted && item.second.scope == scope &&
             item.second.reference == reference;
    });
  };
  const std::string deployment = Pick(2) == 0 ? "d-one" : "d-two";
  const bool covered = stands("partner", "eastvale-council") ||
                       stands("agreement", "northshire-eastvale") ||
                       stands("deployment", deployment);
  ASSERT_EQ(stops_->Standing()->Cover("eastvale-council", "northshire-eastvale", deployment),
            covered);
  ASSERT_EQ(stops_->Find(StopScope::kWatchlist, "lantern").has_value(),
            stands("watchlist", "lantern"));
}

// What the log says of one deployment or stop: its events, in order.
void ControlWalk::CheckLog() {
  std::map<std::string, std::vector<std::string>> story;
  std::uint64_t size = 0;
  ASSERT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(size, transaction.audit().Size());
    return {};
  }),
              IsOk());
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto opened = audit::OpenPayload(agency_.store(), agency_.kek(), i);
    ASSERT_THAT(opened, IsOk());
    const auto entry = tlog::ParseEntry(AsText(opened->entry));
    ASSERT_THAT(entry, IsOk());
    if (entry->type.starts_with("deployment-")) {
      story[opened->fields.at("deployment")].push_back(entry->type);
    } else if (entry->type.starts_with("stop-")) {
      story[opened->fields.at("stop")].push_back(entry->type);
    }
  }
  for (const auto& [id, model] : models_) {
    auto events = story[id.text()];
    std::erase(events, std::string(audit::kDeploymentChanged));
    std::vector<std::string> expected = {std::string(audit::kDeploymentCreated)};
    if (model.processed) {
      expected.emplace_back(model.stopped ? audit::kDeploymentStopped : audit::kDeploymentOver);
    }
    if (model.closed) expected.emplace_back(audit::kDeploymentClosed);
    ASSERT_EQ(events, expected) << id.text();
  }
  for (const auto& [id, model] : stop_models_) {
    std::vector<std::string> expected = {std::string(audit::kStopSet)};
    if (model.lifted) expected.emplace_back(audit::kStopLifted);
    ASSERT_EQ(story[id], expected) << id;
  }
  ASSERT_EQ(story.size(), models_.size() + stop_models_.size());
}

void ControlWalk::Walk() {
  using Step = void (ControlWalk::*)();
  const std::vector<std::pair<int, Step>> steps = {
      {10, &ControlWalk::StartOne},    {8, &ControlWalk::ChangeOne},
      {5, &ControlWalk::StopOne},      {25, &ControlWalk::Count},
      {5, &ControlWalk::CountFalse},   {5, &ControlWalk::KeepAnAlert},
      {12, &ControlWalk::LetTimePass}, {8, &ControlWalk::Housekeep},
      {10, &ControlWalk::SetStop},     {10, &ControlWalk::LiftStop},
      {2, &ControlWalk::Restart},
  };
  for (int step = 0; step < kSteps; ++step) {
    int choice = static_cast<int>(Pick(100));
    for (const auto& [weight, run] : steps) {
      if ((choice -= weight) >= 0) continue;
      (this->*run)();
      break;
    }
    if (HasFatalFailure()) FAIL() << "step " << step;
    Check();
    if (HasFatalFailure()) FAIL() << "step " << step;
  }
}

TEST_P(ControlWalk, AgreesWithTheModelAndIsExplainedByTheLog) {
  Walk();
  CheckLog();
  // The walk went somewhere.
  EXPECT_GT(models_.size(), 10u);
  EXPECT_GT(stop_models_.size(), 5u);
}

INSTANTIATE_TEST_SUITE_P(Walks, ControlWalk, ::testing::Range(0, kWalks));

}  // namespace
}  // namespace comity::oversight
