// SPDX-License-Identifier: Apache-2.0
// A live operation from its proposal to its close, its budget, and the alarms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "services/audit/events.h"
#include "services/gateway/wire/convert_time.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/live_acts.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class DeploymentLife : public DirectSearchWorld {
 protected:
  v1::ProposeDeploymentResponse Propose(const v1::DeploymentDefinition& definition,
                                        const std::string& person = "operator") {
    grpc::ClientContext context;
    v1::ProposeDeploymentRequest request;
    v1::ProposeDeploymentResponse response;
    *request.mutable_definition() = definition;
    const grpc::Status status = council_.deployments(person)->Propose(&context, request, &response);
    last_error_ = status.error_code();
    return response;
  }
  v1::DeploymentSummary Show(const std::string& deployment) {
    grpc::ClientContext context;
    v1::GetDeploymentRequest request;
    v1::DeploymentSummary summary;
    request.set_deployment(deployment);
    last_error_ = council_.deployments()->Get(&context, request, &summary).error_code();
    return summary;
  }
  v1::DeploymentSummary AwaitState(const std::string& deployment, const std::string& state,
                                   std::chrono::seconds patience) {
    v1::DeploymentSummary summary;
    for (int i = 0; i < patience.count() * 10; ++i) {
      summary = Show(deployment);
      if (summary.state() == state) return summary;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "not " << state << ": " << summary.DebugString();
    return summary;
  }
  v1::DeploymentHolder AwaitHolder(const std::string& deployment, const std::string& state) {
    v1::DeploymentSummary summary;
    for (int i = 0; i < 150; ++i) {
      summary = Show(deployment);
      if (summary.holders_size() > 0 && summary.holders(0).state() == state) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_EQ(summary.holders_size(), 1) << summary.DebugString();
    return summary.holders_size() > 0 ? summary.holders(0) : v1::DeploymentHolder();
  }
  void Acknowledge(const std::string& alert, v1::Outcome outcome) {
    grpc::ClientContext context;
    v1::AcknowledgeAlertRequest request;
    v1::Alert response;
    request.set_alert(alert);
    request.set_outcome(outcome);
    const grpc::Status status = council_.alerts()->Acknowledge(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  std::vector<std::string> Notices(const LiveAgency& agency, const std::string& person,
                                   const std::string& kind) {
    grpc::ClientContext context;
    v1::ListNoticesResponse notices;
    EXPECT_TRUE(agency.notices(person)->List(&context, v1::ListNoticesRequest(), &notices).ok());
    std::vector<std::string> words;
    for (const auto& notice : notices.notices()) {
      if (notice.kind() == kind) words.push_back(notice.words());
    }
    return words;
  }

  grpc::StatusCode last_error_ = grpc::StatusCode::OK;
};

TEST_F(DeploymentLife, GoesFromProposalToClose) {
  Agree();
  ImportEntries(10);
  v1::DeploymentDefinition definition = Definition();
  *definition.mutable_starts_at() = gateway::ToProto(clock_.Now() + std::chrono::seconds(2));
  *definition.mutable_ends_at() = gateway::ToProto(clock_.Now() + std::chrono::seconds(5));
  const auto proposed = Propose(definition);
  const std::string deployment = proposed.deployment();
  ASSERT_FALSE(deployment.empty()) << proposed.DebugString();
  ASSERT_EQ(proposed.holders_size(), 1);
  EXPECT_EQ(proposed.holders(0).decision().code(), v1::DECISION_CODE_PERMIT);
  EXPECT_TRUE(proposed.holders(0).reached());
  EXPECT_EQ(proposed.holders(0).entries(), 10u);
  // What the second person reads.
  for (const char* part : {"Why: Market day", "Where: Town square", "10 entries",
                           "wanted-by-courts 10", "threshold floor 0.5", "budget 1 in 1000"}) {
    EXPECT_THAT(proposed.pending().words(), HasSubstr(part));
  }
  Show(deployment);
  EXPECT_EQ(last_error_, grpc::StatusCode::NOT_FOUND);
  v1::PendingAct act = proposed.pending();
  EXPECT_EQ(Decide(council_.ChannelOf("operator"), council_.pki(), "operator", act).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  council_.ApproveAct(proposed.pending(), "supervisor-1");
  EXPECT_EQ(Show(deployment).state(), "planned");
  EXPECT_THAT(EngineClient::Open(council_.engine(), deployment, clock_),
              FailsWith(ErrorCode::kConflict));
  AwaitState(deployment, "active", std::chrono::seconds(5));
  const auto engine = Watch(deployment);
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Ask(*engine, 1, RandomTemplate(random_)).has_answered());
  const auto active = Show(deployment);
  EXPECT_EQ(active.proposed_by(), "operator");
  EXPECT_EQ(active.approved_by(), "supervisor-1");
  ASSERT_EQ(active.holders_size(), 1);
  EXPECT_EQ(active.holders(0).state(), "validated");
  EXPECT_EQ(active.holders(0).entries(), 10u);
  EXPECT_TRUE(active.holders(0).has_validated_at());
  EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
  const auto closed = AwaitState(deployment, "closed", std::chrono::seconds(25));
  EXPECT_EQ(closed.faces(), 1u);
  EXPECT_TRUE(closed.has_closed_at());
  const ExportedLog log = ExportLog(council_);
  for (const auto& type :
       {audit::kDeploymentCreated, audit::kDeploymentActivated, audit::kListsValidated,
        audit::kDeploymentOver, audit::kDeploymentClosed}) {
    EXPECT_EQ(log.Count(type), 1u) << type;
  }
  // Both logs hold the same validation.
  const auto here = log.OfType(audit::kListsValidated);
  const auto there = ExportLog(police_).OfType(audit::kListsValidated);
  ASSERT_THAT(there, SizeIs(1));
  EXPECT_EQ(here.at(0).messages.at("reply"), there.at(0).messages.at("reply"));
}

TEST_F(DeploymentLife, IsRefusedWhenProposedBeyondItsBounds) {
  Agree();
  v1::DeploymentDefinition low = Definition();
  low.set_threshold(0.49);
  const auto below = Propose(low);
  EXPECT_TRUE(below.deployment().empty());
  EXPECT_EQ(below.refused().code(), v1::DECISION_CODE_THRESHOLD_BELOW_FLOOR);
  EXPECT_FALSE(below.has_pending());
  v1::DeploymentDefinition unknown = Definition();
  unknown.set_agreements(0, "no-such-agreement");
  EXPECT_EQ(Propose(unknown).refused().code(), v1::DECISION_CODE_NO_AGREEMENT);
  v1::DeploymentDefinition longer = Definition();
  longer.mutable_ends_at()->set_seconds(longer.starts_at().seconds() + 24 * 3600 + 1);
  Propose(longer);
  EXPECT_EQ(last_error_, grpc::StatusCode::INVALID_ARGUMENT);
  Propose(Definition(), "dpo");
  EXPECT_EQ(last_error_, grpc::StatusCode::PERMISSION_DENIED);
  Propose(Definition(), "adjudicator");
  EXPECT_EQ(last_error_, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ExportLog(council_).Count(audit::kSearchRefused), 2u);
}

TEST_F(DeploymentLife, AHolderWithoutAListIsNotSearchedUntilItHasOne) {
  Agree();
  const auto deployment = StartDeployment(Definition()).deployment();
  EXPECT_THAT(AwaitHolder(deployment, "stale").reason(), HasSubstr("no list"));
  auto engine = Watch(deployment);
  const auto refused = Ask(*engine, 1, RandomTemplate(random_));
  EXPECT_EQ(refused.refused().code(), v1::DECISION_CODE_LIST_NOT_COVERED) << refused.DebugString();
  EXPECT_EQ(refused.refused_by(), council_.name());
  ImportEntries(10);
  AwaitHolder(deployment, "validated");
  EXPECT_EQ(Ask(*engine, 2, entries_[0]).answered().alerts_size(), 1);
}

TEST_F(DeploymentLife, AHolderWhoseEntriesAreAllStaleIsNotSearchedAndSaysWhy) {
  Agree();
  DefinitionText list;
  list.agreements = {text_.id};
  list.starts_at = Now() - std::chrono::minutes(5);
  list.ends_at = Now() + std::chrono::hours(12);
  EntryText entry;
  entry.reference = "ref-0";
  entry.now = Now();
  nlohmann::json fields = EntryJson(entry);
  const policy::Instant review_by = Now() + std::chrono::seconds(2);
  fields["review_by"] = policy::EncodeInstant(review_by);
  const Template face = RandomTemplate(random_);
  StartList(police_, list, fields.dump() + "\n",
            std::string(reinterpret_cast<const char*>(face.data()), face.size() * sizeof(float)));
  while (clock_.Now() < review_by) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto deployment = StartDeployment(Definition()).deployment();
  const auto holder = AwaitHolder(deployment, "stale");
  EXPECT_THAT(holder.reason(), HasSubstr("look at them again"));
  EXPECT_EQ(holder.entries(), 0u);
  auto engine = Watch(deployment);
  EXPECT_EQ(Ask(*engine, 1, face).refused().code(), v1::DECISION_CODE_LIST_NOT_COVERED);
}

TEST_F(DeploymentLife, AHolderThatIsAwayIsSearchedOnceItIsBackAndHasValidated) {
  Agree();
  ImportEntries(10);
  police_.Stop();
  const auto deployment = StartDeployment(Definition()).deployment();
  EXPECT_EQ(AwaitHolder(deployment, "unreachable").state(), "unreachable");
  auto engine = Watch(deployment);
  EXPECT_EQ(Ask(*engine, 1, entries_[0]).refused().code(), v1::DECISION_CODE_LIST_NOT_COVERED);
  police_.Start({&council_});
  EXPECT_EQ(AwaitHolder(deployment, "validated").state(), "validated");
  bool hit = false;
  for (std::uint64_t i = 2; i < 60 && !hit; ++i) {
    hit = Ask(*engine, i, entries_[0]).answered().alerts_size() == 1;
    if (!hit) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  EXPECT_TRUE(hit);
}

TEST_F(DeploymentLife, IsStoppedWhenItsFalseAlertBudgetIsUsedUpAndLiftedByTwo) {
  Agree();
  ImportEntries(10);
  const auto deployment = StartDeployment(Definition()).deployment();
  auto engine = Watch(deployment);
  std::vector<std::string> alerts;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto hit = Ask(*engine, i + 1, entries_[i]);
    ASSERT_EQ(hit.answered().alerts_size(), 1) << hit.DebugString();
    alerts.push_back(hit.answered().alerts(0).alert());
  }
  Acknowledge(alerts[0], v1::OUTCOME_NOT_A_MATCH);
  EXPECT_THAT(Notices(council_, "supervisor-1", "alarm"), SizeIs(1));  // half of it
  EXPECT_TRUE(Ask(*engine, 10, entries_[0]).has_answered());
  Acknowledge(alerts[1], v1::OUTCOME_TRUE_MATCH);
  EXPECT_TRUE(Ask(*engine, 11, entries_[0]).has_answered());
  Acknowledge(alerts[2], v1::OUTCOME_NOT_A_MATCH);
  EXPECT_EQ(Ask(*engine, 12, entries_[0]).refused().code(), v1::DECISION_CODE_STOPPED);
  const auto summary = Show(deployment);
  EXPECT_EQ(summary.false_alerts(), 2u);
  EXPECT_EQ(summary.holders(0).false_alerts(), 2u);
  EXPECT_THAT(summary.halted(), HasSubstr(deployment));
  const auto words = Notices(council_, "dpo", "alarm");
  ASSERT_THAT(words, SizeIs(2));
  EXPECT_THAT(words[1], HasSubstr("2 false alerts among 5 faces"));
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlarmRaised), 1u);
  grpc::ClientContext list_context;
  v1::ListStopsResponse stops;
  ASSERT_TRUE(council_.stops()->List(&list_context, v1::ListStopsRequest(), &stops).ok());
  ASSERT_EQ(stops.stops_size(), 1);
  EXPECT_EQ(stops.stops(0).set_by(), "alarm");
  grpc::ClientContext context;
  v1::LiftStopRequest lift;
  v1::PendingAct act;
  lift.set_stop(stops.stops(0).stop());
  lift.set_reason("The camera was turned away from the sun.");
  ASSERT_TRUE(council_.stops("supervisor-1")->Lift(&context, lift, &act).ok());
  council_.ApproveAct(act, "supervisor-2");
  EXPECT_TRUE(Ask(*engine, 13, entries_[0]).has_answered());
}

TEST_F(DeploymentLife, ChangesItsThresholdByTwoPeopleAndNeverBelowTheFloor) {
  Agree();
  ImportEntries(10);
  const auto deployment = StartDeployment(Definition()).deployment();
  const auto engine = Watch(deployment);
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  const auto change = [&](double threshold, v1::PendingAct& act) {
    grpc::ClientContext context;
    v1::ChangeDeploymentRequest request;
    request.set_deployment(deployment);
    request.set_threshold(threshold);
    request.set_reason("Bad light.");
    return council_.deployments("supervisor-1")->Change(&context, request, &act).error_code();
  };
  v1::PendingAct act;
  EXPECT_EQ(change(0.49, act), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(change(0.6, act), grpc::StatusCode::INVALID_ARGUMENT);  // no change
  ASSERT_EQ(change(0.55, act), grpc::StatusCode::OK);
  EXPECT_EQ(Show(deployment).definition().threshold(), 0.6);
  council_.ApproveAct(act, "supervisor-2");
  EXPECT_EQ(Show(deployment).definition().threshold(), 0.55);
  EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
  const auto again = Watch(deployment);
  EXPECT_EQ(again->opened().threshold(), 0.55);
  EXPECT_TRUE(Ask(*again, 1, entries_[0]).has_answered());
}

TEST_F(DeploymentLife, RepeatedHitsOfOneEntryStopTheAgreementAndTellBothDpos) {
  text_.repeated_hits_of_entry = 5;
  Agree();
  ImportEntries(10);
  auto engine = Watch();
  for (std::uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(Ask(*engine, i, entries_[3]).has_answered());
  }
  EXPECT_TRUE(Ask(*engine, 5, entries_[3]).has_answered());
  const auto next = Ask(*engine, 6, RandomTemplate(random_));
  EXPECT_EQ(next.refused().code(), v1::DECISION_CODE_STOPPED) << next.DebugString();
  // Also for a requester that does not watch itself.
  const auto decision = Unchecked()->Open(Terms());
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->code, policy::ReasonCode::kStopped);
  EXPECT_EQ(ExportLog(police_).Count(audit::kAlarmRaised), 1u);
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlarmRaised), 1u);
  for (const LiveAgency* agency : {&police_, &council_}) {
    const auto own = Notices(*agency, "dpo", "alarm");
    ASSERT_THAT(own, SizeIs(1)) << agency->name();
    EXPECT_THAT(own[0], HasSubstr("repeated-hits"));
    std::vector<std::string> from_partner;
    for (int i = 0; i < 100 && from_partner.empty(); ++i) {
      from_partner = Notices(*agency, "dpo", "peer-notice");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ASSERT_FALSE(from_partner.empty()) << agency->name();
    EXPECT_THAT(from_partner[0], HasSubstr("alarm"));
  }
}

TEST_F(DeploymentLife, AlarmsCountAcrossARestartOfBothGateways) {
  text_.repeated_hits_of_entry = 5;
  Agree();
  ImportEntries(10);
  const auto deployment = StartDeployment(Definition()).deployment();
  auto engine = Watch(deployment);
  for (std::uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(Ask(*engine, i, entries_[3]).has_answered());
  }
  engine.reset();
  council_.Stop();
  police_.Stop();
  police_.Start({&council_});
  council_.Start({&police_});
  engine = Watch(deployment);
  ASSERT_TRUE(Ask(*engine, 1, entries_[3]).has_answered());
  EXPECT_EQ(Ask(*engine, 2, entries_[4]).refused().code(), v1::DECISION_CODE_STOPPED);
}

}  // namespace
}  // namespace comity::testing
