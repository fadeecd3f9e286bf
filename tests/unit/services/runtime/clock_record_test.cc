// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/clock_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "services/runtime/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::runtime {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

const ClockRecord kBefore{"boot-1", hours(100), Instant(days(20'000))};

ClockRecord Later(const char* boot_id, microseconds boot, microseconds passed) {
  return {boot_id, kBefore.boot + boot, kBefore.now + passed};
}

TEST(CheckClockTest, AcceptsTheTimeThatPassedSinceTheSameBoot) {
  EXPECT_THAT(CheckClock(kBefore, Later("boot-1", days(300), days(300))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later("boot-1", hours(1), hours(1) + seconds(60))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later("boot-1", hours(1), hours(1) - seconds(60))), IsOk());
}

TEST(CheckClockTest, RefusesAClockThatWasSetSinceTheSameBoot) {
  for (const seconds off : {seconds(61), seconds(-61), seconds(days(365)), -seconds(days(1))}) {
    const Status checked = CheckClock(kBefore, Later("boot-1", hours(1), hours(1) + off));
    ASSERT_THAT(checked, FailsWith(ErrorCode::kConflict)) << off.count();
    EXPECT_THAT(checked.error().detail, HasSubstr(std::to_string(std::abs(off.count())) + " s " +
                                                  (off.count() > 0 ? "after" : "before")));
    EXPECT_THAT(checked.error().detail, HasSubstr("--accept-clock"));
  }
}

TEST(CheckClockTest, AcceptsAnAbsenceOf35DaysAfterAnotherBootAndNoLongerOne) {
  EXPECT_THAT(CheckClock(kBefore, Later("boot-2", -hours(99), days(35))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later("boot-2", -hours(99), days(35) + microseconds(1))),
              FailsWith(ErrorCode::kConflict));
}

TEST(CheckClockTest, RefusesATimeBeforeTheLastRunAfterAnotherBoot) {
  EXPECT_THAT(CheckClock(kBefore, Later("boot-2", -hours(99), -seconds(60))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later("boot-2", -hours(99), -seconds(61))),
              FailsWith(ErrorCode::kConflict));
}

class ClockFile : public ::testing::Test {
 protected:
  const testing::TemporaryDirectory folder_;
  const std::filesystem::path file_ = folder_.path() / "clock";
  const GuardedClock clock_;
};

TEST_F(ClockFile, IsReadAsItWasSaved) {
  EXPECT_THAT(LoadClockRecord(file_), FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(SaveClockRecord(file_, kBefore), IsOk());
  const auto loaded = LoadClockRecord(file_);
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded->boot_id, kBefore.boot_id);
  EXPECT_EQ(loaded->boot, kBefore.boot);
  EXPECT_EQ(loaded->now, kBefore.now);
}

TEST_F(ClockFile, IsRefusedWhenItIsNotOne) {
  for (const char* text : {"", "boot-1 12", "boot-1 x 12", "boot-1 -1 12", "boot-1 1 2 3"}) {
    std::ofstream(file_) << text;
    EXPECT_THAT(LoadClockRecord(file_), FailsWith(ErrorCode::kCorrupt)) << text;
  }
}

TEST_F(ClockFile, OfThisMachineAgreesWithItself) {
  EXPECT_THAT(CheckClock(RecordOf(clock_), RecordOf(clock_)), IsOk());
}

TEST_F(ClockFile, IsKeptByAProgramThatRuns) {
  std::ostringstream text;
  const auto logger = MakeStreamLogger(LogLevel::kWarn, clock_, text);
  {
    const ClockKeeper keeper(file_, clock_, *logger);
  }
  const auto saved = LoadClockRecord(file_);
  ASSERT_THAT(saved, IsOk());
  EXPECT_THAT(CheckClock(*saved, RecordOf(clock_)), IsOk());
}

}  // namespace
}  // namespace comity::runtime
