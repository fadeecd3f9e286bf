// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/hit_alarms.h"

#include <gmock/gmock.h>

#include <thread>

#include "services/audit/events.h"
#include "services/oversight/stop_lift.h"
#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using identity::Role;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::SizeIs;

const policy::PersonId kAda = policy::PersonId::Parse("ada").value();

class HarvestingAlarms : public OversightTest {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    alarms_.reset();
    stops_ = Stops::Open({agency_.store(),
                          agency_.journal(),
                          notices_,
                          partners_,
                          agency_.own,
                          agency_.clock,
                          agency_.random,
                          {},
                          {}})
                 .value();
    alarms_.emplace(HitAlarms::Setup{agency_.store(), agency_.journal(), *stops_, notices_,
                                     partners_, agency_.own, agency_.clock});
  }
  static WatchedSearch Search(const std::string& officer = "o1") {
    WatchedSearch search;
    search.side = WatchedSearch::Side::kHolder;
    search.agreement.id = policy::AgreementId::Parse("northshire-eastvale").value();
    search.agreement.version = 1;
    search.partner = kEast;
    search.clause = "p1";
    search.officer = officer;
    search.case_ref = "c1";
    search.bounds.hit_rate_percent = 10;
    search.bounds.hit_rate_window = std::chrono::hours(1);
    search.bounds.repeated_hits_of_entry = 4;
    search.bounds.repeated_hits_window = std::chrono::hours(1);
    return search;
  }
  // One hit, as the session records it.
  // Whether it raised the alarm, or met one.
  Result<bool> Hit(const std::string& entry, const WatchedSearch& search = Search()) {
    bool stops = false;
    COMITY_RETURN_IF_ERROR(
        Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          const std::vector<std::string> entries = {entry};
          COMITY_ASSIGN_OR_RETURN(stops, alarms_->OnHits(transaction, recorder, search, entries));
          return {};
        }));
    alarms_->AfterHits();
    return stops;
  }
  Result<bool> OverCap() {
    bool stops = false;
    COMITY_RETURN_IF_ERROR(
        Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_ASSIGN_OR_RETURN(stops, alarms_->OnOverCap(transaction, recorder, Search()));
          return {};
        }));
    alarms_->AfterHits();
    return stops;
  }
  void Misses(int count, const WatchedSearch& search = Search()) {
    for (int i = 0; i < count; ++i) alarms_->OnMiss(search);
  }
  bool IsStopped() const {
    return stops_->Find(StopScope::kAgreement, "northshire-eastvale").has_value();
  }
  std::string AlarmWords() {
    for (const auto& notice : NoticesFor(Role::kDpo)) {
      if (notice.kind == identity::notice::kAlarm) return notice.words;
    }
    return {};
  }

  PartnerNotices partners_{{outbox_, notices_, agency_.clock}};
  std::unique_ptr<Stops> stops_;
  std::optional<HitAlarms> alarms_;
};

TEST_F(HarvestingAlarms, RepeatedHitsOfOneEntryStopTheAgreementAndTellBothSides) {
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  EXPECT_FALSE(IsStopped());
  ASSERT_THAT(Hit("ref-7"), IsOk());
  EXPECT_TRUE(IsStopped());
  EXPECT_EQ(agency_.CountEvents(audit::kAlarmRaised), 1u);
  EXPECT_EQ(agency_.CountEvents(audit::kStopSet), 1u);
  EXPECT_THAT(AlarmWords(), HasSubstr("repeated-hits"));
  EXPECT_THAT(AlarmWords(), ::testing::Not(HasSubstr("ref-7")));
  ASSERT_THAT(WaitingFor(kEast), SizeIs(1));
  EXPECT_THAT(WaitingFor(kEast)[0].content, HasSubstr("\"alarm\""));
}

// Another thread comes from a hit of its own while the alarm's commit is under way.
TEST_F(HarvestingAlarms, AreInForceAfterTheirCommitThoughAnotherThreadLookedBefore) {
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  const std::vector<std::string> entries = {"ref-7"};
  ASSERT_THAT(Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
                COMITY_RETURN_IF_ERROR(alarms_->OnHits(transaction, recorder, Search(), entries));
                std::jthread([&] { alarms_->AfterHits(); }).join();
                return {};
              }),
              IsOk());
  EXPECT_FALSE(IsStopped());
  alarms_->AfterHits();
  EXPECT_TRUE(IsStopped());
}

TEST_F(HarvestingAlarms, TellWhoeverIsAboutToAnswerThatTheyStopTheSearches) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOkAnd(false));
  EXPECT_THAT(Hit("ref-7"), IsOkAnd(true));
  // Also a hit of the same moment, of a session that does not see the stop yet.
  EXPECT_THAT(Hit("ref-7"), IsOkAnd(true));
  EXPECT_EQ(agency_.CountEvents(audit::kAlarmRaised), 1u);
}

TEST_F(HarvestingAlarms, OneProbeOverTheCapStopsTheAgreementAndTellsTheOfficersOfBothSides) {
  EXPECT_THAT(OverCap(), IsOkAnd(true));
  EXPECT_TRUE(IsStopped());
  EXPECT_EQ(agency_.CountEvents(audit::kAlarmRaised), 1u);
  EXPECT_EQ(agency_.CountEvents(audit::kStopSet), 1u);
  EXPECT_THAT(AlarmWords(), HasSubstr("alarm over-cap"));
  ASSERT_THAT(WaitingFor(kEast), SizeIs(1));
  EXPECT_THAT(WaitingFor(kEast)[0].content, HasSubstr("\"alarm\""));
  EXPECT_THAT(OverCap(), IsOkAnd(true));
  EXPECT_EQ(agency_.CountEvents(audit::kAlarmRaised), 1u) << "one alarm, not one a probe";
  Reopen();
  EXPECT_TRUE(IsStopped()) << "a restart lifts nothing";
}

