// SPDX-License-Identifier: Apache-2.0
#include "services/identity/notices.h"

#include <thread>

#include "services/audit/events.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Role;

Notice Told(RoleSet audience) {
  return {notice::kAlarm, audience, "list lantern", "More hits than expected."};
}

class NoticesTest : public IdentityWorld {};

TEST_F(NoticesTest, ReachesTheRolesItIsForAndNoOther) {
  ASSERT_THAT(notices_->Post(Told({kDpo, kSupervisor})), IsOk());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(1));
  EXPECT_THAT(NoticesFor(kSupervisor), SizeIs(1));
  EXPECT_THAT(NoticesFor(kOperator), IsEmpty());
}

TEST_F(NoticesTest, KeepsEveryFieldAcrossARestart) {
  ASSERT_THAT(notices_->Post(Told({kDpo})), IsOk());
  Restart();
  const auto notices = NoticesFor(kDpo);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].kind, notice::kAlarm);
  EXPECT_EQ(notices[0].subject, "list lantern");
  EXPECT_EQ(notices[0].words, "More hits than expected.");
  EXPECT_EQ(notices[0].at, agency_.clock.Now());
  EXPECT_EQ(agency_.CountEvents(audit::kNoticePosted), 1U);
}

TEST_F(NoticesTest, IsAcknowledgedByEachRoleForItself) {
  ASSERT_THAT(notices_->Post(Told({kDpo, kSupervisor})), IsOk());
  const std::uint64_t number = NoticesFor(kDpo).at(0).number;
  ASSERT_THAT(notices_->Acknowledge(number, CallerOf("supervisor-1")), IsOk());
  EXPECT_THAT(NoticesFor(kSupervisor), IsEmpty());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(1));
  EXPECT_THAT(NoticesFor(kSupervisor, false), SizeIs(1));
  EXPECT_EQ(agency_.CountEvents(audit::kNoticeAcknowledged), 1U);
}

TEST_F(NoticesTest, IsAcknowledgedOnceAndByNobodyElse) {
  ASSERT_THAT(notices_->Post(Told({kSupervisor})), IsOk());
  const std::uint64_t number = NoticesFor(kSupervisor).at(0).number;
  EXPECT_THAT(notices_->Acknowledge(number, CallerOf("dpo")), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(notices_->Acknowledge(number + 1, CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(notices_->Acknowledge(number, CallerOf("supervisor-1")), IsOk());
  EXPECT_THAT(notices_->Acknowledge(number, CallerOf("supervisor-2")),
              FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(NoticesFor(kSupervisor, false).at(0).audience.at(0).acknowledged_by->text(),
            "supervisor-1");
  EXPECT_EQ(agency_.CountEvents(audit::kNoticeAcknowledged), 1U);
}

TEST_F(NoticesTest, IsNotStoredWhenTheActThatCausesItIsNot) {
  const Status status = agency_.journal().Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(notices_->Post(transaction, recorder, Told({kDpo})));
        return Fail(ErrorCode::kConflict, "the act cannot be done");
      });
  EXPECT_THAT(status, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(NoticesFor(kDpo), IsEmpty());
  EXPECT_EQ(agency_.CountEvents(audit::kNoticePosted), 0U);
}

TEST_F(NoticesTest, RefusesOneWithoutAudienceOrOutsideItsBounds) {
  EXPECT_THAT(notices_->Post(Told({})), FailsWith(ErrorCode::kInternal));
  Notice notice = Told({kDpo});
  notice.words.assign(4001, 'x');
  EXPECT_THAT(notices_->Post(notice), FailsWith(ErrorCode::kInternal));
  notice = Told({kDpo});
  notice.subject.clear();
  EXPECT_THAT(notices_->Post(notice), FailsWith(ErrorCode::kInternal));
}

TEST_F(NoticesTest, WakesWhoWaits) {
  const std::uint64_t seen = notices_->announced();
  std::uint64_t heard = seen;
  std::jthread waiting(
      [&] { heard = notices_->AwaitAnnouncement(seen, std::chrono::seconds(30)); });
  ASSERT_THAT(notices_->Post(Told({kDpo})), IsOk());
  waiting.join();
  EXPECT_GT(heard, seen);
}

TEST_F(NoticesTest, WaitsNoLongerThanItsPatience) {
  const std::uint64_t seen = notices_->announced();
  EXPECT_EQ(notices_->AwaitAnnouncement(seen, std::chrono::milliseconds(10)), seen);
}

}  // namespace
}  // namespace comity::identity
