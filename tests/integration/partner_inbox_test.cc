// SPDX-License-Identifier: Apache-2.0
// What a gateway does with the durable messages of its partners: once, in bounds, with receipts.
#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "crypto/sign/dsse.h"
#include "services/audit/events.h"
#include "services/gateway/federation/partner_inbox.h"
#include "services/gateway/federation/partner_message.h"
#include "tests/integration/courier_world.h"

namespace comity::testing {
namespace {

using ::testing::SizeIs;
using namespace std::chrono_literals;

// A handler that counts its effects.
class Counting final : public gateway::PartnerMessageHandler {
 public:
  Result<Taken> Receive(store::Transaction&, audit::Recorder&, const policy::AgencyId&,
                        std::string_view content) override {
    if (content == R"({"bad":1})") return Fail(ErrorCode::kInvalidArgument, "bad");
    ++effects;
    return Taken{.outcome = {{"effects", 1}}, .after = [this] { ++published; }, .weight = weight};
  }
  int effects = 0;
  int published = 0;
  std::uint64_t weight = 1;
};

class PartnerInboxTest : public CourierWorld {
 protected:
  PartnerInboxTest() { receiving_.Add("counted", counting_); }
  v1::PartnerMessage Message(char id, std::string content = "{}", std::string kind = "counted") {
    v1::PartnerMessage message;
    message.set_id(std::string(26, id));
    message.set_kind(kind);
    message.set_content(content);
    return message;
  }
  Result<v1::PartnerReceipt> Take(const v1::PartnerMessage& message,
                                  std::string_view sender = "eastvale-council") {
    return inbox_.Take(policy::AgencyId::Parse(sender).value(), message);
  }

  Counting counting_;
  gateway::PartnerMessageHandlers receiving_;
  gateway::RefusalRecord refusals_{agency_.own, agency_.journal(), agency_.clock, *logger_};
  gateway::PartnerInbox inbox_{gateway::PartnerInbox::Ports{agency_.own, agency_.journal(), key_,
                                                            receiving_, refusals_, agency_.clock}};
};

TEST_F(PartnerInboxTest, TakesAMessageOnceAndAnswersARepeatWithTheSameReceipt) {
  const auto first = Take(Message('a'));
  agency_.clock.Advance(1h);
  const auto again = Take(Message('a'));
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(first->receipt(), again->receipt());
  EXPECT_EQ(counting_.effects, 1);
  EXPECT_EQ(counting_.published, 1);
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageReceived), 1U);
  const sign::PublicKey keys[] = {key_.public_key()};
  const auto receipt = oversight::OpenReceipt(first->receipt(), keys);
  ASSERT_THAT(receipt, IsOk());
  EXPECT_EQ(receipt->outcome, (oversight::Outcome{{"effects", 1}}));
  EXPECT_EQ(receipt->sender.text(), "eastvale-council");
  EXPECT_EQ(receipt->receiver, agency_.own);
}

TEST_F(PartnerInboxTest, AnotherSendersMessageOfTheSameIdIsAnother) {
  ASSERT_THAT(Take(Message('a')), IsOk());
  ASSERT_THAT(Take(Message('a'), "southmere-police"), IsOk());
  EXPECT_EQ(counting_.effects, 2);
}

TEST_F(PartnerInboxTest, RefusesAnIdThatCameWithOtherContent) {
  ASSERT_THAT(Take(Message('a')), IsOk());
  EXPECT_EQ(Take(Message('a', R"({"n":1})"))->refused(), "id-reused");
  EXPECT_EQ(Take(Message('a', "{}", "other"))->refused(), "id-reused");
  EXPECT_EQ(counting_.effects, 1);
}

TEST_F(PartnerInboxTest, RefusesUnknownKindsAndBadContentForGood) {
  const auto unknown = Take(Message('a', "{}", "unheard-of"));
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(unknown->refused(), "unsupported-kind");
  EXPECT_EQ(unknown->receipt(), "");
  EXPECT_EQ(Take(Message('b', R"({"bad":1})"))->refused(), "invalid-content");
  EXPECT_EQ(counting_.effects, 0);
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageReceived), 0U);
  EXPECT_GE(agency_.CountEvents(audit::kPeerMessageRefused), 1U);
}

