// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/stops.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "services/audit/events.h"
#include "services/oversight/hit_alarms.h"
#include "services/oversight/stop_lift.h"
#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using identity::Role;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

const policy::PersonId kGrace = policy::PersonId::Parse("grace").value();
const policy::PersonId kAda = policy::PersonId::Parse("ada").value();

class StopControl : public OversightTest {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    stops_ = Stops::Open({agency_.store(), agency_.journal(), notices_, partners_, agency_.own,
                          agency_.clock, agency_.random,
                          [this](const StandingStops& standing) {
                            lists_ = standing.References(StopScope::kWatchlist);
                          },
                          [this] { ++drained_; }})
                 .value();
  }
  static StopOrder Order(StopScope scope, const std::string& reference) {
    return {scope, reference, "complaint", {}};
  }
  Status Lift(const std::string& id) {
    COMITY_RETURN_IF_ERROR(
        Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_RETURN_IF_ERROR(stops_->Lift(transaction, recorder, id, kAda, "unfounded"));
          return {};
        }));
    return stops_->Refresh();
  }

  PartnerNotices partners_{{outbox_, notices_, agency_.clock}};
  std::set<std::string> lists_;
  std::atomic<int> drained_ = 0;
  std::unique_ptr<Stops> stops_;
};

TEST_F(StopControl, FindsWhatStandsInItsScopeAndNothingElse) {
  EXPECT_FALSE(stops_->Find(StopScope::kPartner, "eastvale-council").has_value());
  const auto stop = stops_->Set(Order(StopScope::kPartner, "eastvale-council"), kGrace);
  ASSERT_THAT(stop, IsOk());
  EXPECT_EQ(drained_, 1);
  EXPECT_EQ(stops_->Find(StopScope::kPartner, "eastvale-council"), stop->id);
  EXPECT_FALSE(stops_->Find(StopScope::kAgreement, "eastvale-council").has_value());
  EXPECT_FALSE(stops_->Find(StopScope::kPartner, "eastvale-counci").has_value());
}

TEST_F(StopControl, CoversASearchByPartnerAgreementOrDeployment) {
  const auto covers = [&] { return stops_->Standing()->Cover("partner", "agreement", "d-1"); };
  EXPECT_FALSE(covers());
  for (const auto& [scope, reference] :
       {std::pair{StopScope::kPartner, "partner"}, std::pair{StopScope::kAgreement, "agreement"},
        std::pair{StopScope::kDeployment, "d-1"}}) {
    const auto stop = stops_->Set(Order(scope, reference), kGrace);
    ASSERT_THAT(stop, IsOk());
    EXPECT_TRUE(covers()) << reference;
    EXPECT_FALSE(stops_->Standing()->Cover("other", "other", "d-2"));
    EXPECT_FALSE(stops_->Standing()->Cover("other", "other", ""));
    ASSERT_THAT(Lift(stop->id), IsOk());
    EXPECT_FALSE(covers()) << reference;
  }
}

TEST_F(StopControl, StandsAfterARestart) {
  const auto stop = stops_->Set(Order(StopScope::kWatchlist, "operation-lantern"), kGrace);
  ASSERT_THAT(stop, IsOk());
  lists_.clear();
  Reopen();
  EXPECT_EQ(stops_->Find(StopScope::kWatchlist, "operation-lantern"), stop->id);
  EXPECT_THAT(lists_, SizeIs(1));
  ASSERT_THAT(Lift(stop->id), IsOk());
  EXPECT_THAT(lists_, IsEmpty());
}

