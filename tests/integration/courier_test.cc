// SPDX-License-Identifier: Apache-2.0
// The durable outbox towards partners that are slow, absent, forgetful or hostile.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>

#include "crypto/sign/dsse.h"
#include "services/audit/events.h"
#include "services/store/outbox_store.h"
#include "tests/integration/courier_world.h"

namespace comity::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

class CourierTest : public CourierWorld {
 protected:
  bool IsAcknowledged(std::uint64_t number) {
    return Eventually([&] { return Stored(number).acknowledged_at.has_value(); });
  }
  // Puts one message that `partner` answers wrongly, and checks that it still waits.
  void ExpectNotTaken(ScriptedPartner& partner, ScriptedPartner::Answering answering) {
    partner.Answer(std::move(answering));
    Serve();
    const std::uint64_t number = Put(partner, "{}");
    ASSERT_TRUE(Eventually([&] { return partner.came().size() >= 2; }));  // it is offered again
    EXPECT_FALSE(Stored(number).acknowledged_at);
    EXPECT_EQ(Stored(number).refused, "");
    EXPECT_EQ(agency_.CountEvents(audit::kReceiptReceived), 0U);
  }
};

TEST_F(CourierTest, BringsAMessageAtOnceAndKeepsItsReceipt) {
  ScriptedPartner& east = Partner("eastvale-council");
  Serve();
  ASSERT_TRUE(IsAcknowledged(Put(east, R"({"first":1})")));  // opens the connection
  const auto begin = steady_clock::now();
  const std::uint64_t number = Put(east, R"({"second":2})");
  ASSERT_TRUE(IsAcknowledged(number));
  const auto took = steady_clock::now() - begin;
  RecordProperty(
      "milliseconds",
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, 1s);
  const sign::PublicKey keys[] = {east.key().public_key()};
  const auto receipt = oversight::OpenReceipt(Stored(number).receipt, keys);
  ASSERT_THAT(receipt, IsOk());
  EXPECT_EQ(receipt->id, Stored(number).id);
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageQueued), 2U);
  EXPECT_EQ(agency_.CountEvents(audit::kReceiptReceived), 2U);
}

TEST_F(CourierTest, MessagesWaitForAnAbsentPartnerAndArriveOnceInOrder) {
  ScriptedPartner& east = Partner("eastvale-council");
  east.Close();
  Serve();
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back("{\"n\":" + std::to_string(i) + "}");
    Put(east, sent.back());
  }
  std::this_thread::sleep_for(500ms);
  EXPECT_THAT(WaitingFor(east), SizeIs(50));
  east.Open();
  courier_->Hurry(east.agency());
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  EXPECT_EQ(east.came(), sent);
}

TEST_F(CourierTest, MessagesWaitAcrossARestartOfTheSender) {
  ScriptedPartner& east = Partner("eastvale-council");
  Put(east, R"({"n":1})");
  Put(east, R"({"n":2})");
  Serve();
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  EXPECT_THAT(east.came(), ElementsAre(R"({"n":1})", R"({"n":2})"));
  Restart();
  std::this_thread::sleep_for(200ms);
  EXPECT_THAT(east.came(), SizeIs(2));
}

TEST_F(CourierTest, ASlowPartnerHoldsUpNoOther) {
  ScriptedPartner& slow = Partner("eastvale-council");
  ScriptedPartner& quick = Partner("southmere-police");
  std::latch release(1);
  slow.Answer([&](const v1::PartnerMessage& message) {
    release.wait();
    return slow.Taking(message);
  });
  Serve();
  const std::uint64_t held = Put(slow, "{}");
  ASSERT_TRUE(Eventually([&] { return slow.came().size() == 1; }));
  ASSERT_TRUE(IsAcknowledged(Put(quick, "{}")));
  EXPECT_FALSE(Stored(held).acknowledged_at);
  release.count_down();
  EXPECT_TRUE(IsAcknowledged(held));
  slow.Close();  // before the latch goes
}

TEST_F(CourierTest, EndsAtOnceWhileAPartnerDoesNotAnswer) {
  ScriptedPartner& slow = Partner("eastvale-council");
  std::latch release(1);
  slow.Answer([&](const v1::PartnerMessage& message) {
    release.wait();
    return slow.Taking(message);
  });
  Serve();
  Put(slow, "{}");
  ASSERT_TRUE(Eventually([&] { return slow.came().size() == 1; }));
  const auto begin = steady_clock::now();
  courier_.reset();
  EXPECT_LT(steady_clock::now() - begin, 2s);
  release.count_down();
  slow.Close();  // before the latch goes
}

