// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/deletions.h"

#include <gmock/gmock.h>

#include "services/audit/events.h"
#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class DeletionsTest : public OversightTest {
 protected:
  struct Order {
    std::string agreement;
    std::uint32_t version;
    std::string holder;
    bool operator==(const Order&) const = default;
  };
  Deletions Make() {
    return Deletions({agency_.own, agency_.store(), agency_.journal(), outbox_,
                      [this](store::Transaction&, audit::Recorder&,
                             const policy::AgreementId& agreement, std::uint32_t version,
                             const std::optional<policy::AgencyId>& holder) -> Result<Erased> {
                        erased_.push_back(
                            {agreement.text(), version, holder ? holder->text() : "anyone"});
                        return Erased{4, [this] { ++published_; }};
                      },
                      agency_.clock});
  }
  EndedAgreement Ended(std::uint32_t version = 2) {
    return {agreement_, version, {agency_.own, kEast}};
  }
  Receipt ReceiptFor(const store::OutboxRecord& message) {
    Receipt receipt;
    receipt.sender = agency_.own;
    receipt.receiver = message.peer;
    receipt.outcome = {{"alerts", 7}};
    return receipt;
  }

  const policy::AgreementId agreement_ = policy::AgreementId::Parse("one").value();
  std::vector<Order> erased_;
  int published_ = 0;
};

TEST_F(DeletionsTest, OrdersTheOtherPartyAndErasesHere) {
  Deletions deletions = Make();
  const EndedAgreement ended = Ended();
  ASSERT_THAT(deletions.Start(std::span(&ended, 1)), IsOkAnd(Eq(1U)));
  EXPECT_THAT(erased_, ElementsAre(Order{"one", 2, "anyone"}));
  EXPECT_EQ(published_, 1);
  const auto waiting = WaitingFor(kEast);
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].kind, message_kind::kDeletionOrder);
  EXPECT_THAT(ParseDeletionOrder(waiting[0].content),
              IsOkAnd(Eq(DeletionOrder{agreement_, 2, agency_.clock.Now() + 48h})));
  EXPECT_THAT(WaitingFor(agency_.own), IsEmpty());
  EXPECT_EQ(agency_.CountEvents(audit::kDeletionStarted), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kDeletionDone), 1U);
}

TEST_F(DeletionsTest, StartsEachVersionOnceAlsoAfterARestart) {
  const std::vector<EndedAgreement> ended{Ended(1), Ended(2)};
  {
    Deletions deletions = Make();
    ASSERT_THAT(deletions.Start(ended), IsOkAnd(Eq(2U)));
    ASSERT_THAT(deletions.Start(ended), IsOkAnd(Eq(0U)));
  }
  agency_.Reopen();
  Deletions again = Make();
  ASSERT_THAT(again.Start(ended), IsOkAnd(Eq(0U)));
  EXPECT_THAT(WaitingFor(kEast), SizeIs(2));
  EXPECT_THAT(erased_, SizeIs(2));
}

TEST_F(DeletionsTest, ErasesOnlyWhatIsTheSendersWhenItIsOrdered) {
  const Deletions deletions = Make();
  MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto erased,
                            deletions.Obey(transaction, recorder, kEast, {agreement_, 2, {}}));
    EXPECT_EQ(erased.records, 4U);
    return {};
  });
  EXPECT_THAT(erased_, ElementsAre(Order{"one", 2, "eastvale-council"}));
  EXPECT_EQ(agency_.CountEvents(audit::kDeletionDone), 1U);
}

TEST_F(DeletionsTest, ListsWhoHasNotAnsweredUntilTheReceiptIsThere) {
  Deletions deletions = Make();
  const EndedAgreement ended = Ended();
  ASSERT_THAT(deletions.Start(std::span(&ended, 1)), IsOk());
  auto views = deletions.List(agreement_).value();
  ASSERT_THAT(views, SizeIs(2));
  EXPECT_EQ(views[0].deletion.holder, kEast);
  EXPECT_FALSE(views[0].deletion.done_at);
  EXPECT_EQ(views[1].deletion.holder, agency_.own);
  EXPECT_TRUE(views[1].deletion.done_at);
  EXPECT_EQ(views[1].deletion.erased, 4U);
  agency_.clock.Advance(1h);
  const auto order = WaitingFor(kEast).at(0);
  MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(
        transaction.outbox().Acknowledge(order.number, "receipt", agency_.clock.Now()));
    return deletions.Finish(transaction, recorder, order, ReceiptFor(order));
  });
  views = deletions.List(std::nullopt).value();
  EXPECT_EQ(views[0].deletion.done_at, agency_.clock.Now());
  EXPECT_EQ(views[0].deletion.erased, 7U);
  EXPECT_EQ(views[0].receipt, "receipt");
  const auto another = policy::AgreementId::Parse("another").value();
  EXPECT_THAT(deletions.List(another).value(), IsEmpty());
}

TEST_F(DeletionsTest, FinishesTheDeletionOfThePartnerThatAnswered) {
  Deletions deletions = Make();
  const auto another = policy::AgreementId::Parse("another").value();
  const auto removed = policy::AgencyId::Parse("southmoor-police").value();
  const EndedAgreement ended = Ended();
  ASSERT_THAT(deletions.Start(std::span(&ended, 1)), IsOk());
  const auto order = WaitingFor(kEast).at(0);
  const EndedAgreement later = Ended(3);
  MustCommit([&](store::Transaction& transaction, audit::Recorder&) {
    return transaction.holdings().AddDeletion({another, 1, removed, agency_.clock.Now(),
                                               agency_.clock.Now() + 48h, order.number + 1,
                                               std::nullopt, 0});
  });
  ASSERT_THAT(deletions.Start(std::span(&later, 1)), IsOk());
  const auto second = WaitingFor(kEast).at(1);
  ASSERT_EQ(second.number, order.number + 1);
  MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(
        transaction.outbox().Acknowledge(second.number, "receipt", agency_.clock.Now()));
    return deletions.Finish(transaction, recorder, second, ReceiptFor(second));
  });
  EXPECT_FALSE(deletions.List(another).value().at(0).deletion.done_at);
  const std::vector<DeletionView> views = deletions.List(agreement_).value();
  ASSERT_THAT(views, SizeIs(4));
  for (const DeletionView& view : views) {
    const bool answered = view.deletion.version == 3 || view.deletion.holder == agency_.own;
    EXPECT_EQ(view.deletion.done_at.has_value(), answered) << view.deletion.version;
  }
}

}  // namespace
}  // namespace comity::oversight
