// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/holdings.h"

#include <gmock/gmock.h>

#include "tests/unit/services/oversight/oversight_world.h"

namespace comity::oversight {
namespace {

using store::HoldingRecord;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr std::uint32_t kEverything =
    HoldingRecord::kReference | HoldingRecord::kCategory | HoldingRecord::kResponseCode;

class HoldingsTest : public OversightTest {
 protected:
  Told ToldOf(const policy::AgencyId& partner, std::vector<std::string> references,
              std::uint32_t released, std::string answer) {
    Told told{.partner = partner,
              .agreement = {agreement_, 2, Digest{}},
              .answer = std::move(answer),
              .released = released,
              .kept_for = 24h,
              .entries = {}};
    for (std::string& reference : references) told.entries.push_back({list_, std::move(reference)});
    return told;
  }
  void Tell(const policy::AgencyId& partner, const std::string& reference,
            std::uint32_t released = kEverything, std::string answer = "x/1") {
    MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) {
      return holdings_.Remember(transaction, recorder,
                                ToldOf(partner, {reference}, released, answer));
    });
  }
  std::uint64_t Change(const std::string& reference, std::string_view change,
                       std::string response_code = "") {
    std::uint64_t partners = 0;
    const ChangedEntry changed{list_, reference, change, "", std::move(response_code)};
    MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(partners,
                              holdings_.Pass(transaction, recorder, std::span(&changed, 1)));
      return {};
    });
    return partners;
  }
  std::vector<EntryNews> NewsFor(const policy::AgencyId& partner) {
    std::vector<EntryNews> all;
    for (const auto& message : WaitingFor(partner)) {
      const auto parsed = ParseEntryNews(message.content).value();
      all.insert(all.end(), parsed.begin(), parsed.end());
    }
    return all;
  }
  std::vector<Holder> HoldersOf(std::string_view reference) {
    std::vector<Holder> holders;
    EXPECT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(holders, Holdings::HoldersOf(transaction, reference));
      return {};
    }),
                IsOk());
    return holders;
  }

  const policy::WatchlistId list_ = policy::WatchlistId::Parse("warrants").value();
  const policy::AgreementId agreement_ = policy::AgreementId::Parse("one").value();
  Holdings holdings_{Holdings::Setup{outbox_, agency_.clock}};
};

TEST_F(HoldingsTest, TellsExactlyThePartnersThatKnowTheEntry) {
  Tell(kEast, "ns-1");
  Tell(kSouth, "ns-2");
  EXPECT_EQ(Change("ns-1", entry_change::kWithdrawn), 1U);
  const auto news = NewsFor(kEast);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].reference, "ns-1");
  EXPECT_EQ(news[0].change, entry_change::kWithdrawn);
  EXPECT_EQ(news[0].at, agency_.clock.Now());
  EXPECT_EQ(WaitingFor(kEast)[0].due_by, agency_.clock.Now() + 48h);
  EXPECT_THAT(NewsFor(kSouth), IsEmpty());
}

TEST_F(HoldingsTest, NeverNamesAReferenceToAPartnerThatWasNotGivenIt) {
  Tell(kEast, "ns-1", HoldingRecord::kResponseCode, "a/1");
  Tell(kEast, "ns-1", HoldingRecord::kResponseCode, "b/7");
  Change("ns-1", entry_change::kWithdrawn);
  const auto news = NewsFor(kEast);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].reference, "");
  EXPECT_THAT(news[0].answers, ElementsAre("a/1", "b/7"));
}

TEST_F(HoldingsTest, TellsByAnswersAndByReferenceWhereBothWereGiven) {
  Tell(kEast, "ns-1", HoldingRecord::kResponseCode, "a/1");
  Tell(kEast, "ns-1", kEverything, "b/7");
  Change("ns-1", entry_change::kWithdrawn);
  const auto news = NewsFor(kEast);
  ASSERT_THAT(news, SizeIs(2));
  EXPECT_THAT(news[0].answers, ElementsAre("a/1"));
  EXPECT_EQ(news[1].reference, "ns-1");
}

TEST_F(HoldingsTest, TellsACorrectionOnlyOfWhatWasReleased) {
  Tell(kEast, "ns-1", kEverything);
  Tell(kSouth, "ns-1", HoldingRecord::kReference);
  EXPECT_EQ(Change("ns-1", entry_change::kCorrected, "green"), 1U);
  const auto news = NewsFor(kEast);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].response_code, "green");
  EXPECT_THAT(NewsFor(kSouth), IsEmpty());
}

TEST_F(HoldingsTest, SendsTheChangeAfterAnAnswerThatWasUnderWay) {
  Change("ns-1", entry_change::kWithdrawn);
  EXPECT_THAT(NewsFor(kEast), IsEmpty());
  agency_.clock.Advance(3s);
  Tell(kEast, "ns-1");
  const auto news = NewsFor(kEast);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].change, entry_change::kWithdrawn);
  EXPECT_EQ(news[0].at, agency_.clock.Now());  // later than the answer
}

TEST_F(HoldingsTest, SendsNoCorrectionAfterAnAnswerThatRestsOnIt) {
  Change("ns-1", entry_change::kCorrected, "green");
  agency_.clock.Advance(61s);
  Tell(kEast, "ns-1");
  Change("ns-2", entry_change::kRestricted);
  Change("ns-2", entry_change::kUnrestricted);
  Tell(kEast, "ns-2");
  EXPECT_THAT(NewsFor(kEast), IsEmpty());
}

