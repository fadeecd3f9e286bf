// SPDX-License-Identifier: Apache-2.0
#include "services/cli/log_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "crypto/hash/sha256.h"
#include "tests/support/result_matchers.h"
#include "tests/support/sample_log.h"

namespace comity::cli {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using tlog::LogEntry;

constexpr const char* kPolice = "northshire-police";
constexpr const char* kCouncil = "eastvale-council";
constexpr const char* kSession = "abcdefghijklmnopqrstuvwxyz";
const tlog::EntryTime kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);

Digest Of(std::string_view text) {
  return hash::Sha256(AsBytes(text));
}

// What an honest holder (police) and an honest requester (council) log of one search with one hit,
// and of one message of the police with its receipt; an hour later both still run.
class LogComparisonTest : public ::testing::Test {
 protected:
  LogComparisonTest() {
    Add(police_, "agreement-received", "");
    Add(council_, "agreement-received", "");
    Add(council_, "search-opened", kSession).messages = {{"open", Of("open")}};
    Add(police_, "capacity-reserved", "").counts = {{"amount", 64}};
    Add(police_, "search-opened", kSession).messages = {{"open", Of("open")},
                                                        {"opened", Of("opened")}};
    LogEntry& hit = Add(police_, "search-hit", probe());
    hit.messages = {{"probe", Of("probe")}, {"answer", Of("answer")}};
    hit.counts = {{"hits", 1}};
    LogEntry& alert = Add(council_, "alert-raised", probe());
    alert.messages = {{"probe", Of("probe")}, {"answer", Of("answer")}};
    alert.decision->code = "raised";
    Add(council_, "search-period", kSession).counts = {{"answered", 64}};
    Add(police_, "partner-message-queued", "message-1");
    Add(council_, "partner-message-received", "message-1").messages = {{"receipt", Of("receipt")}};
    Add(police_, "receipt-received", "message-1").messages = {{"receipt", Of("receipt")}};
    for (LogSide* side : {&police_, &council_}) side->last = kStart + std::chrono::hours(1);
  }
  static std::string probe() { return std::string(kSession) + "/1"; }

  LogEntry& Add(LogSide& side, std::string type, std::string exchange) {
    LogEntry entry;
    entry.type = std::move(type);
    entry.exchange = std::move(exchange);
    entry.time = now_ += std::chrono::seconds(1);
    entry.parties = {side.agency, &side == &police_ ? kCouncil : kPolice};
    entry.agreement = LogEntry::Agreement{"northshire-eastvale-2026", 3, Of("document")};
    entry.decision = LogEntry::Decision{"permit", {"purpose.court-order-arrest"}};
    return side.entries.emplace_back(std::move(entry));
  }
  static LogEntry& Find(LogSide& side, std::string_view type) {
    return *std::ranges::find(side.entries, type, &LogEntry::type);
  }
  static void Remove(LogSide& side, std::string_view type) {
    std::erase_if(side.entries, [&](const LogEntry& entry) { return entry.type == type; });
  }
  Comparison Compare(ComparisonBounds bounds = {}) {
    const auto found = CompareLogs(police_, council_, bounds);
    EXPECT_THAT(found, IsOk());
    return found ? *found : Comparison();
  }
  void ExpectOne(std::string_view kind, const char* agency, const std::string& exchange) {
    const Comparison found = Compare();
    EXPECT_EQ(found.found, 1u);
    ASSERT_THAT(found.differences, SizeIs(1)) << ::testing::PrintToString(found.found);
    EXPECT_EQ(found.differences[0].kind, kind);
    EXPECT_EQ(found.differences[0].agency, agency);
    EXPECT_EQ(found.differences[0].exchange, exchange);
    EXPECT_FALSE(found.differences[0].words.empty());
  }

  tlog::EntryTime now_ = kStart;
  LogSide police_{kPolice, {}, {}};
  LogSide council_{kCouncil, {}, {}};
};

TEST_F(LogComparisonTest, FindsNoDifferenceInHonestLogs) {
  const Comparison found = Compare();
  EXPECT_THAT(found.differences, IsEmpty());
  EXPECT_EQ(found.searches, 1u);
  EXPECT_EQ(found.alerts, 1u);
  EXPECT_EQ(found.messages, 1u);
  EXPECT_EQ(found.not_judged + found.hits_without_alert + found.searches_unanswered +
                found.messages_waiting,
            0u);
}

TEST_F(LogComparisonTest, GivesTheSameVerdictInEitherOrder) {
  Remove(police_, "search-hit");
  const auto turned = CompareLogs(council_, police_, {});
  ASSERT_THAT(turned, IsOk());
  ASSERT_THAT(turned->differences, SizeIs(1));
  EXPECT_EQ(turned->differences[0].words, Compare().differences[0].words);
}