TEST_F(CourierTest, AReceiptByAnotherKeyIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  // The partner answers on until the fixture closes it.
  const auto other = std::make_shared<sign::SigningKey>(sign::SigningKey::Generate(agency_.random));
  ExpectNotTaken(east, [&east, other](const v1::PartnerMessage& message) {
    v1::PartnerReceipt answer = east.Taking(message);
    answer.set_receipt(oversight::SignReceipt(*other, east.ReceiptFor(message)));
    return answer;
  });
}

TEST_F(CourierTest, AReceiptForAnotherMessageIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    oversight::Receipt receipt = east.ReceiptFor(message);
    receipt.id = std::string(26, 'a');
    v1::PartnerReceipt answer = east.Taking(message);
    answer.set_receipt(oversight::SignReceipt(east.key(), receipt));
    return answer;
  });
}

TEST_F(CourierTest, AReceiptForOtherContentIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    oversight::Receipt receipt = east.ReceiptFor(message);
    receipt.content.bytes[0] ^= 1;
    v1::PartnerReceipt answer = east.Taking(message);
    answer.set_receipt(oversight::SignReceipt(east.key(), receipt));
    return answer;
  });
}

TEST_F(CourierTest, AReceiptForAnotherSenderIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    oversight::Receipt receipt = east.ReceiptFor(message);
    receipt.sender = policy::AgencyId::Parse("southmere-police").value();
    v1::PartnerReceipt answer = east.Taking(message);
    answer.set_receipt(oversight::SignReceipt(east.key(), receipt));
    return answer;
  });
}

TEST_F(CourierTest, AnAnswerAboutAnotherMessageIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    v1::PartnerReceipt answer = east.Taking(message);
    answer.set_id(std::string(26, 'a'));
    return answer;
  });
}

TEST_F(CourierTest, AnAnswerThatTakesAndRefusesIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    v1::PartnerReceipt answer = east.Taking(message);
    answer.set_refused("invalid-content");
    return answer;
  });
}

TEST_F(CourierTest, AnEmptyAnswerIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    v1::PartnerReceipt answer;
    answer.set_id(message.id());
    return answer;
  });
}

TEST_F(CourierTest, ARefusalThatIsNoCodeIsNone) {
  ScriptedPartner& east = Partner("eastvale-council");
  ExpectNotTaken(east, [&](const v1::PartnerMessage& message) {
    v1::PartnerReceipt answer;
    answer.set_id(message.id());
    answer.set_refused("Not today!\n");
    return answer;
  });
}

TEST_F(CourierTest, ARefusedMessageIsSetAsideAndPeopleAreToldOnce) {
  ScriptedPartner& east = Partner("eastvale-council");
  east.Answer([&](const v1::PartnerMessage& message) {
    if (message.kind() != "unheard-of") return east.Taking(message);
    v1::PartnerReceipt answer;
    answer.set_id(message.id());
    answer.set_refused("unsupported-kind");
    return answer;
  });
  Serve();
  const std::uint64_t refused = Put(east, "{}", "unheard-of");
  ASSERT_TRUE(Eventually([&] { return Stored(refused).refused == "unsupported-kind"; }));
  EXPECT_TRUE(IsAcknowledged(Put(east, R"({"n":2})")));  // those behind it go on
  EXPECT_EQ(NoticesFor(identity::Role::kDpo), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageRefused), 1U);
  Restart();  // offered again at once, and refused again: nothing new
  ASSERT_TRUE(Eventually([&] { return east.came().size() == 3; }));
  EXPECT_TRUE(IsAcknowledged(Put(east, R"({"n":3})")));
  EXPECT_EQ(NoticesFor(identity::Role::kDpo), 1U);
  EXPECT_THAT(WaitingFor(east), SizeIs(1));
}

class CourierPauseTest : public CourierTest, public ::testing::WithParamInterface<ErrorCode> {};

