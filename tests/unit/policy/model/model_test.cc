// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "policy/model/terms.h"
#include "tests/support/result_matchers.h"

namespace comity::policy {
namespace {

using comity::testing::FailsWith;
using std::chrono::microseconds;
using std::chrono::seconds;

TEST(Instant, HasTheFewestFractionDigitsThatLoseNothing) {
  const Instant second =
      std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + std::chrono::hours(8);
  EXPECT_EQ(EncodeInstant(second), "2026-11-25T08:00:00Z");
  EXPECT_EQ(EncodeInstant(second + microseconds(250'000)), "2026-11-25T08:00:00.250Z");
  EXPECT_EQ(EncodeInstant(second + microseconds(1)), "2026-11-25T08:00:00.000001Z");
  EXPECT_EQ(EncodeInstant(second - microseconds(1)), "2026-11-25T07:59:59.999999Z");
  EXPECT_EQ(UtcDay(second - std::chrono::hours(9)), "2026-11-24");
}

TEST(Instant, ReadsOffsetsAndFractions) {
  const Instant expected = ParseInstant("2026-11-25T08:00:00.5Z").value();
  for (const char* text : {"2026-11-25T09:00:00.5+01:00", "2026-11-25T00:30:00.500-07:30",
                           "2026-11-25T08:00:00.500000+00:00"}) {
    EXPECT_EQ(ParseInstant(text).value(), expected) << text;
  }
}

TEST(Instant, ReadsBackWhatItEncodes) {
  std::mt19937_64 random(7);
  const std::int64_t end =
      ParseInstant("9999-12-31T23:59:59.999999Z").value().time_since_epoch().count();
  for (int i = 0; i < 10'000; ++i) {
    const Instant instant(
        microseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end))));
    ASSERT_EQ(ParseInstant(EncodeInstant(instant)).value(), instant);
  }
}

TEST(Instant, RefusesOtherForms) {
  for (const char* text : {"",
                           "2026-11-25",
                           "2026-11-25T08:00Z",
                           "2026-11-25T08:00:00",
                           "2026-11-25 08:00:00Z",
                           "2026-11-25t08:00:00z",
                           "2026-11-25T08:00:00.Z",
                           "2026-11-25T08:00:00.1234567Z",
                           "2026-11-25T24:00:00Z",
                           "2026-11-25T23:59:60Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "10000-01-01T00:00:00Z",
                           "2026-11-25T08:00:00+24:00",
                           "2026-11-25T08:00:00+01:60",
                           "2026-11-25T08:00:00+0100",
                           "2026-11-25T08:00:00Z ",
                           "+026-11-25T08:00:00Z",
                           "2026-11-25T08:00:00,5Z"}) {
    EXPECT_THAT(ParseInstant(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(Duration, ReadsDaysHoursMinutesSeconds) {
  EXPECT_EQ(ParseDuration("P31D").value(), std::chrono::days(31));
  EXPECT_EQ(ParseDuration("PT24H").value(), std::chrono::hours(24));
  EXPECT_EQ(ParseDuration("P1DT12H30M5S").value(), seconds(131'405));
  EXPECT_EQ(ParseDuration("PT5M").value(), std::chrono::minutes(5));
  EXPECT_EQ(ParseDuration("P3660D").value(), std::chrono::days(3660));
}

TEST(Duration, RefusesOtherForms) {
  for (const char* text :
       {"",      "P",    "PT",        "P1",    "1D",   "P1M",   "P1Y",           "P1W",
        "PT0S",  "P0D",  "P3660DT1S", "P1DT",  "PT1D", "P1H",   "PT1M1H",        "PT1H1H",
        "P1D2D", "P-1D", "P1.5D",     "PT1S ", "p1d",  "PTT1S", "PT9999999999S", "P1DTT1H"}) {
    EXPECT_THAT(ParseDuration(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(Duration, ReadsBackWhatItEncodes) {
  std::mt19937 random(11);
  for (int i = 0; i < 10'000; ++i) {
    const seconds duration(1 + random() % (3660 * 86'400));
    ASSERT_EQ(ParseDuration(EncodeDuration(duration)).value(), duration);
  }
  EXPECT_EQ(EncodeDuration(seconds(131'405)), "P1DT12H30M5S");
}

template <typename Enum, typename Parse>
void ExpectVocabulary(int count, Parse parse) {
  std::set<std::string_view> names;
  for (int i = 0; i < count; ++i) {
    const auto term = static_cast<Enum>(i);
    EXPECT_EQ(parse(Name(term)).value(), term);
    names.insert(Name(term));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(Name(static_cast<Enum>(count)), "unknown");
  EXPECT_THAT(parse("unknown"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(parse(""), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Terms, AreClosedVocabularies) {
  ExpectVocabulary<LegalRole>(4, ParseLegalRole);
  ExpectVocabulary<Regime>(4, ParseRegime);
  ExpectVocabulary<SearchMode>(2, ParseSearchMode);
  ExpectVocabulary<UseMode>(2, ParseUseMode);
  ExpectVocabulary<RequesterRole>(2, ParseRequesterRole);
  ExpectVocabulary<ReleaseItem>(4, ParseReleaseItem);
  ExpectVocabulary<AttachmentKind>(7, ParseAttachmentKind);
  ExpectVocabulary<AdvicePosition>(3, ParseAdvicePosition);
  ExpectVocabulary<ReceiverRole>(7, ParseReceiverRole);
  ExpectVocabulary<SubjectCategory>(8, ParseSubjectCategory);
  ExpectVocabulary<OffenceClass>(3, ParseOffenceClass);
  ExpectVocabulary<PurposeTerm>(8, ParsePurposeTerm);
  ExpectVocabulary<OnwardSharing>(2, ParseOnwardSharing);
  ExpectVocabulary<HandlingCode>(2, ParseHandlingCode);
}

TEST(TermSet, HoldsTheTermsOfItsVocabularyAndNothingElse) {
  TermSet<SubjectCategory> set = {SubjectCategory::kOther, SubjectCategory::kSuspect};
  set.Add(static_cast<SubjectCategory>(-1));
  set.Add(static_cast<SubjectCategory>(32));
  set.Add(static_cast<SubjectCategory>(4000));
  EXPECT_EQ(set.Terms(), (std::vector{SubjectCategory::kSuspect, SubjectCategory::kOther}));
  EXPECT_FALSE(set.Has(static_cast<SubjectCategory>(-1)));
  EXPECT_TRUE(set.Meets({SubjectCategory::kOther, SubjectCategory::kVictim}));
  EXPECT_FALSE(set.Meets({SubjectCategory::kVictim}));
  set.Remove(SubjectCategory::kOther);
  set.Remove(SubjectCategory::kSuspect);
  EXPECT_TRUE(set.empty());
}

TEST(ReasonCode, HasANameForEachCode) {
  for (int i = 0; i <= static_cast<int>(ReasonCode::kStateUnreadable); ++i) {
    const auto code = static_cast<ReasonCode>(i);
    EXPECT_EQ(ParseReasonCode(Name(code)), code);
  }
  EXPECT_FALSE(ParseReasonCode("unknown").has_value());
}

}  // namespace
}  // namespace comity::policy
