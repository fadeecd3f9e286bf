// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Instant kNow = At("2026-06-01T00:00:00Z");

AgreementStatus StatusOf(const Agreement& agreement, const std::vector<VerifiedStatement>& said,
                         Instant now = kNow) {
  return ComputeStatus(agreement, said, now).status;
}

TEST(AgreementStatus, GoesFromDraftedOverAdvisedAndSignedToInForce) {
  const Agreement agreement = BaseAgreement();
  const auto all = InForce(agreement);
  const std::vector<AgreementStatus> expected = {
      AgreementStatus::kDrafted, AgreementStatus::kDrafted, AgreementStatus::kAdvised,
      AgreementStatus::kSigned,  AgreementStatus::kSigned,  AgreementStatus::kSigned,
      AgreementStatus::kInForce};
  for (std::size_t count = 0; count <= all.size(); ++count) {
    const auto report = ComputeStatus(agreement, std::span(all).first(count), kNow);
    EXPECT_EQ(report.status, expected[count]) << count;
    EXPECT_THAT(report.missing, SizeIs(all.size() - count));
  }
}

TEST(AgreementStatus, SaysInWordsWhatIsMissing) {
  const Agreement agreement = BaseAgreement();
  EXPECT_THAT(ComputeStatus(agreement, {}, kNow).missing,
              ElementsAre("advice of eastvale-council, Data Protection Officer",
                          "signature of eastvale-council, Chief Executive",
                          "signature of eastvale-council, Senior Information Risk Owner",
                          "advice of northshire-police, Data Protection Officer",
                          "signature of northshire-police, Assistant Chief Constable",
                          "signature of northshire-police, Senior Information Risk Owner"));
}

TEST(AgreementStatus, NeedsEveryOneOfItsStatements) {
  const Agreement agreement = BaseAgreement();
  const auto all = InForce(agreement);
  for (std::size_t without = 0; without < all.size(); ++without) {
    auto some = all;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(without));
    EXPECT_NE(StatusOf(agreement, some), AgreementStatus::kInForce) << without;
    // Nobody's second statement stands in for somebody else's.
    some.insert(some.end(), some.begin(), some.end());
    EXPECT_NE(StatusOf(agreement, some), AgreementStatus::kInForce) << without;
  }
}

TEST(AgreementStatus, KeepsItsHalfOpenIntervals) {
  const Agreement agreement = BaseAgreement();
  const auto all = InForce(agreement);
  const auto just = std::chrono::microseconds(1);
  EXPECT_EQ(StatusOf(agreement, all, agreement.effective_from - just),
            AgreementStatus::kNotYetValid);
  EXPECT_EQ(StatusOf(agreement, all, agreement.effective_from), AgreementStatus::kInForce);
  EXPECT_EQ(StatusOf(agreement, all, agreement.review_by - just), AgreementStatus::kInForce);
  EXPECT_EQ(StatusOf(agreement, all, agreement.review_by), AgreementStatus::kReviewOverdue);
  EXPECT_EQ(StatusOf(agreement, all, agreement.effective_until - just),
            AgreementStatus::kReviewOverdue);
  EXPECT_EQ(StatusOf(agreement, all, agreement.effective_until), AgreementStatus::kExpired);
}

TEST(AgreementStatus, IsInForceAgainstAdviceAndSaysSo) {
  const Agreement agreement = BaseAgreement();
  auto said = InForce(agreement);
  EXPECT_FALSE(ComputeStatus(agreement, said, kNow).against_advice);
  Statement against = StatementBy(kPoliceDpo, StatementKind::kAdvice, agreement);
  against.position = AdvicePosition::kAgainst;
  against.at += std::chrono::seconds(1);
  said.push_back(Said(kPoliceDpo, against, agreement));
  const auto report = ComputeStatus(agreement, said, kNow);
  EXPECT_EQ(report.status, AgreementStatus::kInForce);
  EXPECT_TRUE(report.against_advice);
  // The latest advice counts.
  against.position = AdvicePosition::kConditional;
  against.at += std::chrono::seconds(1);
  said.push_back(Said(kPoliceDpo, against, agreement));
  EXPECT_FALSE(ComputeStatus(agreement, said, kNow).against_advice);
}

TEST(AgreementStatus, IsSuspendedByOneOfEitherSideAtOnce) {
  const Agreement agreement = BaseAgreement();
  for (const Person& person :
       {kCouncilDpo, kCouncilChief, kCouncilGateway, kPoliceDpo, kPoliceSiro}) {
    auto said = InForce(agreement);
    said.push_back(Said(person, StatementKind::kSuspension, agreement));
    const auto report = ComputeStatus(agreement, said, kNow);
    EXPECT_EQ(report.status, AgreementStatus::kSuspended);
    ASSERT_THAT(report.suspensions, SizeIs(1));
    EXPECT_EQ(report.suspensions[0].party.text(), person.party);
    EXPECT_EQ(report.suspensions[0].post, person.post);
  }
}

