// SPDX-License-Identifier: Apache-2.0
// What happens to what is kept for a time when somebody sets the machine's clock.
#include "services/runtime/guarded_clock.h"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>

#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::SizeIs;

class ClockJump : public RetentionWorld {
 protected:
  void SetUp() override {
    MustOpen();
    guarded_desk_.emplace(
        RetentionDesk::Setup{*store_, *log_, *notices_, *ledger_, own_, guarded_, {}});
  }
  // Before what it uses is closed.
  void TearDown() override { guarded_desk_.reset(); }
  void Pass(microseconds amount) {
    clock_.Advance(amount);
    boot_.fetch_add(amount.count());
  }
  void Set(microseconds by) { clock_.Advance(by); }  // the machine's clock
  void KeepHouse() { EXPECT_THAT(guarded_desk_->Housekeep(), IsOk()); }
  Status RememberAgain(std::string_view id) {
    return Write([&](store::Transaction& tx) {
      return tx.replays().Remember(own_, id, guarded_.Now() + minutes(10));
    });
  }

  std::atomic<microseconds::rep> boot_{0};
  const runtime::GuardedClock guarded_{
      {[this] { return clock_.Now(); }, [this] { return microseconds(boot_.load()); }}};
  std::optional<RetentionDesk> guarded_desk_;
};

TEST_F(ClockJump, AheadErasesNothingBeforeItsTimeAndTellsPeopleOnce) {
  PutAlert("a-1", guarded_.Now() + hours(24));
  Set(days(365 * 4));
  for (int i = 0; i < 3; ++i) KeepHouse();
  EXPECT_TRUE(HasAlert("a-1"));
  const auto told = NoticesFor(identity::Role::kDpo);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].words, HasSubstr("set ahead by 126144000 s"));
  Pass(hours(24) - minutes(1));
  KeepHouse();
  EXPECT_TRUE(HasAlert("a-1"));
  Pass(minutes(1));
  KeepHouse();
  EXPECT_FALSE(HasAlert("a-1"));  // its time has come all the same
}

TEST_F(ClockJump, BackKeepsNothingLongerThanItsTime) {
  PutAlert("a-1", guarded_.Now() + hours(24));
  Set(-days(30));
  Pass(hours(24));
  KeepHouse();
  EXPECT_FALSE(HasAlert("a-1"));
  EXPECT_THAT(NoticesFor(identity::Role::kDpo)[0].words, HasSubstr("set back by 2592000 s"));
}

TEST_F(ClockJump, AheadAndBackForgetsNoExchangeId) {
  ASSERT_THAT(RememberAgain("x-1"), IsOk());
  Set(days(2));
  Pass(minutes(2));
  KeepHouse();
  Set(-days(2));
  Pass(minutes(2));
  KeepHouse();
  EXPECT_THAT(RememberAgain("x-1"), FailsWith(ErrorCode::kConflict));
  Pass(minutes(10));
  KeepHouse();
  EXPECT_THAT(RememberAgain("x-1"), IsOk());
}

TEST_F(ClockJump, IsToldAnewWhenItHappensAgain) {
  for (int i = 0; i < 2; ++i) {
    Set(hours(5));
    KeepHouse();
    Set(-hours(5));
    KeepHouse();
  }
  EXPECT_THAT(NoticesFor(identity::Role::kAuditor), SizeIs(2));
}

}  // namespace
}  // namespace comity::oversight
