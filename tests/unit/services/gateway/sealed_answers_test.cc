// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <vector>

#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Time = steady_clock::time_point;

Time At(int ms) {
  return Time(milliseconds(ms));
}

policy::Decision Permit(std::size_t clauses) {
  policy::Decision permit;
  permit.code = policy::ReasonCode::kPermit;
  permit.clauses.assign(clauses, std::string(64, 'c'));
  return permit;
}

std::vector<matching::ProbeAnswer> Answers(std::size_t count, std::size_t hits,
                                           std::size_t clauses) {
  matching::ProbeAnswer answer;
  answer.sequence = 1;
  answer.decision = Permit(clauses);
  answer.entries = 6;
  for (std::size_t i = 0; i < hits; ++i) {
    answer.hits.push_back(
        {std::string(64, 'r'), "wanted-by-courts", std::string(256, 'w'), std::nullopt});
  }
  return std::vector(count, answer);
}

TEST(SealedAnswers, HaveOneSizeForOneNumberWhateverTheyTell) {
  for (const std::size_t count : {1U, 2U, 3U, 4U, 32U}) {
    std::set<std::size_t> sizes;
    for (std::size_t hits = 0; hits <= 8; ++hits) {
      for (const std::size_t clauses : {1U, 2U, 16U}) {
        sizes.insert(AnswersToProto(3, Answers(count, hits, clauses)).ByteSizeLong());
      }
    }
    EXPECT_EQ(sizes.size(), 1U) << count;
    EXPECT_LT(*sizes.begin(), std::size_t{transport::limits::kMaxFederationMessage});
  }
}

TEST(SealedAnswers, SayWhenAProbeWasOverTheCap) {
  auto answers = Answers(1, 0, 1);
  answers[0].decision.code = policy::ReasonCode::kOverCap;
  EXPECT_TRUE(AnswersToProto(0, answers).answers(0).over_cap());
  EXPECT_FALSE(AnswersToProto(0, Answers(1, 0, 1)).answers(0).over_cap());
}

TEST(AnswerTime, IsTheFirstWholeMultipleThatIsNotPast) {
  const milliseconds after(250);
  EXPECT_EQ(LeavesAt(At(1000), after, At(1000)), At(1250));
  EXPECT_EQ(LeavesAt(At(1000), after, At(1249)), At(1250));
  EXPECT_EQ(LeavesAt(At(1000), after, At(1250)), At(1250));
  EXPECT_EQ(LeavesAt(At(1000), after, At(1251)), At(1500));
  EXPECT_EQ(LeavesAt(At(1000), after, At(2000)), At(2000));
}

TEST(AnswerTime, IsAtOnceIfNothingIsSet) {
  EXPECT_EQ(LeavesAt(At(1000), milliseconds(0), At(1007)), At(1007));
}

TEST(AnswersInWaiting, LeaveInOrderAndNotBeforeTheirTime) {
  AnswersInWaiting waiting;
  std::vector<int> left;
  const Time due = steady_clock::now() + milliseconds(40);
  std::atomic<bool> early{false};
  for (const int number : {1, 2, 3}) {
    waiting.Add(due, [&, number] {
      if (steady_clock::now() < due) early = true;
      left.push_back(number);
      return true;
    });
  }
  waiting.Finish();
  EXPECT_THAT(left, ::testing::ElementsAre(1, 2, 3));
  EXPECT_FALSE(early);
  EXPECT_EQ(waiting.size(), 0U);
}

TEST(AnswersInWaiting, NothingLeavesAfterOneThatMayNot) {
  AnswersInWaiting waiting;
  std::atomic<int> left{0};
  waiting.Add(steady_clock::now(), [&] {
    ++left;
    return false;
  });
  waiting.Add(steady_clock::now(), [&] {
    ++left;
    return true;
  });
  waiting.Finish();
  EXPECT_EQ(left, 1);
}

TEST(AnswersInWaiting, EndWithoutWaitingForTheirTime) {
  std::atomic<int> left{0};
  {
    AnswersInWaiting waiting;
    waiting.Add(steady_clock::now() + std::chrono::hours(1), [&] {
      ++left;
      return true;
    });
  }
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace comity::gateway
