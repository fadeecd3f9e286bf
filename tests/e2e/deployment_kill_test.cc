// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at any step of the life of deployments and of stops, while an engine
// streams: what was started, changed, stopped or lifted is so, once, and a stop lets nothing
// through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "services/audit/events.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/two_agencies.h"
#include "tests/integration/opened_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Entry = OpenedLog::Entry;
using ::testing::IsEmpty;

constexpr int kUsualKills = 12;
constexpr double kLowered = 0.55;

class DeploymentKill : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(20);
    engine_ = std::make_unique<LiveEngine>([this] { return gateways_.engine(council()); },
                                           agencies_.entries());
    gateways_.Start();
  }
  LiveAgency& police() { return agencies_.police(); }
  LiveAgency& council() { return agencies_.council(); }

  using Two = KilledGateways::TwoPeopleAct;
  void DoByTwo(const LiveAgency& agency, const Two& two, const KilledGateways::Propose& propose) {
    v1::PendingAct act;
    gateways_.Step("propose " + two.subject,
                   [&] { act = gateways_.Proposed(agency, two, propose); });
    gateways_.Step("approve " + two.subject, [&] { gateways_.Approve(agency, two, act); });
    decided_[agency.name()].insert(std::string(two.act) + " " + two.subject);
  }

  // Each proposal has an id of its own: whoever does not know whether it is there looks for it.
  void Propose(const std::string& case_ref) {
    Two two{"deployment-start", "", "operator", "supervisor-1"};
    v1::PendingAct act;
    gateways_.Step("propose a deployment", [&] {
      act = gateways_.Proposed(
          council(), two,
          [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* pending) {
            v1::ProposeDeploymentRequest request;
            v1::ProposeDeploymentResponse response;
            *request.mutable_definition() = agencies_.Deployment(case_ref);
            const grpc::Status status =
                v1::Deployments::NewStub(channel)->Propose(&context, request, &response);
            *pending = response.pending();
            return status;
          });
    });
    deployment_ = act.subject().substr(act.subject().find(' ') + 1);
    gateways_.Step("start it", [&] { gateways_.Approve(council(), two, act); });
    decided_[council().name()].insert("deployment-start " + act.subject());
    cases_.insert(case_ref);
    deployments_.insert(deployment_);
  }
  v1::DeploymentSummary Show() {
    v1::GetDeploymentRequest request;
    v1::DeploymentSummary summary;
    request.set_deployment(deployment_);
    gateways_.Do(council(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Deployments::NewStub(channel)->Get(&context, request, &summary);
    });
    return summary;
  }
  void AwaitHits() {
    gateways_.Step("await hits", [&] {
      const std::uint64_t before = engine_->told().hits;
      if (!gateways_.Await("hits", [&] { return engine_->told().hits > before + 3; })) {
        ADD_FAILURE() << engine_->told().last << Show().DebugString();
      }
    });
  }
  void Lower() {
    DoByTwo(council(),
            {"threshold-lower", "deployment " + deployment_, "supervisor-1", "supervisor-2"},
            [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* act) {
              v1::ChangeDeploymentRequest request;
              request.set_deployment(deployment_);
              request.set_threshold(kLowered);
              request.set_reason("bad light");
              return v1::Deployments::NewStub(channel)->Change(&context, request, act);
            });
    EXPECT_EQ(Show().definition().threshold(), kLowered);
  }

  std::vector<v1::Stop> StopsAt(const LiveAgency& agency, bool all) {
    v1::ListStopsRequest request;
    v1::ListStopsResponse response;
    request.set_all(all);
    request.set_limit(1000);
    gateways_.Do(agency, "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Stops::NewStub(channel)->List(&context, request, &response);
    });
    return {response.stops().begin(), response.stops().end()};
  }
  std::string SetStop(const LiveAgency& agency, v1::StopScope scope, const std::string& reference) {
    std::string id;
    gateways_.Step("stop " + reference, [&] {
      v1::SetStopRequest request;
      v1::Stop stop;
      request.set_scope(scope);
      request.set_reference(reference);
      request.set_reason("a complaint is being looked into");
      gateways_.Do(agency, "supervisor-1", [&](const auto& channel, grpc::ClientContext& context) {
        return v1::Stops::NewStub(channel)->Set(&context, request, &stop);
      });
      engine_->ExpectHalt(true);
      id = stop.stop();
    });
    const auto standing = StopsAt(agency, false);
    EXPECT_EQ(standing.size(), 1u);
    if (id.empty() && !standing.empty()) id = standing.front().stop();
    stops_[agency.name()].insert(id);
    return id;
  }
  void Lift(const LiveAgency& agency, const std::string& stop) {
    const Two two{"stop-lift", "stop " + stop, "supervisor-1", "supervisor-2"};
    v1::PendingAct act;
    gateways_.Step("propose to lift", [&] {
      act = gateways_.Proposed(
          agency, two,
          [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* pending) {
            v1::LiftStopRequest request;
            request.set_stop(stop);
            request.set_reason("the complaint was unfounded");
            return v1::Stops::NewStub(channel)->Lift(&context, request, pending);
          });
    });
    EXPECT_EQ(StopsAt(agency, false).size(), 1u) << "one person alone does not lift it";
    engine_->ExpectHalt(false);
    gateways_.Step("lift", [&] { gateways_.Approve(agency, two, act); });
    decided_[agency.name()].insert("stop-lift stop " + stop);
    EXPECT_THAT(StopsAt(agency, false), IsEmpty());
  }
  void StopAndLift(const LiveAgency& agency, v1::StopScope scope, const std::string& reference) {
    Lift(agency, SetStop(agency, scope, reference));
    AwaitHits();
  }
  void StopForGood() {
    gateways_.Step("stop the deployment", [&] {
      v1::StopDeploymentRequest request;
      request.set_deployment(deployment_);
      request.set_reason("the market is over");
      gateways_.Do(council(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
        v1::StopDeploymentResponse response;
        return v1::Deployments::NewStub(channel)->Stop(&context, request, &response);
      });
      engine_->ExpectHalt(true);
    });
    EXPECT_EQ(Show().state(), "stopped");
    const auto refused = EngineClient::Open(gateways_.engine(council()), deployment_, clock_);
    EXPECT_THAT(refused, FailsWith(ErrorCode::kConflict));
    engine_->Stop();
    engine_->ExpectHalt(false);
  }

  void Live(int round) {
    Propose("case-" + std::to_string(round));
    engine_->Start(deployment_);
    AwaitHits();
    Lower();
    AwaitHits();
    StopAndLift(council(), v1::STOP_SCOPE_DEPLOYMENT, deployment_);
    StopAndLift(police(), v1::STOP_SCOPE_PARTNER, council().name());
    StopAndLift(police(), v1::STOP_SCOPE_WATCHLIST, "lantern");
    StopForGood();
  }

  void CheckDecisions(const OpenedLog& log, const LiveAgency& agency) {
    for (const auto& type : {audit::kApprovalProposed, audit::kApprovalDecided}) {
      log.ExpectEachOnce(
          type,
          [](const Entry& entry) {
            const std::string act = entry.Field("act");
            return act == "watchlist-approve" ? "" : act + " " + entry.Field("subject");
          },
          decided_[agency.name()]);
    }
    const auto stop = [](const Entry& entry) { return entry.Field("stop"); };
    log.ExpectEachOnce(audit::kStopSet, stop, stops_[agency.name()]);
    log.ExpectEachOnce(audit::kStopLifted, stop, stops_[agency.name()]);
  }
  void CheckDeployments(const OpenedLog& log) {
    const auto deployment = [](const Entry& entry) { return entry.Field("deployment"); };
    for (const auto& type : {audit::kDeploymentCreated, audit::kDeploymentActivated,
                             audit::kDeploymentChanged, audit::kDeploymentStopped}) {
      log.ExpectEachOnce(type, deployment, deployments_);
    }
    log.ExpectEachOnce(
        audit::kDeploymentCreated, [](const Entry& entry) { return entry.Field("case_ref"); },
        cases_);
  }
  // Every alert that the engine was told of is in the log, once, and in the holder's as a hit.
  void CheckAlerts(const OpenedLog& requester, const OpenedLog& holder) {
    const auto answer = [](const Entry& entry) {
      return entry.entry.exchange + " " + entry.Message("answer");
    };
    requester.ExpectNoneTwice(audit::kAlertRaised, answer);
    const auto raised = requester.Times(audit::kAlertRaised, answer);
    const auto hits = holder.Times(audit::kSearchHit, answer);
    std::set<std::string> exchanges;
    for (const auto& [hit, times] : raised) {
      EXPECT_TRUE(hits.contains(hit)) << "the holder knows nothing of " << hit;
      exchanges.insert(hit.substr(0, hit.find(' ')));
    }
    for (const auto& [exchange, alert] : engine_->told().alert_of) {
      EXPECT_TRUE(exchanges.contains(exchange)) << alert << " was acknowledged and is lost";
    }
  }
  void CheckStoredAlerts() {
    v1::ListAlertsRequest request;
    v1::ListAlertsResponse response;
    request.set_limit(1000);
    gateways_.Do(council(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Alerts::NewStub(channel)->List(&context, request, &response);
    });
    std::set<std::string> stored;
    for (const v1::Alert& alert : response.alerts()) stored.insert(alert.alert());
    for (const auto& [exchange, alert] : engine_->told().alert_of) {
      EXPECT_TRUE(stored.contains(alert)) << alert << " was acknowledged and is lost";
    }
  }
  void Check() {
    EXPECT_EQ(engine_->told().hits_in_halt, 0u);
    CheckStoredAlerts();
    gateways_.ExpectSettled();
    gateways_.Stop();
    const auto holder = OpenedLog::Of(police());
    const auto requester = OpenedLog::Of(council());
    ASSERT_THAT(holder, IsOk());
    ASSERT_THAT(requester, IsOk());
    CheckDecisions(*holder, police());
    CheckDecisions(*requester, council());
    CheckDeployments(*requester);
    CheckAlerts(*requester, *holder);
    ExpectMessagesArrivedOnce(*holder, *requester);
    ExpectMessagesArrivedOnce(*requester, *holder);
  }

  runtime::SystemClock clock_;
  TwoAgencies agencies_{128};
  KilledGateways gateways_{{&agencies_.police(), &agencies_.council()}, kUsualKills};
  std::unique_ptr<LiveEngine> engine_;
  std::string deployment_;  // of this round
  // What was done in all rounds, as the log names it.
  std::set<std::string> cases_, deployments_;
  std::map<std::string, std::set<std::string>> decided_, stops_;  // by agency
};

TEST_F(DeploymentKill, LosesNoDecisionRepeatsNoneAndAStopLetsNothingThrough) {
  for (int round = 1; gateways_.has_kills_left() && !HasFailure(); ++round) Live(round);
  if (!HasFailure()) Check();
}

}  // namespace
}  // namespace comity::testing