TEST_F(HarvestingAlarms, AHighHitRateStopsTheAgreement) {
  Misses(170);
  for (int i = 0; i < 18; ++i) ASSERT_THAT(Hit("ref-" + std::to_string(i)), IsOk());
  EXPECT_FALSE(IsStopped());  // 18 of 188
  ASSERT_THAT(Hit("ref-18"), IsOk());
  EXPECT_TRUE(IsStopped());  // 19 of 189 are more than 10 percent
  EXPECT_THAT(AlarmWords(), HasSubstr("19 of 189 probes"));
}

TEST_F(HarvestingAlarms, WatchEachOfficerByItself) {
  // The agency as a whole keeps the rate; one officer does not.
  Misses(900, Search("o1"));
  for (int i = 0; i < 10; ++i) ASSERT_THAT(Hit("ref-" + std::to_string(i), Search("o2")), IsOk());
  EXPECT_FALSE(IsStopped());
  ASSERT_THAT(Hit("ref-10", Search("o2")), IsOk());
  EXPECT_TRUE(IsStopped());
  EXPECT_THAT(AlarmWords(), HasSubstr("one officer"));
}

TEST_F(HarvestingAlarms, HitsBeforeARestartCountAfterIt) {
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  Reopen();
  ASSERT_THAT(Hit("ref-7"), IsOk());
  EXPECT_TRUE(IsStopped());
}

TEST_F(HarvestingAlarms, ARestartNeverMakesTheRateSeemLower) {
  Misses(500);
  for (int i = 0; i < 10; ++i) ASSERT_THAT(Hit("ref-" + std::to_string(i)), IsOk());
  Misses(500);  // nobody stores these before the crash
  Reopen();
  // 510 probes and 10 hits are known: 51 hits more are above 10 percent.
  int hits = 0;
  while (!IsStopped() && hits < 200) {
    ASSERT_THAT(Hit("more-" + std::to_string(hits++)), IsOk());
  }
  EXPECT_GT(hits, 40);
  EXPECT_LT(hits, 60);
}

TEST_F(HarvestingAlarms, ProbesThatWereSavedSurviveARestart) {
  Misses(1000);
  ASSERT_THAT(alarms_->Save(), IsOk());
  Reopen();
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Hit("ref-" + std::to_string(i)), IsOk());
  EXPECT_FALSE(IsStopped());
}

TEST_F(HarvestingAlarms, ForgetWhatHasLeftTheWindow) {
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  agency_.clock.Advance(std::chrono::hours(2));
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  EXPECT_FALSE(IsStopped());
}

TEST_F(HarvestingAlarms, BeginToCountAnewWhenTwoPeopleHaveLifted) {
  Misses(300);
  for (int i = 0; i < 4; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  ASSERT_TRUE(IsStopped());
  StopLift lift(*stops_, *alarms_);
  identity::PendingAct act;
  act.content = EncodeStopLift(*stops_->Find(StopScope::kAgreement, "northshire-eastvale"), "ok");
  identity::ActHandler::AfterCommit after;
  MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(after, lift.Carry(transaction, recorder, act, kAda));
    return {};
  });
  after();
  EXPECT_FALSE(IsStopped());
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  EXPECT_FALSE(IsStopped());
  ASSERT_THAT(Hit("ref-7"), IsOk());
  EXPECT_TRUE(IsStopped());
}

TEST_F(HarvestingAlarms, TakeTheBoundsOfTheAgreementOfTheMoment) {
  Misses(300);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7"), IsOk());
  WatchedSearch stricter = Search();
  stricter.bounds.repeated_hits_of_entry = 2;
  ASSERT_THAT(Hit("ref-8", stricter), IsOk());
  EXPECT_FALSE(IsStopped());
  // What was counted under the former bounds counts under the new ones.
  ASSERT_THAT(Hit("ref-7", stricter), IsOk());
  EXPECT_TRUE(IsStopped());
}

TEST_F(HarvestingAlarms, AreExactWhileManySessionsHitAtOnce) {
  Misses(10'000);
  WatchedSearch search = Search();
  search.bounds.repeated_hits_of_entry = 41;
  {
    std::vector<std::jthread> sessions;
    for (int s = 0; s < 4; ++s) {
      sessions.emplace_back([&] {
        for (int i = 0; i < 10; ++i) EXPECT_THAT(Hit("ref-7", search), IsOk());
      });
    }
  }
  EXPECT_FALSE(IsStopped());
  ASSERT_THAT(Hit("ref-7", search), IsOk());
  EXPECT_TRUE(IsStopped());
  EXPECT_EQ(agency_.CountEvents(audit::kAlarmRaised), 1u);
}

TEST_F(HarvestingAlarms, HoldABoundedNumberOfWatches) {
  // More officers than are kept in memory; one of them is at its bound.
  Misses(1000);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Hit("ref-7", Search("o-first")), IsOk());
  for (std::size_t i = 0; i < HitAlarms::kMaxWatches + 10; ++i) {
    WatchedSearch other = Search("o-" + std::to_string(i));
    other.partner = kSouth;
    alarms_->OnMiss(other);
  }
  ASSERT_THAT(Hit("ref-7", Search("o-first")), IsOk());
  EXPECT_TRUE(IsStopped());
}

}  // namespace
}  // namespace comity::oversight