// Else a withdrawal would wait for up to a day behind the notices that are too many.
TEST_P(CourierPauseTest, AKindThatIsNotTakenHoldsUpNoOther) {
  ScriptedPartner& east = Partner("eastvale-council");
  const auto takes_all = std::make_shared<std::atomic<bool>>(false);
  east.Answer([&east, takes_all](const v1::PartnerMessage& message) -> Result<v1::PartnerReceipt> {
    if (message.kind() != "entry-change" && !*takes_all) return Fail(GetParam(), "not now");
    return east.Taking(message);
  });
  Serve();
  std::vector<std::uint64_t> notices;
  for (int i = 0; i < 40; ++i) {  // more than are read at once
    notices.push_back(Put(east, "{\"notice\":" + std::to_string(i) + "}", "peer-notice"));
  }
  ASSERT_TRUE(Eventually([&] { return !east.came().empty(); }));
  const auto begin = steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(IsAcknowledged(Put(east, "{\"n\":" + std::to_string(i) + "}")));
  }
  EXPECT_LT(steady_clock::now() - begin, 3s);  // no change waits for the notices' next attempt
  EXPECT_EQ(Stored(notices.front()).refused, "") << "people are not told of what only waits";
  const auto before = east.came();
  EXPECT_EQ(std::ranges::count(before, "{\"notice\":1}"), 0) << "a notice overtook another one";
  EXPECT_LT(before.size(), 20U) << "offered again and again";
  *takes_all = true;
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  std::vector<std::string> last = east.came();
  last.erase(last.begin(), last.end() - static_cast<std::ptrdiff_t>(notices.size()));
  for (std::size_t i = 0; i < last.size(); ++i) {
    EXPECT_EQ(last[i], "{\"notice\":" + std::to_string(i) + "}");
  }
}

// Else a suspension and its end would arrive the wrong way round.
TEST_P(CourierPauseTest, APauseThatEndsWithinAPassChangesNoOrder) {
  ScriptedPartner& east = Partner("eastvale-council");
  const auto refused = std::make_shared<std::atomic<bool>>(false);
  east.Answer([&east, refused](const v1::PartnerMessage& message) -> Result<v1::PartnerReceipt> {
    if (message.kind() == "peer-notice" && !refused->exchange(true)) {
      return Fail(GetParam(), "not now");
    }
    if (message.content() == R"({"slow":1})") std::this_thread::sleep_for(600ms);
    return east.Taking(message);
  });
  const std::string notices[] = {R"({"notice":0})", R"({"notice":1})", R"({"notice":2})"};
  Put(east, notices[0], "peer-notice");
  Put(east, R"({"slow":1})");  // longer than the first pause
  Put(east, notices[1], "peer-notice");
  for (int i = 0; i < 30; ++i) Put(east, "{\"n\":" + std::to_string(i) + "}");
  Put(east, notices[2], "peer-notice");  // not read together with the others
  Serve();
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  std::vector<std::string> came = east.came();
  std::erase_if(came, [](const auto& content) { return !content.starts_with("{\"notice\""); });
  EXPECT_THAT(came, ElementsAre(notices[0], notices[0], notices[1], notices[2]));
}

TEST_P(CourierPauseTest, AKindThatWaitsIsTriedWhenThePartnerIsHeardOfAgain) {
  ScriptedPartner& east = Partner("eastvale-council");
  const auto takes_all = std::make_shared<std::atomic<bool>>(false);
  east.Answer([&east, takes_all](const v1::PartnerMessage& message) -> Result<v1::PartnerReceipt> {
    if (!*takes_all) return Fail(GetParam(), "not now");
    return east.Taking(message);
  });
  Serve();
  Put(east, "{}", "peer-notice");
  ASSERT_TRUE(Eventually([&] { return east.came().size() >= 5; }));  // the next would be in 3.2 s
  *takes_all = true;
  const auto begin = steady_clock::now();
  courier_->Hurry(east.agency());
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  EXPECT_LT(steady_clock::now() - begin, 2500ms);
}

// Else what is wrong with the own store would read as if the partner had refused.
TEST_P(CourierPauseTest, AnErrorOfTheOwnSideIsNotThePartnersWordOnAKind) {
  ScriptedPartner& east = Partner("eastvale-council");
  Serve();
  courier_ = std::make_unique<gateway::Courier>(gateway::Courier::Ports{
      agency_.own, agency_.store(), agency_.journal(), outbox_, catch_up_, handlers_, *links_,
      [](const policy::AgencyId&) -> Result<std::vector<sign::PublicKey>> {
        return Fail(GetParam(), "of the own side");
      },
      notices_, agency_.clock, *logger_});
  Put(east, R"({"notice":0})", "peer-notice");
  Put(east, R"({"n":0})");
  ASSERT_THAT(courier_->Serve({east.agency()}), IsOk());
  ASSERT_TRUE(Eventually([&] { return east.came().size() >= 3; }));
  EXPECT_THAT(east.came(), Each(R"({"notice":0})")) << "went on as if one kind were concerned";
}

