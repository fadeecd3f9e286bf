// SPDX-License-Identifier: Apache-2.0
// What a gateway does with durable messages of a partner that has valid papers and bad intentions.
#include <gmock/gmock.h>

#include "crypto/base/random.h"
#include "crypto/base/random_id.h"
#include "services/audit/events.h"
#include "services/oversight/partner_content.h"
#include "services/oversight/receipt.h"
#include "services/transport/status.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

class HostileMessage : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    peer_ = std::make_unique<RawPeer>(council_.unchecked_towards(police_), clock_);
  }
  v1::PartnerMessage Notice(const std::string& words = "Until 06:00.") {
    v1::PartnerMessage message;
    message.set_id(RandomId(random_source_));
    message.set_kind("peer-notice");
    message.set_content(oversight::EncodePeerNotice(
        {std::string(oversight::peer_notice::kPlannedOutage), words, clock_.Now()}));
    return message;
  }
  v1::PartnerMessage Change(const oversight::EntryNews& news) {
    v1::PartnerMessage message = Notice();
    message.set_kind("entry-change");
    message.set_content(oversight::EncodeEntryNews(std::vector{news}));
    return message;
  }
  void SuspendCouncil() {
    grpc::ClientContext context;
    v1::SuspendPeerRequest request;
    v1::Peer response;
    request.set_agency(council_.name());
    request.set_reason("its key may be in other hands");
    ASSERT_TRUE(police_.peers("dpo")->Suspend(&context, request, &response).ok());
  }
  Result<v1::SignedMessage> Send(const v1::SignedMessage& message) {
    grpc::ClientContext context;
    v1::SignedMessage reply;
    const grpc::Status status = peer_->stub().Deliver(&context, message, &reply);
    if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
    return reply;
  }
  Result<v1::PartnerReceipt> Deliver(const v1::PartnerMessage& message) {
    return peer_->Read<v1::PartnerReceipt>(Send(peer_->Sign(message, peer_->NewExchange())));
  }
  std::size_t Notices() {
    grpc::ClientContext context;
    v1::ListNoticesRequest request;
    v1::ListNoticesResponse response;
    request.set_all(true);
    EXPECT_TRUE(police_.notices("supervisor-1")->List(&context, request, &response).ok());
    return static_cast<std::size_t>(
        std::ranges::count(response.notices(), "peer-notice", &v1::Notice::kind));
  }

  SystemRandom random_source_;
  std::unique_ptr<RawPeer> peer_;
};

TEST_F(HostileMessage, HasOneEffectHoweverOftenItComes) {
  const v1::PartnerMessage message = Notice();
  const auto first = Deliver(message);
  ASSERT_THAT(first, IsOk());
  for (int i = 0; i < 3; ++i) {
    const auto again = Deliver(message);
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->receipt(), first->receipt());
  }
  police_.Stop();
  police_.Start({&council_});
  peer_ = std::make_unique<RawPeer>(council_.unchecked_towards(police_), clock_);
  const auto later = Deliver(message);
  ASSERT_THAT(later, IsOk());
  EXPECT_EQ(later->receipt(), first->receipt());
  EXPECT_EQ(Notices(), 1U);
  EXPECT_EQ(ExportLog(police_).Count(audit::kPartnerMessageReceived), 1U);
}

TEST_F(HostileMessage, IsRefusedAsAReplayWhenItComesInTheSameEnvelope) {
  const v1::SignedMessage envelope = peer_->Sign(Notice(), peer_->NewExchange());
  ASSERT_THAT(Send(envelope), IsOk());
  EXPECT_THAT(Send(envelope), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Notices(), 1U);
}

TEST_F(HostileMessage, IsRefusedWhenItsIdCameWithOtherContent) {
  v1::PartnerMessage message = Notice();
  ASSERT_THAT(Deliver(message), IsOk());
  message.set_content(Notice("Until 07:00.").content());
  const auto other = Deliver(message);
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->refused(), "id-reused");
  EXPECT_EQ(Notices(), 1U);
}

