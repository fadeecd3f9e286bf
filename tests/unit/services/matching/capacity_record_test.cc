// SPDX-License-Identifier: Apache-2.0
// Counters of capacity that somebody changes in the database, beside a log that is not changed.
#include "services/matching/capacity_record.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

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
    SQLite::Database(agency_.database().string(), SQLite::OPEN_READWRITE, 5000).exec(sql);
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

// Of a clock that was ahead.
TEST_F(CapacityRecordTest, AReservationOfALaterDayLeavesTodayChecked) {
  Take(70, Key());
  const CapacityMeter::Key today = Key();
  agency_.clock.Advance(std::chrono::hours(240));
  Take(10, Key());
  const CapacityMeter::Key later = Key();
  agency_.clock.Advance(-std::chrono::hours(239));
  Start();
  Take(1, Key("officer:aa"));  // a day between them changes nothing of the later one
  agency_.clock.Advance(-std::chrono::hours(1));
  Execute("UPDATE capacity SET reserved = 1");
  Start();
  EXPECT_THAT(meter_->Take(today, kLimit), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(meter_->Take(later, kLimit), FailsWith(ErrorCode::kCorrupt)) << "as its day comes";
  EXPECT_THAT(meter_->fault(), HasSubstr("probes of 2026-11-25"));
  EXPECT_THAT(meter_->fault(), HasSubstr("probes of 2026-12-05"));
}

TEST_F(CapacityRecordTest, AReservationOfALaterDayThatDoesNotOpenRefusesThatDayOnly) {
  Take(70, Key());
  Execute("CREATE TABLE kept AS SELECT * FROM audit_payload");
  const CapacityMeter::Key today = Key();
  agency_.clock.Advance(std::chrono::hours(240));
  Take(10, Key());
  const CapacityMeter::Key later = Key();
  agency_.clock.Advance(-std::chrono::hours(240));
  Execute(
      "UPDATE audit_payload SET wrapped_key = x''"
      " WHERE leaf_index NOT IN (SELECT leaf_index FROM kept)");
  Start();
  Take(1, today);
  EXPECT_THAT(meter_->Take(later, kLimit), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(CapacityRecordTest, OfficersOfLaterDaysTakeNoRoomFromThoseOfToday) {
  const std::vector<std::string> officers = {"officer:a", "officer:b", "officer:c"};
  std::vector<CapacityMeter::Key> today;
  for (const std::string& officer : officers) today.push_back(Key(officer));
  Take(1, today[0]);
  Take(1, today[1]);
  agency_.clock.Advance(std::chrono::hours(240));
  for (const std::string& officer : officers) Take(1, Key(officer));
  agency_.clock.Advance(-std::chrono::hours(240));
  CapacityRecord record(2);
  ASSERT_THAT(record.Recall(agency_.store(), agency_.kek(), agency_.clock.Now()), IsOk());
  EXPECT_EQ(record.Known(today[0]), 64U);
  EXPECT_EQ(record.Known(today[1]), 64U);
  record.Note(today[2], 64);
  EXPECT_EQ(record.Known(today[2]), 0U) << "no more than two of today";
}

TEST_F(CapacityRecordTest, EachCounterIsAFaultOnceOnItsDay) {
  Take(70, Key());
  Take(10, Key("officer:aa"));
  EXPECT_THAT(meter_->TakeFaults(), IsEmpty());
  Execute("UPDATE capacity SET reserved = 1 WHERE subject = ''");
  ASSERT_THAT(meter_->Look(), IsOk());
  ASSERT_THAT(meter_->Look(), IsOk());
  EXPECT_THAT(meter_->TakeFaults(), HasSubstr("says that 1 probes of 2026-11-25 are used"));
  Execute("UPDATE capacity SET reserved = 2 WHERE subject = ''");
  ASSERT_THAT(meter_->Look(), IsOk());
  EXPECT_THAT(meter_->TakeFaults(), IsEmpty()) << "no flood of one counter";
  CapacityMeter::Key other = Key();
  other.clause = "p2";
  Take(10, other);
  Execute("DELETE FROM capacity WHERE clause = 'p2'");
  ASSERT_THAT(meter_->Look(), IsOk());
  EXPECT_THAT(meter_->TakeFaults(), HasSubstr("clause p2"));
  agency_.clock.Advance(std::chrono::hours(24));
  Take(10, Key());
  Execute("DELETE FROM capacity");
  ASSERT_THAT(meter_->Look(), IsOk());
  EXPECT_THAT(meter_->TakeFaults(), HasSubstr("probes of 2026-11-26"));
  EXPECT_THAT(meter_->fault(), HasSubstr("probes of 2026-11-25"));
}

TEST_F(CapacityRecordTest, ManyFaultsAreSaidInFewWords) {
  for (int i = 0; i < 10; ++i) Take(1, Key("case:" + std::to_string(i)));
  Execute("DELETE FROM capacity");
  Start();
  const std::string found = meter_->TakeFaults();
  EXPECT_THAT(found, HasSubstr("for one officer or case"));
  EXPECT_THAT(found, HasSubstr("; and 7 more"));
  EXPECT_LT(found.size(), 1000U);
}

// Counts units of work that read, and asks for a stop in one of them.
class WatchedStore final : public store::Store {
 public:
  explicit WatchedStore(const store::Store& store, int stop_at = 0)
      : store_(store), stop_at_(stop_at) {}
  Status Write(const std::function<Status(store::Transaction&)>&) override {
    return Fail(ErrorCode::kInternal, "nothing is written here");
  }
  Status Read(const std::function<Status(const store::Transaction&)>& work) const override {
    if (++reads_ == stop_at_) stop_.request_stop();
    return store_.Read(work);
  }
  int reads() const { return reads_; }
  std::stop_token stop() const { return stop_.get_token(); }

 private:
  const store::Store& store_;
  const int stop_at_;
  mutable int reads_ = 0;
  mutable std::stop_source stop_;
};

class ManyReservations : public CapacityRecordTest {
 protected:
  static constexpr std::uint64_t kMany = 2000;
  ManyReservations() {
    audit::Event event;
    event.type = audit::kCapacityReserved;
    event.time = agency_.clock.Now();
    event.parties = {agency_.own};
    event.committed = {
        {"counter", "lantern/eastvale-council"}, {"clause", "p1"}, {"day", Key().day}};
    const auto record_all = [&](store::Transaction&, audit::Recorder& recorder) -> Status {
      for (std::uint64_t i = 1; i <= kMany; ++i) {
        event.counts["reserved"] = static_cast<std::int64_t>(i);
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
      }
      return {};
    };
    const Status recorded = agency_.journal().Commit(record_all);
    EXPECT_THAT(recorded, IsOk());
  }
};

TEST_F(ManyReservations, AreReadInFewUnitsOfWork) {
  const WatchedStore store(agency_.store());
  CapacityRecord record;
  ASSERT_THAT(record.Recall(store, agency_.kek(), agency_.clock.Now()), IsOk());
  EXPECT_EQ(record.Known(Key()), kMany);
  EXPECT_LE(store.reads(), 6);
}

TEST_F(ManyReservations, AreLeftUnreadByAStop) {
  const WatchedStore store(agency_.store(), 3);
  CapacityRecord record;
  EXPECT_THAT(record.Recall(store, agency_.kek(), agency_.clock.Now(), store.stop()),
              FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(store.reads(), 3);
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