INSTANTIATE_TEST_SUITE_P(Code, CourierPauseTest,
                         ::testing::Values(ErrorCode::kExhausted, ErrorCode::kPermissionDenied),
                         [](const auto& of) {
                           return std::string(of.index == 0 ? "Budget" : "Suspended");
                         });

// Else nothing, not even a withdrawal, would ever arrive behind it.
TEST_F(CourierTest, AMessageThatThePartnersProgramCannotReadIsSetAside) {
  ScriptedPartner& east = Partner("eastvale-council");
  east.Answer([&](const v1::PartnerMessage& message) -> Result<v1::PartnerReceipt> {
    if (message.kind() == "unheard-of") return Fail(ErrorCode::kInvalidArgument, "a bound");
    return east.Taking(message);
  });
  Serve();
  const std::uint64_t unread = Put(east, "{}", "unheard-of");
  ASSERT_TRUE(Eventually([&] { return Stored(unread).refused == "invalid-message"; }));
  EXPECT_TRUE(IsAcknowledged(Put(east, R"({"n":2})")));
  EXPECT_FALSE(Stored(unread).acknowledged_at);
  EXPECT_EQ(NoticesFor(identity::Role::kDpo), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageRefused), 1U);
}

TEST_F(CourierTest, APartnerIsBehindUntilItHasAcknowledgedTheLastChange) {
  ScriptedPartner& east = Partner("eastvale-council");
  east.Close();
  Put(east, R"({"n":1})");
  Put(east, R"({"n":2})");
  Put(east, "{}", "peer-notice");
  agency_.clock.Advance(6s);
  Serve();
  EXPECT_TRUE(catch_up_.IsBehind(east.agency(), agency_.clock.Now()));  // known before it begins
  east.Answer([&](const v1::PartnerMessage& message) -> Result<v1::PartnerReceipt> {
    if (message.content() == R"({"n":2})") return Fail(ErrorCode::kUnavailable, "later");
    return east.Taking(message);
  });
  east.Open();
  courier_->Hurry(east.agency());
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).size() == 2; }));
  EXPECT_TRUE(catch_up_.IsBehind(east.agency(), agency_.clock.Now()));
  east.Close();
  east.Answer([&](const v1::PartnerMessage& message) { return east.Taking(message); });
  east.Open();
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  EXPECT_TRUE(Eventually([&] { return !catch_up_.IsBehind(east.agency(), agency_.clock.Now()); }));
}

TEST_F(CourierTest, APartnerThatIsSlowToAnswerIsBehindAllTheSame) {
  ScriptedPartner& east = Partner("eastvale-council");
  std::promise<void> asked;
  std::promise<void> goes_on;
  const std::shared_future<void> wait = goes_on.get_future().share();
  east.Answer([&, once = std::make_shared<std::once_flag>()](const v1::PartnerMessage& message) {
    std::call_once(*once, [&] { asked.set_value(); });
    wait.wait();
    return east.Taking(message);
  });
  Serve();
  Put(east, "{}", "peer-notice");
  asked.get_future().wait();
  Put(east, R"({"n":1})");
  agency_.clock.Advance(6s);
  EXPECT_THAT(courier_->NoteBehind(), IsOk());
  EXPECT_TRUE(catch_up_.IsBehind(east.agency(), agency_.clock.Now()));
  goes_on.set_value();
  EXPECT_TRUE(Eventually([&] { return !catch_up_.IsBehind(east.agency(), agency_.clock.Now()); }));
}

TEST_F(CourierTest, DropsWhatWaitsForARemovedPartner) {
  ScriptedPartner& east = Partner("eastvale-council");
  east.Close();
  Serve();
  Put(east, "{}");
  ASSERT_THAT(courier_->Serve({}), IsOk());
  EXPECT_FALSE(catch_up_.IsBehind(east.agency(), agency_.clock.Now() + 1h));
  ASSERT_THAT(courier_->Drop(east.agency()), IsOk());
  EXPECT_THAT(WaitingFor(east), IsEmpty());
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessagesDropped), 1U);
  ASSERT_THAT(courier_->Drop(east.agency()), IsOk());
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessagesDropped), 1U);
}

}  // namespace
}  // namespace comity::testing