TEST_F(StopControl, HoldsUntilTheLastStopIsLifted) {
  const auto first = stops_->Set(Order(StopScope::kAgreement, "a"), kGrace);
  const auto second = stops_->Set(Order(StopScope::kAgreement, "a"), kAda);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(stops_->Set(Order(StopScope::kAgreement, "a"), kAda),
              FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Lift(first->id), IsOk());
  EXPECT_EQ(stops_->Find(StopScope::kAgreement, "a"), second->id);
  ASSERT_THAT(Lift(second->id), IsOk());
  EXPECT_FALSE(stops_->Find(StopScope::kAgreement, "a").has_value());
  EXPECT_THAT(Lift(second->id), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Lift("stop-none"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(*stops_->List(true, 10), SizeIs(2));
  EXPECT_THAT(*stops_->List(false, 10), IsEmpty());
}

TEST_F(StopControl, LogsAndTellsThoseWhoOversee) {
  StopOrder order = Order(StopScope::kAgreement, "a");
  order.order = "ICO-2026-7";
  const auto stop = stops_->Set(order, kGrace);
  ASSERT_THAT(stop, IsOk());
  ASSERT_THAT(Lift(stop->id), IsOk());
  EXPECT_EQ(agency_.CountEvents(audit::kStopSet), 1u);
  EXPECT_EQ(agency_.CountEvents(audit::kStopLifted), 1u);
  for (const Role role : {Role::kSupervisor, Role::kDpo, Role::kSignatory}) {
    const auto notices = NoticesFor(role);
    ASSERT_THAT(notices, SizeIs(2));
    EXPECT_EQ(notices[0].kind, identity::notice::kStopped);
    EXPECT_THAT(notices[0].words, HasSubstr("ICO-2026-7"));
    EXPECT_EQ(notices[1].kind, identity::notice::kStopLifted);
  }
  EXPECT_THAT(NoticesFor(Role::kOperator), IsEmpty());
  EXPECT_THAT(WaitingFor(kEast), IsEmpty());
}

TEST_F(StopControl, APartnerIsToldThatItIsStoppedAndNotWhy) {
  const auto stop = stops_->Set(Order(StopScope::kPartner, kEast.text()), kGrace);
  ASSERT_THAT(stop, IsOk());
  ASSERT_THAT(WaitingFor(kEast), SizeIs(1));
  EXPECT_THAT(WaitingFor(kEast)[0].content, HasSubstr("suspended-by-us"));
  EXPECT_THAT(WaitingFor(kEast)[0].content, ::testing::Not(HasSubstr("complaint")));
  ASSERT_THAT(Lift(stop->id), IsOk());
  ASSERT_THAT(WaitingFor(kEast), SizeIs(2));
  EXPECT_THAT(WaitingFor(kEast)[1].content, HasSubstr("resumed-by-us"));
}

TEST_F(StopControl, RefusesWhatBreaksABound) {
  for (const StopOrder& order :
       {StopOrder{StopScope::kPartner, "", "x", {}}, StopOrder{StopScope::kPartner, "A b", "x", {}},
        StopOrder{StopScope::kPartner, std::string(65, 'a'), "x", {}},
        StopOrder{StopScope::kPartner, "a", "", {}},
        StopOrder{StopScope::kPartner, "a", std::string(1001, 'x'), {}},
        StopOrder{StopScope::kPartner, "a", "x", std::string(129, 'x')}}) {
    EXPECT_THAT(stops_->Set(order, kGrace), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(*stops_->List(true, 10), IsEmpty());
}

TEST_F(StopControl, AnAlarmStopsOnceAndBesideAPerson) {
  ASSERT_THAT(stops_->Set(Order(StopScope::kAgreement, "a"), kGrace), IsOk());
  for (int i = 0; i < 2; ++i) {
    MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(
          const auto stop,
          stops_->SetByAlarm(transaction, recorder, Order(StopScope::kAgreement, "a")));
      EXPECT_EQ(stop.has_value(), i == 0);
      return {};
    });
  }
  EXPECT_THAT(*stops_->List(false, 10), SizeIs(2));
}

TEST_F(StopControl, EverythingIsStoppedWhileNobodyCanReadWhatIs) {
  const StandingStops unreadable = StandingStops::Unreadable();
  EXPECT_TRUE(unreadable.Cover("any", "thing", ""));
  EXPECT_TRUE(unreadable.Find(StopScope::kWatchlist, "x").has_value());
}

TEST_F(StopControl, ManyWhoSetAndReadAtOnceAgreeAtTheEnd) {
  std::atomic<bool> done = false;
  std::jthread reader([&] {
    while (!done) {
      static_cast<void>(stops_->Standing()->Cover("p", "a", "d-1"));
    }
  });
  {
    std::vector<std::jthread> people;
    for (int i = 0; i < 6; ++i) {
      people.emplace_back([&, i] {
        const auto by = policy::PersonId::Parse("person-" + std::to_string(i)).value();
        const auto stop = stops_->Set(Order(StopScope::kAgreement, "a" + std::to_string(i)), by);
        EXPECT_THAT(stop, IsOk());
      });
    }
  }
  done = true;
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(stops_->Find(StopScope::kAgreement, "a" + std::to_string(i)).has_value());
  }
}

TEST_F(StopControl, TheActOfLiftingSaysWhatItDoesAndRefusesWhatItCannot) {
  HitAlarms alarms({agency_.store(), agency_.journal(), *stops_, notices_, partners_, agency_.own,
                    agency_.clock});
  StopLift lift(*stops_, alarms);
  const auto stop = stops_->Set(Order(StopScope::kPartner, kEast.text()), kGrace);
  ASSERT_THAT(stop, IsOk());
  const auto words = lift.Describe(EncodeStopLift(stop->id, "unfounded"));
  ASSERT_THAT(words, IsOk());
  for (const char* part : {"partner eastvale-council", "grace", "complaint", "unfounded"}) {
    EXPECT_THAT(*words, HasSubstr(part));
  }
  EXPECT_THAT(lift.Describe(EncodeStopLift("stop-none", "x")), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(lift.Describe(EncodeStopLift(stop->id, "")), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lift.Describe(R"({"reason":"x","stop":"s","why":"y"})"),
              FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_THAT(Lift(stop->id), IsOk());
  EXPECT_THAT(lift.Describe(EncodeStopLift(stop->id, "x")), FailsWith(ErrorCode::kConflict));
}

}  // namespace
}  // namespace comity::oversight
