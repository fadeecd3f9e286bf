// SPDX-License-Identifier: Apache-2.0
#include "services/cli/replay_text.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace comity::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

v1::WatchAnswer AnswerOf(const std::string& holder, v1::SearchMode mode) {
  v1::WatchAnswer answer;
  answer.set_holder(holder);
  answer.set_mode(mode);
  return answer;
}

v1::WatchAnswer Searched(const std::string& holder, v1::SearchMode mode, int fresh, int merged) {
  v1::WatchAnswer answer = AnswerOf(holder, mode);
  answer.mutable_answered()->set_mode(mode);
  for (int i = 0; i < fresh + merged; ++i) {
    answer.mutable_answered()->add_alerts()->set_merged(i >= fresh);
  }
  return answer;
}

// Two holders, one of which is searched in both modes.
ReplayTally Sample() {
  ReplayTally tally;
  tally.Add(Searched("north", v1::SEARCH_MODE_DIRECT, 1, 0), milliseconds(10));
  tally.Add(Searched("north", v1::SEARCH_MODE_DIRECT, 0, 2), milliseconds(30));
  tally.Add(Searched("north", v1::SEARCH_MODE_SEALED, 0, 0), milliseconds(300));
  v1::WatchAnswer refused = AnswerOf("south", v1::SEARCH_MODE_DIRECT);
  refused.mutable_refused()->set_code(v1::DECISION_CODE_AGREEMENT_SUSPENDED);
  tally.Add(refused, milliseconds(1));
  v1::WatchAnswer busy = AnswerOf("south", v1::SEARCH_MODE_DIRECT);
  busy.mutable_unanswered()->set_reason(v1::Unanswered::REASON_HOLDER_BUSY);
  tally.Add(busy, milliseconds(1));
  tally.Add(busy, milliseconds(1));
  tally.Add(AnswerOf("south", v1::SEARCH_MODE_DIRECT), milliseconds(1));  // of a newer gateway
  return tally;
}

ReplayReport Report(const ReplayTally& tally) {
  ReplayReport report;
  report.schedule = {.rate = 4, .cameras = 2, .seconds = 1};
  report.holders = {"north", "south"};
  report.sent = 4;
  report.tally = tally;
  return report;
}

TEST(ReplayTally, KeepsHoldersAndModesApart) {
  const ReplayTally tally = Sample();
  EXPECT_EQ(tally.answers(), 7u);
  EXPECT_EQ(tally.searched(), 3u);
  const HolderTally& direct = tally.holders().at({"north", "direct"});
  EXPECT_EQ(direct.answered.count(), 2u);
  EXPECT_EQ(direct.answered.max(), milliseconds(30));
  EXPECT_EQ(direct.alerts, 1u);
  EXPECT_EQ(direct.merged, 2u);
  EXPECT_EQ(tally.holders().at({"north", "sealed"}).answered.count(), 1u);
}

TEST(ReplayTally, MeasuresAnswersOfHoldersThatSearchedAlone) {
  const HolderTally south = Sample().holders().at({"south", "direct"});
  EXPECT_EQ(south.answered.count(), 0u);
  EXPECT_EQ(south.refused, (std::map<std::string, std::uint64_t>{{"agreement-suspended", 1}}));
  EXPECT_EQ(south.unanswered,
            (std::map<std::string, std::uint64_t>{{"holder-busy", 2}, {"unknown", 1}}));
}

TEST(ReplayTally, MergesAllOfIt) {
  ReplayTally both = Sample();
  both.Merge(Sample());
  EXPECT_EQ(both.answers(), 14u);
  EXPECT_EQ(both.searched(), 6u);
  EXPECT_EQ(both.holders().at({"north", "direct"}).merged, 4u);
  EXPECT_EQ(both.holders().at({"south", "direct"}).unanswered.at("holder-busy"), 4u);
}

TEST(ReplayText, SaysWhatDidNotComeAndWhatBroke) {
  ReplayReport report = Report(Sample());
  report.broken["the deployment was stopped\x1b[2J"] = 2;
  const std::string text = ReplayText(report);
  EXPECT_THAT(text, HasSubstr("sent 4 of 4 faces at 4 a second from 2 cameras"));
  EXPECT_THAT(text, HasSubstr("refused: 1 by south, direct: agreement-suspended\n"));
  EXPECT_THAT(text, HasSubstr("unanswered: 2 by south, direct: holder-busy\n"));
  EXPECT_THAT(text, HasSubstr("answers that did not come: 1\n"));
  EXPECT_THAT(text, HasSubstr("ended early: 2 streams: the deployment was stopped?[2J\n"));
}

TEST(ReplayText, SaysLittleWhenNothingCame) {
  const std::string text = ReplayText(Report({}));
  EXPECT_THAT(text, HasSubstr("answers that did not come: 8\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("HOLDER")));
}

TEST(ReplayJson, HasNullWhereNothingWasMeasured) {
  const auto json = ReplayJson(Report(Sample()));
  ASSERT_EQ(json["holders"].size(), 3u);
  EXPECT_EQ(json["holders"][0]["answered"]["max_ms"], 30.0);
  EXPECT_EQ(json["holders"][2]["holder"], "south");
  EXPECT_EQ(json["holders"][2]["answered"]["p99_ms"], nullptr);
  EXPECT_EQ(json["missing"], 1);
}

}  // namespace
}  // namespace comity::cli
