// SPDX-License-Identifier: Apache-2.0
#include "policy/model/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/result_matchers.h"

namespace comity::policy {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::FailsWith;

const Instant kStart = ParseInstant("2026-11-25T08:00:00Z").value();

TEST(Retention, EveryClassHasItsRowAndItsName) {
  for (const RetentionRule& rule : RetentionRules()) {
    EXPECT_EQ(&RuleOf(rule.record_class), &rule);
    EXPECT_EQ(ParseRetentionClass(rule.name).value(), rule.record_class);
    EXPECT_FALSE(rule.words.empty());
    EXPECT_FALSE(rule.source.empty());
  }
  EXPECT_THAT(ParseRetentionClass("faces"), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Retention, KeepsNoFaceWithoutAnAlert) {
  EXPECT_EQ(RuleOf(RetentionClass::kFace).most, seconds(0));
}

TEST(Retention, LetsTheLawDecideWhenNobodySetsLess) {
  const auto end = EffectiveEnd(RetentionClass::kAlert, kStart, std::nullopt, days(90));
  EXPECT_EQ(end, (RetentionEnd{kStart + days(31), RetentionBound::kLaw}));
}

TEST(Retention, LetsTheAgreementDecideWhenItIsTheShortest) {
  const auto end = EffectiveEnd(RetentionClass::kAlert, kStart, kStart + days(3), hours(24));
  EXPECT_EQ(end, (RetentionEnd{kStart + hours(24), RetentionBound::kAgreement}));
}

TEST(Retention, LetsTheOriginatorDecideWhenItsDateComesFirst) {
  const auto end = EffectiveEnd(RetentionClass::kEntry, kStart, kStart + hours(5), days(10));
  EXPECT_EQ(end, (RetentionEnd{kStart + hours(5), RetentionBound::kOriginator}));
}

TEST(Retention, KeepsAuditPayloadsAsLongAsTheLawDemands) {
  const auto end = EffectiveEnd(RetentionClass::kAuditPayload, kStart, std::nullopt, days(30));
  EXPECT_EQ(end, (RetentionEnd{kStart + days(365), RetentionBound::kAgreement}));
}

TEST(Retention, HasNoEndThatNobodySets) {
  EXPECT_EQ(EffectiveEnd(RetentionClass::kEntry, kStart, std::nullopt, std::nullopt), std::nullopt);
}

// The naive minimum, written in another way: all candidates in a list, floors applied, sorted.
std::optional<Instant> NaiveEnd(const RetentionRule& rule, std::optional<Instant> originator,
                                std::optional<seconds> agreement) {
  std::vector<std::int64_t> ends;
  const auto add = [&](Instant end) { ends.push_back(end.time_since_epoch().count()); };
  if (rule.most) add(kStart + *rule.most);
  if (originator) add(*originator);
  if (agreement) add(kStart + *agreement);
  if (ends.empty()) return std::nullopt;
  std::sort(ends.begin(), ends.end());
  const std::int64_t floor = (kStart + rule.least).time_since_epoch().count();
  return Instant(std::chrono::microseconds(std::max(ends.front(), floor)));
}

TEST(Retention, IsTheNaiveMinimumOfLawOriginatorAndAgreement) {
  std::mt19937_64 random(20261125);
  std::uniform_int_distribution<std::int64_t> period(0, std::int64_t{5} * 365 * 86'400);
  for (int i = 0; i < 20'000; ++i) {
    for (const RetentionRule& rule : RetentionRules()) {
      std::optional<Instant> originator;
      std::optional<seconds> agreement;
      if (random() % 3 != 0) originator = kStart + seconds(period(random));
      if (random() % 3 != 0) agreement = seconds(period(random));
      const auto end = EffectiveEnd(rule.record_class, kStart, originator, agreement);
      const auto naive = NaiveEnd(rule, originator, agreement);
      ASSERT_EQ(end.has_value(), naive.has_value());
      if (!end) continue;
      ASSERT_EQ(end->due, *naive) << rule.name;
      // Who decides has set that end, or the law's floor has lifted it.
      const Instant floor = kStart + rule.least;
      if (end->bound == RetentionBound::kLaw) {
        ASSERT_EQ(end->due, std::max(kStart + *rule.most, floor));
      } else if (end->bound == RetentionBound::kOriginator) {
        ASSERT_EQ(end->due, std::max(*originator, floor));
      } else {
        ASSERT_EQ(end->due, std::max(kStart + *agreement, floor));
      }
    }
  }
}

}  // namespace
}  // namespace comity::policy
