// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/clock_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <limits>
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

constexpr const char* kBoot = "5b3f8a52-8f0e-4a57-9d1c-0c6a4a0e7d11";
constexpr const char* kAnotherBoot = "0d1c2b3a-4f5e-4678-8a9b-acbdcedfe0f1";
const ClockRecord kBefore{kBoot, hours(100), Instant(days(20'000))};

ClockRecord Later(const char* boot_id, microseconds boot, microseconds passed) {
  return {boot_id, kBefore.boot + boot, kBefore.now + passed};
}

TEST(CheckClockTest, AcceptsTheTimeThatPassedSinceTheSameBoot) {
  EXPECT_THAT(CheckClock(kBefore, Later(kBoot, days(300), days(300))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later(kBoot, hours(1), hours(1) + seconds(60))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later(kBoot, hours(1), hours(1) - seconds(60))), IsOk());
}

TEST(CheckClockTest, RefusesAClockThatWasSetSinceTheSameBoot) {
  for (const seconds off : {seconds(61), seconds(-61), seconds(days(365)), -seconds(days(1))}) {
    const Status checked = CheckClock(kBefore, Later(kBoot, hours(1), hours(1) + off));
    ASSERT_THAT(checked, FailsWith(ErrorCode::kConflict)) << off.count();
    EXPECT_THAT(checked.error().detail, HasSubstr(std::to_string(std::abs(off.count())) + " s " +
                                                  (off.count() > 0 ? "after" : "before")));
    EXPECT_THAT(checked.error().detail, HasSubstr("--accept-clock"));
  }
}

TEST(CheckClockTest, AcceptsAnAbsenceOf35DaysAfterAnotherBootAndNoLongerOne) {
  EXPECT_THAT(CheckClock(kBefore, Later(kAnotherBoot, -hours(99), days(35))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later(kAnotherBoot, -hours(99), days(35) + microseconds(1))),
              FailsWith(ErrorCode::kConflict));
}

TEST(CheckClockTest, RefusesATimeBeforeTheLastRunAfterAnotherBoot) {
  EXPECT_THAT(CheckClock(kBefore, Later(kAnotherBoot, -hours(99), -seconds(60))), IsOk());
  EXPECT_THAT(CheckClock(kBefore, Later(kAnotherBoot, -hours(99), -seconds(61))),
              FailsWith(ErrorCode::kConflict));
}

// A gateway that cannot read the boot's id: after a boot the time since boot says nothing.
TEST(CheckClockTest, TakesABootThatIsNotKnownForAnotherOne) {
  for (const char* id : {"unknown", "5", "5b3f8a52-8f0e-4a57-9d1c-0c6a4a0e7d1", ""}) {
    const ClockRecord before{id, hours(100), kBefore.now};
    EXPECT_THAT(CheckClock(before, {id, seconds(20), kBefore.now + hours(1)}), IsOk()) << id;
    EXPECT_THAT(CheckClock(before, {id, hours(101), kBefore.now + days(30)}), IsOk()) << id;
    EXPECT_THAT(CheckClock(before, {id, hours(101), kBefore.now - days(1)}),
                FailsWith(ErrorCode::kConflict))
        << id;
  }
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

TEST_F(ClockFile, IsRefusedWhenItsTimesCannotBe) {
  const auto load = [&](std::int64_t boot, std::int64_t now) {
    std::ofstream(file_) << kBoot << ' ' << boot << ' ' << now;
    return LoadClockRecord(file_);
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kYear10000 = 253'402'300'800'000'000;
  constexpr std::int64_t kBoot101Years = std::int64_t{101} * 366 * 86'400 * 1'000'000;
  EXPECT_THAT(load(0, 0), IsOk());
  EXPECT_THAT(load(0, kYear10000 - 1), IsOk());
  EXPECT_THAT(load(0, kYear10000), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(load(0, -1), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(load(0, kMost), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(load(kBoot101Years, 0), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(load(kMost, 0), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(ClockFile, OfThisMachineNamesItsBoot) {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(RecordOf(clock_).boot_id, id);
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
