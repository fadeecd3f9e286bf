// SPDX-License-Identifier: Apache-2.0
// What people are told of counters of capacity that somebody changes in the database.
#include "services/gateway/capacity_side.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using identity::Role;
using testing::AgencyStore;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAnd;
using Key = matching::CapacityMeter::Key;

class CapacitySideTest : public ::testing::Test {
 protected:
  CapacitySideTest() { EXPECT_THAT(Open(), IsOk()); }

  Status Open(const std::stop_token& stop = {}) {
    side_.reset();
    COMITY_ASSIGN_OR_RETURN(
        side_, CapacitySide::Open({agency_.own, agency_.store(), agency_.journal(), notices_,
                                   agency_.clock, *logger_},
                                  agency_.kek(), stop));
    return {};
  }
  Key KeyOf(std::string clause) const {
    return {.agreement = policy::AgreementId::Parse("lantern").value(),
            .clause = std::move(clause),
            .requester = policy::AgencyId::Parse("eastvale-council").value(),
            .day = policy::UtcDay(agency_.clock.Now())};
  }
  void Take(const std::string& clause) {
    ASSERT_THAT(side_->meter().Take(KeyOf(clause), 1000), IsOkAnd(true));
  }
  void Execute(const std::string& sql) {
    SQLite::Database(agency_.database().string(), SQLite::OPEN_READWRITE, 5000).exec(sql);
  }
  std::vector<std::string> Told() {
    std::vector<std::string> words;
    const auto notices = notices_.List(identity::RoleSet{Role::kAuditor}, 0, false, 100);
    EXPECT_THAT(notices, IsOk());
    for (const auto& notice : *notices) words.push_back(notice.words);
    return words;
  }

  AgencyStore agency_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kWarn, agency_.clock, log_);
  identity::Notices notices_{{agency_.store(), agency_.journal(), agency_.own, agency_.clock}};
  std::unique_ptr<CapacitySide> side_;
};

TEST_F(CapacitySideTest, TellsOfEachCounterOnceOnItsDay) {
  Take("p1");
  Take("p2");
  Execute("UPDATE capacity SET reserved = 1 WHERE clause = 'p1'");
  for (int round = 0; round < 3; ++round) ASSERT_THAT(side_->Housekeep(), IsOk());
  ASSERT_EQ(Told().size(), 1U);
  EXPECT_THAT(Told().back(), HasSubstr("clause p1"));
  Execute("UPDATE capacity SET reserved = 1 WHERE clause = 'p2'");
  for (int round = 0; round < 3; ++round) ASSERT_THAT(side_->Housekeep(), IsOk());
  ASSERT_EQ(Told().size(), 2U);
  EXPECT_THAT(Told().back(), HasSubstr("clause p2"));
  agency_.clock.Advance(std::chrono::hours(24));
  Take("p1");
  Execute("DELETE FROM capacity");
  ASSERT_THAT(side_->Housekeep(), IsOk());
  ASSERT_EQ(Told().size(), 3U);
  EXPECT_THAT(Told().back(), HasSubstr("2026-11-26"));
}

TEST_F(CapacitySideTest, TellsLaterWhatItCouldNotTell) {
  Take("p1");
  Execute("DELETE FROM capacity");
  Execute("CREATE TRIGGER t BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'not now'); END");
  EXPECT_FALSE(side_->Housekeep().has_value());
  EXPECT_TRUE(Told().empty());
  Execute("DROP TRIGGER t");
  ASSERT_THAT(side_->Housekeep(), IsOk());
  ASSERT_EQ(Told().size(), 1U);
  EXPECT_THAT(Told().back(), HasSubstr("clause p1"));
}

TEST_F(CapacitySideTest, DoesNotOpenOnceAStopIsAskedFor) {
  Take("p1");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(Open(stop.get_token()), FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::gateway
