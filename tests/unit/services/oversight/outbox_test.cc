// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/outbox.h"

#include <gmock/gmock.h>

#include <thread>

#include "crypto/base/random_id.h"
#include "services/audit/events.h"
#include "services/oversight/catch_up.h"
#include "services/oversight/partner_content.h"
#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using testing::FailsWith;
using testing::IsOk;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

class OutboxTest : public OversightTest {
 protected:
  Work Adding(std::string content) {
    return [this, content](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_RETURN_IF_ERROR(outbox_.Add(transaction, recorder,
                                         {.peer = kEast,
                                          .kind = message_kind::kPeerNotice,
                                          .content = content,
                                          .due_by = agency_.clock.Now() + 48h}));
      return {};
    };
  }
};

TEST_F(OutboxTest, StoresAndRecordsAMessageTogether) {
  MustCommit(Adding("{}"));
  const auto waiting = WaitingFor(kEast);
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_TRUE(IsRandomId(waiting[0].id));
  EXPECT_EQ(waiting[0].kind, "peer-notice");
  EXPECT_EQ(waiting[0].content, "{}");
  EXPECT_EQ(waiting[0].created_at, agency_.clock.Now());
  EXPECT_EQ(waiting[0].due_by, agency_.clock.Now() + 48h);
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageQueued), 1U);
}

TEST_F(OutboxTest, StoresNothingWhenTheActFails) {
  EXPECT_THAT(Commit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
                COMITY_RETURN_IF_ERROR(Adding("{}")(transaction, recorder));
                return Fail(ErrorCode::kConflict, "the act did not come off");
              }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(WaitingFor(kEast), SizeIs(0));
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageQueued), 0U);
}

TEST_F(OutboxTest, TakesAtMost64KiB) {
  EXPECT_THAT(Commit(Adding(std::string(kMaxContent, ' '))), IsOk());
  EXPECT_THAT(Commit(Adding(std::string(kMaxContent + 1, ' '))),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(OutboxTest, WakesTheCourierOfThePeerAtOnce) {
  const auto begin = steady_clock::now();
  std::jthread adder([&] {
    std::this_thread::sleep_for(20ms);
    EXPECT_THAT(Commit(Adding("{}")), IsOk());
  });
  outbox_.AwaitMore(kEast, 0, 10s, {});
  EXPECT_LT(steady_clock::now() - begin, 1s);
  EXPECT_EQ(outbox_.PutFor(kEast), 1U);
  EXPECT_EQ(outbox_.PutFor(kSouth), 0U);
}

TEST_F(OutboxTest, DoesNotWakeTheCourierOfAnotherPeer) {
  MustCommit(Adding("{}"));
  const auto begin = steady_clock::now();
  outbox_.AwaitMore(kSouth, 0, 50ms, {});
  EXPECT_GE(steady_clock::now() - begin, 50ms);
}

TEST(CatchUp, CountsAPartnerAsBehindAfterFiveSeconds) {
  const policy::Instant since = policy::ParseInstant("2026-11-25T08:00:00Z").value();
  CatchUp catch_up;
  EXPECT_FALSE(catch_up.IsBehind(kEast, since + 1h));
  catch_up.Set(kEast, since);
  EXPECT_FALSE(catch_up.IsBehind(kEast, since + 5s));
  EXPECT_TRUE(catch_up.IsBehind(kEast, since + 5s + 1us));
  EXPECT_FALSE(catch_up.IsBehind(kSouth, since + 1h));
  catch_up.Set(kEast, std::nullopt);
  EXPECT_FALSE(catch_up.IsBehind(kEast, since + 1h));
}

}  // namespace
}  // namespace comity::oversight