TEST_F(LogComparisonTest, NamesAnAlertWithoutAHit) {
  Remove(police_, "search-hit");
  ExpectOne(difference::kAlertWithoutHit, kCouncil, probe());
}

TEST_F(LogComparisonTest, NamesAnAnswerOfAnotherDigest) {
  Find(police_, "search-hit").messages["answer"] = Of("another");
  ExpectOne(difference::kAnswerDiffers, kCouncil, probe());
}

TEST_F(LogComparisonTest, NamesAProbeOfAnotherDigest) {
  Find(council_, "alert-raised").messages["probe"] = Of("another");
  ExpectOne(difference::kAnswerDiffers, kCouncil, probe());
}

TEST_F(LogComparisonTest, NamesAnotherVersionOrClauseOfAHit) {
  Find(council_, "alert-raised").agreement->version = 2;
  ExpectOne(difference::kDecisionDiffers, kCouncil, probe());
  Find(council_, "alert-raised").agreement->version = 3;
  Find(council_, "alert-raised").decision->clauses = {"other"};
  ExpectOne(difference::kDecisionDiffers, kCouncil, probe());
}

TEST_F(LogComparisonTest, NamesAnAlertOfAnAnswerThatHasNotLeft) {
  Add(police_, "search-refused", probe()).messages = {{"answer", Of("answer")}};
  police_.entries.back().decision->code = "alarm";
  ExpectOne(difference::kAnswerWithheld, kCouncil, probe());
}

TEST_F(LogComparisonTest, NamesMoreAlertsThanHits) {
  LogEntry again = Find(council_, "alert-raised");
  council_.entries.push_back(again);
  ExpectOne(difference::kTwice, kCouncil, probe());
}

TEST_F(LogComparisonTest, NamesAnAnswerOrAMessageThatIsLoggedTwice) {
  police_.entries.push_back(Find(police_, "search-hit"));
  ExpectOne(difference::kTwice, kPolice, probe());
  police_.entries.pop_back();
  council_.entries.push_back(Find(council_, "partner-message-received"));
  ExpectOne(difference::kTwice, kCouncil, "message-1");
}

TEST_F(LogComparisonTest, NamesASearchThatIsOpenedTwice) {
  const LogEntry again = Find(council_, "search-opened");
  council_.entries.push_back(again);
  ExpectOne(difference::kTwice, kCouncil, kSession);
}

TEST_F(LogComparisonTest, NamesASearchThatNobodyAskedFor) {
  Remove(council_, "search-opened");
  Remove(council_, "search-period");
  ExpectOne(difference::kSearchNotAsked, kPolice, kSession);
}

TEST_F(LogComparisonTest, NamesAnotherDecisionOfASearch) {
  const auto restore = Find(council_, "search-opened");
  LogEntry& opened = Find(council_, "search-opened");
  opened.messages["open"] = Of("another question");
  ExpectOne(difference::kDecisionDiffers, kPolice, kSession);
  opened = restore;
  opened.decision->clauses = {"other"};
  ExpectOne(difference::kDecisionDiffers, kPolice, kSession);
}

TEST_F(LogComparisonTest, NamesASearchUnderAnAgreementThatTheLogNeverReceivedOrThatHadEnded) {
  Remove(police_, "agreement-received");
  Comparison found = Compare();
  EXPECT_EQ(found.found, 2u);  // the search and its hit
  EXPECT_EQ(found.differences[0].kind, difference::kOutsideAgreement);
  LogEntry received = Find(council_, "agreement-received");
  received.parties = {kPolice, kCouncil};
  LogEntry ended = received;
  ended.type = "agreement-marked";
  ended.decision->code = "ended";
  police_.entries.insert(police_.entries.begin(), {received, ended});
  found = Compare();
  EXPECT_EQ(found.found, 2u);
  EXPECT_THAT(found.differences[0].words, HasSubstr("had ended"));
}

TEST_F(LogComparisonTest, NamesAMessageThatWasNeverSent) {
  Remove(police_, "partner-message-queued");
  ExpectOne(difference::kMessageNotSent, kCouncil, "message-1");
}

TEST_F(LogComparisonTest, NamesAReceiptThatWasNotGiven) {
  Find(police_, "receipt-received").messages["receipt"] = Of("forged");
  ExpectOne(difference::kReceiptDiffers, kPolice, "message-1");
  Find(police_, "receipt-received").messages["receipt"] = Of("receipt");
  Remove(council_, "partner-message-received");
  ExpectOne(difference::kReceiptDiffers, kPolice, "message-1");
}

