// SPDX-License-Identifier: Apache-2.0
// Counters of capacity that somebody changes in the database, beside a log that is not changed.
#include "services/matching/capacity_record.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/audit/events.h"
#include "services/matching/capacity_meter.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::matching {
namespace {

using testing::AgencyStore;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;

class CapacityRecordTest : public ::testing::Test {
 protected:
  CapacityRecordTest() { Start(); }

  // As after a restart: the log and the database are left.
  void Start() {
    meter_.reset();
    agency_.Reopen();
    meter_ = std::make_unique<CapacityMeter>(CapacityMeter::Ports{.own_agency = agency_.own,
                                                                  .store = agency_.store(),
                                                                  .journal = agency_.journal(),
                                                                  .clock = agency_.clock});
    ASSERT_THAT(meter_->Recall(agency_.kek()), IsOk());
  }
  CapacityMeter::Key Key(std::string subject = {}) const {
    return {.agreement = policy::AgreementId::Parse("lantern").value(),
            .clause = "p1",
            .requester = policy::AgencyId::Parse("eastvale-council").value(),
            .day = policy::UtcDay(agency_.clock.Now()),
            .subject = std::move(subject)};
  }
  void Take(int probes, const CapacityMeter::Key& key) {
    for (int i = 0; i < probes; ++i) ASSERT_THAT(meter_->Take(key, kLimit), IsOkAnd(true));
  }
  void Execute(const std::string& sql) {
    SQLite::Database(agency_.database().string(), SQLite::OPEN_READWRITE).exec(sql);
  }
  void ExpectNothingMoreFrom(const CapacityMeter::Key& key) {
    EXPECT_THAT(meter_->Take(key, kLimit), FailsWith(ErrorCode::kCorrupt));
    EXPECT_THAT(meter_->fault(), HasSubstr("a counter of agreement lantern"));
  }

  static constexpr std::uint64_t kLimit = 1000;
  AgencyStore agency_;
  std::unique_ptr<CapacityMeter> meter_;
};

TEST_F(CapacityRecordTest, OfAnUnchangedDatabaseFindsNothingWrong) {
  Take(70, Key());
  Take(10, Key("officer:aa"));
  Start();
  EXPECT_EQ(meter_->Used(Key()), 128U);
  EXPECT_EQ(meter_->Used(Key("officer:aa")), 64U);
  Take(1, Key());
  ASSERT_THAT(meter_->Look(), IsOk());
  EXPECT_THAT(meter_->fault(), IsEmpty());
}

TEST_F(CapacityRecordTest, ACounterThatIsLoweredBetweenTwoRunsGivesNothing) {
  for (const char* change : {"UPDATE capacity SET reserved = 64", "DELETE FROM capacity"}) {
    Take(70, Key());
    Execute(change);
    Start();
    EXPECT_THAT(meter_->fault(), HasSubstr("says that")) << change;
    EXPECT_EQ(meter_->Used(Key()), std::nullopt) << change;
    ExpectNothingMoreFrom(Key());
    agency_.clock.Advance(std::chrono::hours(24));
    Start();
    EXPECT_THAT(meter_->fault(), IsEmpty()) << "the next day begins anew";
  }
}

TEST_F(CapacityRecordTest, ACounterThatIsLoweredMeanwhileGivesItsBlockAndNothingMore) {
  Take(70, Key());
  Execute("UPDATE capacity SET reserved = 0");
  ASSERT_THAT(meter_->Look(), IsOk());
  EXPECT_THAT(meter_->fault(), HasSubstr("says that 0 probes of 2026-11-25 are used, the log 128"));
  Take(58, Key());  // was reserved
  ExpectNothingMoreFrom(Key());
}

TEST_F(CapacityRecordTest, TheCounterOfAnOfficerIsComparedToo) {
  Take(10, Key());
  Take(10, Key("officer:aa"));
  Execute("UPDATE capacity SET reserved = 1 WHERE subject <> ''");
  Start();
  ExpectNothingMoreFrom(Key("officer:aa"));
  Take(1, Key());
}

// Whoever hides what was reserved gains nothing.
TEST_F(CapacityRecordTest, AReservationWhosePayloadIsGoneRefusesTheDay) {
  Take(70, Key());
  for (const char* change : {"UPDATE audit_payload SET sealed = zeroblob(length(sealed))",
                             "UPDATE audit_payload SET wrapped_key = x''"}) {
    Execute(change);
    Start();
    EXPECT_THAT(meter_->fault(), HasSubstr("of the log, of a reservation: ")) << change;
    EXPECT_EQ(meter_->Used(Key("officer:bb")), std::nullopt) << change;
    EXPECT_THAT(meter_->Take(Key(), kLimit), FailsWith(ErrorCode::kCorrupt)) << change;
  }
  agency_.clock.Advance(std::chrono::hours(24));
  Take(1, Key());
}

TEST_F(CapacityRecordTest, IsReadBackToTheBeginOfTheDayAndNoFurther) {
  Take(10, Key());
  const CapacityMeter::Key yesterday = Key();
  agency_.clock.Advance(std::chrono::hours(17));
  Take(10, Key());
  audit::Event event;
  event.type = audit::kPayloadOpened;
  event.time = agency_.clock.Now();
  event.parties = {agency_.own};
  event.committed = {{"reason", "one of many"}};
  ASSERT_THAT(
      agency_.journal().Commit([&](store::Transaction&, audit::Recorder& recorder) -> Status {
        for (int i = 0; i < 1100; ++i) COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return {};
      }),
      IsOk());
  Take(10, Key("case:cc"));
  CapacityRecord record;
  ASSERT_THAT(record.Recall(agency_.store(), agency_.kek(), agency_.clock.Now()), IsOk());
  EXPECT_EQ(record.Known(Key()), 64U);
  EXPECT_EQ(record.Known(Key("case:cc")), 64U);
  EXPECT_EQ(record.Known(yesterday), 0U);
}

TEST_F(CapacityRecordTest, RemembersEveryRequesterAndABoundedNumberOfTheirNames) {
  CapacityRecord record(2);
  for (const char* subject : {"officer:a", "officer:b", "officer:c"}) record.Note(Key(subject), 5);
  record.Note(Key(), 6);
  EXPECT_EQ(record.Known(Key("officer:b")), 5U);
  EXPECT_EQ(record.Known(Key("officer:c")), 0U);
  EXPECT_EQ(record.Known(Key()), 6U);
}

}  // namespace
}  // namespace comity::matching