TEST_F(HostileMessage, IsRefusedWhenAnotherKeySigned) {
  peer_->ForgetKey();
  EXPECT_THAT(Deliver(Notice()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_EQ(Notices(), 0U);
}

TEST_F(HostileMessage, OfAnUnknownKindIsRefusedAndTheGatewayGoesOn) {
  v1::PartnerMessage message = Notice();
  message.set_kind("give-me-everything");
  const auto answer = Deliver(message);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->refused(), "unsupported-kind");
  EXPECT_EQ(answer->receipt(), "");
  EXPECT_THAT(Deliver(Notice()), IsOk());
  EXPECT_EQ(Notices(), 1U);
  EXPECT_EQ(ExportLog(police_).Count(audit::kPeerMessageRefused), 1U);
}

TEST_F(HostileMessage, WithContentOfAnotherFormIsRefused) {
  for (const char* content : {"{}", "[]", R"({"at":"2026-11-25T22:00:00Z","kind":"x","words":"y"})",
                              R"({"changes":[]})"}) {
    v1::PartnerMessage message = Notice();
    message.set_content(content);
    const auto answer = Deliver(message);
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->refused(), "invalid-content") << content;
  }
  EXPECT_EQ(Notices(), 0U);
}

TEST_F(HostileMessage, OutsideItsBoundsIsRefused) {
  const auto with = [&](auto change) {
    v1::PartnerMessage message = Notice();
    change(message);
    return Deliver(message);
  };
  const auto invalid = FailsWith(ErrorCode::kInvalidArgument);
  EXPECT_THAT(with([](v1::PartnerMessage& m) { m.set_id("short"); }), invalid);
  EXPECT_THAT(with([](v1::PartnerMessage& m) { m.set_kind(""); }), invalid);
  EXPECT_THAT(with([](v1::PartnerMessage& m) { m.set_content(""); }), invalid);
  EXPECT_THAT(with([](v1::PartnerMessage& m) { m.set_content("{ }"); }), invalid);
  EXPECT_THAT(with([](v1::PartnerMessage& m) {
                m.set_content("\"" + std::string(oversight::kMaxContent, 'x') + "\"");
              }),
              invalid);
  EXPECT_EQ(Notices(), 0U);
}

TEST_F(HostileMessage, BuriesPeopleInNoMoreNoticesThanAnHourAllows) {
  for (int i = 0; i < 20; ++i) ASSERT_THAT(Deliver(Notice()), IsOk());
  EXPECT_THAT(Deliver(Notice()), FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(Notices(), 20U);
}

TEST_F(HostileMessage, ThatSpeaksOfATimeToComeIsRefused) {
  const auto at = [&](policy::Instant instant) {
    oversight::EntryNews news;
    news.reference = "ref-0";
    news.change = oversight::entry_change::kRestricted;
    news.at = instant;
    return Deliver(Change(news));
  };
  EXPECT_EQ(at(policy::ParseInstant("9999-12-31T00:00:00Z").value())->refused(), "invalid-content");
  EXPECT_EQ(at(clock_.Now() + std::chrono::seconds(90))->refused(), "invalid-content");
  EXPECT_EQ(at(clock_.Now() + std::chrono::seconds(30))->refused(), "");  // a clock that is fast
}

TEST_F(HostileMessage, OfASuspendedPartnerWithdrawsAndDoesNothingElse) {
  SuspendCouncil();
  v1::PartnerMessage order = Notice();
  order.set_kind("deletion-order");
  order.set_content(oversight::EncodeDeletionOrder(
      {policy::AgreementId::Parse("northshire-eastvale-2026").value(), 1, clock_.Now()}));
  EXPECT_THAT(Deliver(order), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Deliver(Notice()), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(Notices(), 1U);  // of the suspension itself
  oversight::EntryNews news;
  news.reference = "ref-0";
  news.change = oversight::entry_change::kWithdrawn;
  news.at = clock_.Now();
  const auto withdrawn = Deliver(Change(news));
  ASSERT_THAT(withdrawn, IsOk());
  EXPECT_NE(withdrawn->receipt(), "");
  EXPECT_EQ(ExportLog(police_).Count(audit::kPartnerMessageReceived), 1U);
  EXPECT_EQ(ExportLog(police_).Count(audit::kDeletionDone), 0U);
}

}  // namespace
}  // namespace comity::testing
