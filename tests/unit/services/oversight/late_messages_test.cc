// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "services/oversight/partner_content.h"
#include "services/oversight/partner_notices.h"
#include "services/oversight/unacknowledged.h"
#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using enum identity::Role;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class LateMessagesTest : public OversightTest {
 protected:
  void Put(const policy::AgencyId& peer, std::string_view kind) {
    MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_RETURN_IF_ERROR(outbox_.Add(
          transaction, recorder,
          {.peer = peer, .kind = kind, .content = "{}", .due_by = agency_.clock.Now() + 48h}));
      return {};
    });
  }
  void LookAfter(std::chrono::seconds time) {
    agency_.clock.Advance(time);
    ASSERT_THAT(unacknowledged_.Look(), IsOk());
  }

  Unacknowledged unacknowledged_{
      Unacknowledged::Setup{agency_.store(), agency_.journal(), notices_, agency_.clock}};
};

TEST_F(LateMessagesTest, TellsPeopleOfAWithdrawalAfterAMinuteOnceForEachPartner) {
  Put(kEast, message_kind::kEntryChange);
  Put(kEast, message_kind::kEntryChange);
  Put(kSouth, message_kind::kEntryChange);
  LookAfter(59s);
  EXPECT_THAT(NoticesFor(kDpo), IsEmpty());
  LookAfter(1s);
  LookAfter(1h);
  const auto notices = NoticesFor(kDpo);
  ASSERT_THAT(notices, SizeIs(2));
  EXPECT_EQ(notices[0].kind, identity::notice::kWithdrawalUnacknowledged);
  EXPECT_EQ(notices[0].subject, "partner eastvale-council");
  EXPECT_THAT(notices[0].words, HasSubstr("2 message(s)"));
  EXPECT_THAT(notices[1].words, HasSubstr("1 message(s)"));
  EXPECT_THAT(NoticesFor(kOperator), SizeIs(2));
  EXPECT_THAT(NoticesFor(kSupervisor), SizeIs(2));
  EXPECT_THAT(NoticesFor(kAuditor), IsEmpty());
}

TEST_F(LateMessagesTest, TellsOfALaterBatchAgain) {
  Put(kEast, message_kind::kEntryChange);
  LookAfter(60s);
  Put(kEast, message_kind::kEntryChange);
  LookAfter(60s);
  const auto notices = NoticesFor(kDpo);
  ASSERT_THAT(notices, SizeIs(2));
  EXPECT_THAT(notices[1].words, HasSubstr("1 message(s)"));
}

TEST_F(LateMessagesTest, TellsPeopleAgainAtTheDeadline) {
  Put(kEast, message_kind::kEntryChange);
  LookAfter(60s);
  LookAfter(48h - 61s);
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(1));
  LookAfter(1s);
  LookAfter(24h);
  const auto notices = NoticesFor(kDpo);
  ASSERT_THAT(notices, SizeIs(2));
  EXPECT_THAT(notices[1].words, HasSubstr("treat its copies as suspended"));
}

TEST_F(LateMessagesTest, SaysNothingOfWhatWasAcknowledged) {
  Put(kEast, message_kind::kEntryChange);
  Acknowledge(WaitingFor(kEast).at(0));
  LookAfter(49h);
  EXPECT_THAT(NoticesFor(kDpo), IsEmpty());
}

TEST_F(LateMessagesTest, TellsPeopleOfAMissingReceiptAtTheDeadline) {
  Put(kEast, message_kind::kDeletionOrder);
  LookAfter(48h - 1s);
  EXPECT_THAT(NoticesFor(kSignatory), IsEmpty());
  LookAfter(1s);
  LookAfter(1h);
  const auto notices = NoticesFor(kSignatory);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].kind, identity::notice::kReceiptMissing);
}

TEST_F(LateMessagesTest, RemembersWhomItToldAcrossARestart) {
  Put(kEast, message_kind::kEntryChange);
  LookAfter(60s);
  agency_.Reopen();
  identity::Notices notices({agency_.store(), agency_.journal(), agency_.own, agency_.clock});
  const Unacknowledged again({agency_.store(), agency_.journal(), notices, agency_.clock});
  ASSERT_THAT(again.Look(), IsOk());
  EXPECT_THAT(notices.List(identity::RoleSet{kDpo}, 0, false, 100).value(), SizeIs(1));
}

class PartnerNoticesTest : public OversightTest {
 protected:
  Status Tell(std::string_view kind, std::string_view words) {
    return Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
      return partner_notices_.Tell(transaction, recorder, kEast, kind, words);
    });
  }
  void Show(std::string_view kind) {
    MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) {
      return partner_notices_.Show(transaction, recorder, kEast,
                                   {std::string(kind), "words", agency_.clock.Now()});
    });
  }
  PartnerNotices partner_notices_{PartnerNotices::Setup{outbox_, notices_, agency_.clock}};
};

TEST_F(PartnerNoticesTest, TellsAPartnerThroughTheOutbox) {
  ASSERT_THAT(Tell(peer_notice::kPlannedOutage, "Until 06:00."), IsOk());
  const auto waiting = WaitingFor(kEast);
  ASSERT_THAT(waiting, SizeIs(1));
  const auto notice = ParsePeerNotice(waiting[0].content).value();
  EXPECT_EQ(notice.kind, "planned-outage");
  EXPECT_EQ(notice.words, "Until 06:00.");
  EXPECT_EQ(notice.at, agency_.clock.Now());
}

TEST_F(PartnerNoticesTest, RefusesWhatThePartnerWouldRefuse) {
  EXPECT_THAT(Tell("order", "x"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Tell(peer_notice::kAlarm, ""), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(WaitingFor(kEast), IsEmpty());
}

TEST_F(PartnerNoticesTest, ShowsAPartnersNoticeToThoseWhomItConcerns) {
  Show(peer_notice::kAlarm);
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(1));
  EXPECT_THAT(NoticesFor(kOperator), IsEmpty());
  Show(peer_notice::kReturned);
  EXPECT_THAT(NoticesFor(kOperator), SizeIs(1));
  EXPECT_THAT(NoticesFor(kAdministrator), SizeIs(1));
  Show(peer_notice::kSuspendedByUs);
  EXPECT_THAT(NoticesFor(kSignatory), SizeIs(1));
  EXPECT_EQ(NoticesFor(kSignatory)[0].kind, identity::notice::kPeerNotice);
  EXPECT_THAT(NoticesFor(kSignatory)[0].words, HasSubstr("suspended-by-us"));
}

}  // namespace
}  // namespace comity::oversight