TEST(AgreementStatus, ResumesByTwoDifferentSignatoriesOfTheSideThatSuspended) {
  const Agreement agreement = BaseAgreement();
  auto said = InForce(agreement);
  const auto suspension = Said(kCouncilDpo, StatementKind::kSuspension, agreement);
  said.push_back(suspension);
  const auto with = [&](const std::vector<VerifiedStatement>& more) {
    auto all = said;
    all.insert(all.end(), more.begin(), more.end());
    return StatusOf(agreement, all);
  };
  const auto chief = Resumed(kCouncilChief, suspension.id, agreement);
  Statement again_text = StatementBy(kCouncilChief, StatementKind::kResumption, agreement);
  again_text.lifts = suspension.id;
  again_text.text = "again";
  const auto chief_again = Said(kCouncilChief, again_text, agreement);
  const auto siro = Resumed(kCouncilSiro, suspension.id, agreement);
  EXPECT_EQ(with({}), AgreementStatus::kSuspended);
  EXPECT_EQ(with({chief}), AgreementStatus::kSuspended);
  EXPECT_EQ(with({chief, chief_again}), AgreementStatus::kSuspended);
  EXPECT_EQ(with({Resumed(kPoliceChief, suspension.id, agreement),
                  Resumed(kPoliceSiro, suspension.id, agreement)}),
            AgreementStatus::kSuspended);
  EXPECT_EQ(with({chief, Resumed(kPoliceSiro, suspension.id, agreement)}),
            AgreementStatus::kSuspended);
  EXPECT_EQ(with({chief, Resumed(kCouncilSiro, Digest{}, agreement)}), AgreementStatus::kSuspended);
  EXPECT_EQ(with({chief, siro}), AgreementStatus::kInForce);
  // A resumption of one suspension does not lift another.
  EXPECT_EQ(with({chief, siro, Said(kPoliceDpo, StatementKind::kSuspension, agreement)}),
            AgreementStatus::kSuspended);
}

VerifiedStatement Terminated(const Person& person, const Agreement& agreement,
                             const std::string& at) {
  Statement statement = StatementBy(person, StatementKind::kTermination, agreement);
  statement.at = At(at);
  return Said(person, statement, agreement);
}

TEST(AgreementStatus, IsTerminatedByTwoSignatoriesOfOnePartyAfterItsNotice) {
  const Agreement agreement = BaseAgreement();  // notice: 30 days
  const auto status = [&](std::vector<VerifiedStatement> more, const std::string& now) {
    auto said = InForce(agreement);
    said.insert(said.end(), more.begin(), more.end());
    return StatusOf(agreement, said, At(now));
  };
  const auto chief = Terminated(kPoliceChief, agreement, "2026-03-01T00:00:00Z");
  const auto siro = Terminated(kPoliceSiro, agreement, "2026-03-05T00:00:00Z");
  const auto council = Terminated(kCouncilChief, agreement, "2026-03-02T00:00:00Z");
  const auto council_siro = Terminated(kCouncilSiro, agreement, "2026-03-03T00:00:00Z");
  constexpr auto kEnd = "2026-04-04T00:00:00Z";
  constexpr auto kLast = "2026-04-03T23:59:59.999999Z";
  EXPECT_EQ(status({chief}, "2026-09-01T00:00:00Z"), AgreementStatus::kInForce);
  EXPECT_EQ(status({chief, council}, "2026-09-01T00:00:00Z"), AgreementStatus::kInForce);
  EXPECT_EQ(status({chief, siro}, kLast), AgreementStatus::kInForce);
  EXPECT_EQ(status({chief, siro}, kEnd), AgreementStatus::kTerminated);
  EXPECT_EQ(status({chief, siro, council}, kLast), AgreementStatus::kInForce);
  // Somebody's second one is not a second person's.
  EXPECT_EQ(status({chief, Terminated(kPoliceChief, agreement, "2026-03-06T00:00:00Z")},
                   "2026-09-01T00:00:00Z"),
            AgreementStatus::kInForce);
  // Two of each party need no notice.
  EXPECT_EQ(status({chief, siro, council, council_siro}, "2026-03-05T00:00:00Z"),
            AgreementStatus::kTerminated);
  EXPECT_EQ(status({chief, siro, council, council_siro}, "2026-03-04T23:59:59Z"),
            AgreementStatus::kInForce);
}

TEST(AgreementStatus, HasATerminationThatNothingTakesBack) {
  const Agreement agreement = BaseAgreement();
  auto said = InForce(agreement);
  said.push_back(Terminated(kPoliceChief, agreement, "2026-03-01T00:00:00Z"));
  said.push_back(Terminated(kPoliceSiro, agreement, "2026-03-01T00:00:00Z"));
  const auto suspension = Said(kPoliceChief, StatementKind::kSuspension, agreement);
  said.push_back(suspension);
  said.push_back(Resumed(kPoliceChief, suspension.id, agreement));
  said.push_back(Resumed(kPoliceSiro, suspension.id, agreement));
  said.push_back(Terminated(kPoliceSiro, agreement, "2026-08-01T00:00:00Z"));
  EXPECT_EQ(StatusOf(agreement, said), AgreementStatus::kTerminated);
}