TEST_F(HoldingsTest, EndsEveryEntryOfAClosedListInAsFewMessagesAsFit) {
  constexpr int kEntries = 600;
  std::vector<std::string> references;
  for (int i = 0; i < kEntries; ++i) references.push_back("ns-" + std::to_string(i));
  MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) {
    return holdings_.Remember(transaction, recorder, ToldOf(kEast, references, kEverything, "x/1"));
  });
  Tell(kSouth, "ns-5");
  EXPECT_EQ(Change("", entry_change::kExpired), 2U);
  EXPECT_THAT(WaitingFor(kEast), SizeIs(3));  // 256, 256 and 88
  EXPECT_THAT(NewsFor(kEast), SizeIs(kEntries));
  EXPECT_THAT(NewsFor(kSouth), SizeIs(1));
  Tell(kSouth, "ns-6");  // was under way when the list was closed
  EXPECT_THAT(NewsFor(kSouth), SizeIs(2));
}

TEST_F(HoldingsTest, KeepsEveryMessageWithinItsSize) {
  MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    for (int answer = 0; answer < 3000; ++answer) {
      COMITY_RETURN_IF_ERROR(
          holdings_.Remember(transaction, recorder,
                             ToldOf(kEast, {"ns-1"}, HoldingRecord::kCategory,
                                    "abcdefghijklmnopqrstuvwxyz/" + std::to_string(answer))));
    }
    return {};
  });
  Change("ns-1", entry_change::kWithdrawn);
  std::size_t answers = 0;
  for (const auto& message : WaitingFor(kEast)) {
    EXPECT_LE(message.content.size(), kMaxContent);
    EXPECT_THAT(ParseEntryNews(message.content), IsOk());  // nor more answers than it may have
  }
  for (const EntryNews& news : NewsFor(kEast)) answers += news.answers.size();
  EXPECT_GT(WaitingFor(kEast).size(), 1U);
  EXPECT_EQ(answers, 3000U);
}

TEST_F(HoldingsTest, SaysWhoStillHoldsTheEntry) {
  Tell(kEast, "ns-1");
  Tell(kEast, "ns-1");
  Tell(kSouth, "ns-1");
  auto holders = HoldersOf("ns-1");
  ASSERT_THAT(holders, SizeIs(2));
  EXPECT_TRUE(holders[0].holds());
  EXPECT_EQ(holders[0].holding.times, 2U);
  EXPECT_FALSE(holders[0].sent_at);
  const auto sent_at = agency_.clock.Now();
  Change("ns-1", entry_change::kWithdrawn);
  Acknowledge(WaitingFor(kEast).at(0));
  holders = HoldersOf("ns-1");
  EXPECT_EQ(holders[0].holding.partner, kEast);
  EXPECT_FALSE(holders[0].holds());
  EXPECT_EQ(holders[0].receipt, "receipt");
  EXPECT_TRUE(holders[1].holds());
  EXPECT_EQ(holders[1].sent_at, sent_at);
  EXPECT_EQ(holders[1].due_by, sent_at + 48h);
  EXPECT_FALSE(holders[1].acknowledged_at);
  EXPECT_THAT(HoldersOf("ns-2"), IsEmpty());
}

TEST_F(HoldingsTest, CountsAPartnerAsHoldingAfterACorrectionItAcknowledged) {
  Tell(kEast, "ns-1");
  Change("ns-1", entry_change::kCorrected, "green");
  Acknowledge(WaitingFor(kEast).at(0));
  EXPECT_TRUE(HoldersOf("ns-1").at(0).holds());
}

TEST_F(HoldingsTest, CountsARemovedPartnerAsHolding) {
  Tell(kEast, "ns-1");
  Change("ns-1", entry_change::kWithdrawn);
  MustCommit([&](store::Transaction& transaction, audit::Recorder&) -> Status {
    COMITY_RETURN_IF_ERROR(transaction.outbox().Discard(kEast));
    return {};
  });
  const auto holders = HoldersOf("ns-1");
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_TRUE(holders[0].holds());
  EXPECT_FALSE(holders[0].sent_at);
}

TEST_F(HoldingsTest, PassesOnWhatACrashErasedBeforePartnersWereTold) {
  Tell(kEast, "ns-1");
  MustCommit([&](store::Transaction& transaction, audit::Recorder&) -> Status {
    store::WatchlistRecord list;
    list.reference = list_;
    list.definition = "reference: warrants\n";
    list.drafted_at = agency_.clock.Now();
    list.wrapped_key = Bytes(8, 1);
    store::EntryRecord entry;
    entry.reference = "ns-1";
    entry.category = policy::ListCategory::Parse("wanted-by-courts").value();
    entry.state = store::EntryState::kWithdrawn;
    COMITY_RETURN_IF_ERROR(transaction.watchlists().AddList(list));
    return transaction.watchlists().AddEntries(list_, 1, std::vector{entry});
  });
  const auto pass = [&](std::uint64_t expected) {
    MustCommit([&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto passed, holdings_.PassUntold(transaction, recorder));
      EXPECT_EQ(passed, expected);
      return {};
    });
  };
  pass(1);
  pass(0);
  const auto news = NewsFor(kEast);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].reference, "ns-1");
  EXPECT_EQ(news[0].change, entry_change::kWithdrawn);
}

TEST_F(HoldingsTest, HoldsAgainWhenItIsToldAfterAWithdrawal) {
  Tell(kEast, "ns-1");
  Change("ns-1", entry_change::kWithdrawn);
  Acknowledge(WaitingFor(kEast).at(0));
  EXPECT_FALSE(HoldersOf("ns-1").at(0).holds());
  Tell(kEast, "ns-1");
  EXPECT_TRUE(HoldersOf("ns-1").at(0).holds());
  Acknowledge(WaitingFor(kEast).at(0));
  EXPECT_FALSE(HoldersOf("ns-1").at(0).holds());
}

}  // namespace
}  // namespace comity::oversight