TEST_F(LogComparisonTest, NamesAReceiptThatCameLateOrNotAtAll) {
  const ComparisonBounds bounds{.receipt = std::chrono::seconds(1)};
  EXPECT_THAT(Compare(bounds).differences, SizeIs(1));
  EXPECT_EQ(Compare(bounds).differences[0].kind, difference::kReceiptLate);
  EXPECT_THAT(Compare({.receipt = std::chrono::seconds(2)}).differences, IsEmpty());
  Remove(police_, "receipt-received");
  EXPECT_EQ(Compare().messages_waiting, 1u);
  EXPECT_THAT(Compare().differences, IsEmpty());  // waits for less than a day
  EXPECT_EQ(Compare(bounds).differences[0].kind, difference::kReceiptLate);
}

TEST_F(LogComparisonTest, ADropExplainsOnlyMessagesThatWaitedThen) {
  const ComparisonBounds bounds{.receipt = std::chrono::seconds(1)};
  Remove(police_, "receipt-received");
  Add(police_, "partner-messages-dropped", "");
  EXPECT_THAT(Compare(bounds).differences, IsEmpty());
  Add(police_, "partner-message-queued", "message-2");
  const Comparison found = Compare(bounds);
  ASSERT_THAT(found.differences, SizeIs(1));
  EXPECT_EQ(found.differences[0].kind, difference::kReceiptLate);
  EXPECT_EQ(found.differences[0].exchange, "message-2");
}

TEST_F(LogComparisonTest, NamesMoreAnswersThanTheHolderReservedCapacityFor) {
  Find(council_, "search-period").counts["answered"] = 65;
  const Comparison found = Compare();
  ASSERT_THAT(found.differences, SizeIs(1));
  EXPECT_EQ(found.differences[0].kind, difference::kCapacityBelowUse);
  EXPECT_THAT(found.differences[0].words, HasSubstr("for all partners"));
}

TEST_F(LogComparisonTest, CountsWhatALostConnectionExplains) {
  Remove(council_, "alert-raised");
  Add(council_, "search-opened", "zzzzzzzzzzzzzzzzzzzzzzzzzz").messages = {{"open", Of("2")}};
  const Comparison found = Compare();
  EXPECT_THAT(found.differences, IsEmpty());
  EXPECT_EQ(found.hits_without_alert, 1u);
  EXPECT_EQ(found.searches_unanswered, 1u);
}

TEST_F(LogComparisonTest, CountsEachAnswerOfAnExchangeThatBecameNoAlert) {
  LogEntry& hit = Add(police_, "search-hit", probe());
  hit.messages = {{"probe", Of("probe")}, {"answer", Of("another answer")}};
  hit.counts = {{"hits", 1}};
  EXPECT_EQ(Compare().hits_without_alert, 1u);
  EXPECT_EQ(Compare().alerts, 1u);
}

TEST_F(LogComparisonTest, DoesNotJudgeWhatIsTooNearTheEndOfTheOtherExport) {
  Remove(police_, "search-hit");
  police_.last = Find(council_, "alert-raised").time + std::chrono::seconds(59);
  const Comparison found = Compare();
  EXPECT_THAT(found.differences, IsEmpty());
  EXPECT_GT(found.not_judged, 0u);
  EXPECT_EQ(Compare({.skew = std::chrono::seconds(59)}).found, 1u);
}

TEST_F(LogComparisonTest, PassesOverExchangesWithOthers) {
  Add(council_, "alert-raised", "another").parties = {kCouncil, "westmoor-police"};
  EXPECT_THAT(Compare().differences, IsEmpty());
}

TEST_F(LogComparisonTest, RefusesTwoLogsOfOneAgency) {
  EXPECT_THAT(CompareLogs(police_, police_, {}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(LogGathererTest, GathersInOrderWhatIsVerified) {
  const auto log = testing::MakeSampleLog(600, [](std::uint64_t i) {
    LogEntry entry = testing::SampleEntry(i);
    entry.type = i % 2 == 0 ? "search-hit" : "notice-posted";
    return *tlog::EncodeEntry(entry);
  });
  LogGatherer gatherer;
  ASSERT_THAT(tlog::VerifyLog(gatherer.Watch(log.AsExport())), IsOk());
  const auto side = gatherer.Side();
  ASSERT_THAT(side, IsOk());
  EXPECT_EQ(side->agency, kPolice);
  ASSERT_THAT(side->entries, SizeIs(300));
  EXPECT_EQ(side->entries[0].exchange, "x-0");
  EXPECT_EQ(side->entries[299].exchange, "x-598");
  EXPECT_EQ(side->last, testing::SampleEntry(599).time);
}

TEST(LogGathererTest, RefusesALogOfSeveralAgencies) {
  const auto log = testing::MakeSampleLog(4, [](std::uint64_t i) {
    LogEntry entry = testing::SampleEntry(i);
    if (i == 3) entry.parties = {"eastvale-police"};
    return *tlog::EncodeEntry(entry);
  });
  LogGatherer gatherer;
  ASSERT_THAT(tlog::VerifyLog(gatherer.Watch(log.AsExport())), IsOk());
  EXPECT_THAT(gatherer.Side(), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::cli