TEST(AgreementStatus, SurvivesTerminationsAtTheEndOfTime) {
  Agreement agreement = BaseAgreement();
  agreement.termination.notice = std::chrono::hours(24 * 3660);
  auto said = InForce(agreement);
  said.push_back(Terminated(kPoliceChief, agreement, "9999-12-31T23:59:59Z"));
  said.push_back(Terminated(kPoliceSiro, agreement, "9999-12-31T23:59:59Z"));
  EXPECT_EQ(StatusOf(agreement, said), AgreementStatus::kInForce);
  EXPECT_EQ(StatusOf(agreement, said, Instant::max()), AgreementStatus::kTerminated);
}

TEST(AgreementStatus, IsRejectedByOneSignatoryForGood) {
  const Agreement agreement = BaseAgreement();
  auto said = InForce(agreement);
  for (std::size_t signed_by = 0; signed_by <= said.size(); ++signed_by) {
    auto some = said;
    some.resize(signed_by);
    some.push_back(Said(kCouncilSiro, StatementKind::kRejection, agreement));
    EXPECT_EQ(StatusOf(agreement, some), AgreementStatus::kRejected) << signed_by;
    // It ends a proposal; what all have signed never becomes one again.
    EXPECT_EQ(ComputeStatementState(agreement, some).complete, signed_by == said.size());
  }
}

TEST(AgreementStatus, IsReviewedByDpoAndASignatoryOfEachParty) {
  const Agreement agreement = BaseAgreement();
  auto said = InForce(agreement);
  const auto review = [&](const Person& person) {
    Statement statement = StatementBy(person, StatementKind::kReview, agreement);
    statement.text = "Still needed.";
    said.push_back(Said(person, statement, agreement));
    return ComputeStatementState(agreement, said);
  };
  EXPECT_FALSE(review(kCouncilDpo).reviewed);
  EXPECT_FALSE(review(kCouncilChief).reviewed);
  EXPECT_FALSE(review(kPoliceDpo).reviewed);
  EXPECT_FALSE(review(kCouncilSiro).reviewed) << "two of one side for one of each";
  EXPECT_THAT(review(kCouncilSiro).missing_reviews,
              ElementsAre("review of northshire-police, a signatory"));
  EXPECT_TRUE(review(kPoliceSiro).reviewed);
  EXPECT_EQ(StatusOf(agreement, said, agreement.review_by), AgreementStatus::kReviewOverdue);
}

TEST(AgreementStatus, HasANameForEachStatus) {
  for (int i = 0; i <= static_cast<int>(AgreementStatus::kSuperseded); ++i) {
    const auto status = static_cast<AgreementStatus>(i);
    EXPECT_EQ(ParseAgreementStatus(Name(status)), status);
  }
  EXPECT_EQ(Name(static_cast<AgreementStatus>(99)), "unknown");
  EXPECT_FALSE(ParseAgreementStatus("unknown").has_value());
}

TEST(AgreementStatus, IgnoresStatementsAboutAnotherVersion) {
  const Agreement agreement = BaseAgreement();
  Agreement next = agreement;
  next.version = 2;
  auto said = InForce(agreement);
  said.push_back(Said(kPoliceChief, StatementKind::kTermination, next));
  said.push_back(Said(kPoliceSiro, StatementKind::kTermination, next));
  said.push_back(Said(kPoliceSiro, StatementKind::kRejection, next));
  EXPECT_EQ(StatusOf(agreement, said), AgreementStatus::kInForce);
  EXPECT_EQ(StatusOf(next, InForce(agreement)), AgreementStatus::kDrafted);
}

TEST(AgreementStatus, DoesNotDependOnOrderOrRepetition) {
  const Agreement agreement = BaseAgreement();
  auto pool = InForce(agreement);
  Statement against = StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement);
  against.position = AdvicePosition::kAgainst;
  pool.push_back(Said(kCouncilDpo, against, agreement));  // same instant: the larger id counts
  const auto first = Said(kCouncilDpo, StatementKind::kSuspension, agreement);
  const auto second = Said(kPoliceSiro, StatementKind::kSuspension, agreement);
  pool.insert(pool.end(), {first, second, Resumed(kCouncilChief, first.id, agreement),
                           Resumed(kCouncilSiro, first.id, agreement),
                           Resumed(kPoliceChief, second.id, agreement),
                           Resumed(kPoliceSiro, second.id, agreement),
                           Said(kPoliceChief, StatementKind::kTermination, agreement),
                           Said(kPoliceSiro, StatementKind::kTermination, agreement),
                           Said(kCouncilSiro, StatementKind::kTermination, agreement),
                           Said(kCouncilSiro, StatementKind::kRejection, agreement)});
  std::mt19937 random(20260115);
  for (int round = 0; round < 2000; ++round) {
    std::vector<VerifiedStatement> some;
    for (const auto& each : pool) {
      if (random() % 8 != 0) some.push_back(each);
    }
    const auto expected = ComputeStatus(agreement, some, kNow);
    if (!some.empty()) some.push_back(some[random() % some.size()]);
    std::shuffle(some.begin(), some.end(), random);
    ASSERT_EQ(ComputeStatus(agreement, some, kNow), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace comity::policy