TEST_F(PartnerInboxTest, RefusesWhatIsOutsideItsBounds) {
  for (const auto& message :
       {Message('A'), Message('a', ""), Message('a', "{ }"), Message('a', "{}", ""),
        Message('a', "{}", "Counted"), Message('a', "\"" + std::string(64 << 10, 'x') + "\"")}) {
    EXPECT_THAT(Take(message), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_EQ(counting_.effects, 0);
}

std::string IdOf(int number) {
  std::string id(26, 'a');
  for (std::size_t at = 0; number > 0; number /= 26) {
    id[at++] = static_cast<char>('a' + number % 26);
  }
  return id;
}

TEST_F(PartnerInboxTest, TakesNoMoreOfAKindThanItsBudgetAndAfterItsWindowAgain) {
  const auto nth = [&](int number) {
    v1::PartnerMessage message = Message('a');
    message.set_id(IdOf(number));
    return message;
  };
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Take(nth(i)), IsOk());
  EXPECT_THAT(Take(nth(100)), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(Take(nth(99)), IsOk());  // a repeat has no effect and costs nothing
  EXPECT_THAT(Take(nth(100), "southmere-police"), IsOk());
  EXPECT_EQ(counting_.effects, 101);
  EXPECT_EQ(agency_.CountEvents(audit::kPeerMessageRefused), 1U);
  // Durable: another inbox on the same store, as after a restart.
  gateway::PartnerInbox again(
      {agency_.own, agency_.journal(), key_, receiving_, refusals_, agency_.clock});
  const auto sender = policy::AgencyId::Parse("eastvale-council").value();
  EXPECT_THAT(again.Take(sender, nth(100)), FailsWith(ErrorCode::kExhausted));
  agency_.clock.Advance(1h);
  EXPECT_THAT(again.Take(sender, nth(100)), IsOk());
}

TEST_F(PartnerInboxTest, CountsWhatAMessageHadItDoAndNotOnlyMessages) {
  counting_.weight = 60;
  ASSERT_THAT(Take(Message('a')), IsOk());
  ASSERT_THAT(Take(Message('b')), IsOk());  // what a message costs is known when it is done
  EXPECT_THAT(Take(Message('c')), FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageReceived), 2U);
}

TEST_F(PartnerInboxTest, RefusalsOfKindsThatAreMadeUpAreOneEntry) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Take(Message('a', "{}", "kind-" + std::to_string(i)))->refused(), "unsupported-kind");
  }
  EXPECT_EQ(agency_.CountEvents(audit::kPeerMessageRefused), 1U);
}

TEST_F(PartnerInboxTest, ConcurrentRepeatsHaveOneEffect) {
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&] { EXPECT_THAT(Take(Message('a')), IsOk()); });
    }
  }
  EXPECT_EQ(agency_.CountEvents(audit::kPartnerMessageReceived), 1U);
  EXPECT_EQ(counting_.published, 1);
}

// Partners that lose their answers: the courier repeats, the inbox has one effect.
TEST_F(PartnerInboxTest, ALostAnswerIsRepeatedWithoutASecondEffect) {
  ScriptedPartner& east = Partner("eastvale-council");
  AgencyStore receiver;
  gateway::RefusalRecord refusals(east.agency(), receiver.journal(), receiver.clock, *logger_);
  gateway::PartnerInbox inbox(
      {east.agency(), receiver.journal(), east.key(), receiving_, refusals, receiver.clock});
  int calls = 0;
  east.Answer([&](const v1::PartnerMessage& message) -> Result<v1::PartnerReceipt> {
    auto answer = inbox.Take(agency_.own, message);
    if (++calls % 3 != 0) return Fail(ErrorCode::kUnavailable, "the answer is lost");
    return answer;
  });
  Serve();
  for (int i = 0; i < 5; ++i) Put(east, "{\"n\":" + std::to_string(i) + "}", "counted");
  ASSERT_TRUE(Eventually([&] { return WaitingFor(east).empty(); }));
  EXPECT_EQ(counting_.effects, 5);
  EXPECT_THAT(east.came(), SizeIs(15));
  EXPECT_EQ(agency_.CountEvents(audit::kReceiptReceived), 5U);
  EXPECT_EQ(receiver.CountEvents(audit::kPartnerMessageReceived), 5U);
}

}  // namespace
}  // namespace comity::testing
