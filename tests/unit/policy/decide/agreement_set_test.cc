// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/agreement_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/decide/decide.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/policy/agreement_fixture.h"
#include "tests/unit/policy/decide/decision_case.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;
using comity::testing::FailsWith;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Instant kNow = At("2026-06-01T00:00:00Z");
constexpr Usage kUnused{0, 0, 0};

Agreement Version(int version, const std::string& from = "2026-02-01T00:00:00Z") {
  std::string yaml =
      Replaced(BaseDocument(), "version: 1\n", "version: " + std::to_string(version) + "\n");
  return LoadOk(Replaced(yaml, "effective_from: 2026-02-01T00:00:00Z", "effective_from: " + from));
}
AgreementInput Complete(const Agreement& agreement) {
  return {agreement, InForce(agreement), {}};
}

std::uint32_t Current(const AgreementSet& set, Instant now) {
  const AgreementVersion* current = set.FindCurrent(BaseAgreement().id, now);
  return current == nullptr ? 0 : current->ref.version;
}

TEST(AgreementSet, SupersedesByTheHighestCompleteVersion) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  const Agreement three = Version(3);
  const auto set = AgreementSet::Build({Complete(two), {three, {}, {}}, Complete(one)}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 1), kNow), AgreementStatus::kSuperseded);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 2), kNow), AgreementStatus::kInForce);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 3), kNow), AgreementStatus::kDrafted);
  SearchRequest request = BaseRequest(one);
  EXPECT_EQ(Decide(set, request, kUnused, kNow).code, ReasonCode::kAgreementMismatch);
  EXPECT_EQ(Decide(set, request, kUnused, kNow).agreement, RefOf(two));
  request.agreement = RefOf(two);
  EXPECT_TRUE(Decide(set, request, kUnused, kNow).permitted());
}

TEST(AgreementSet, SupersedesFromTheStartOfTheHigherVersion) {
  const auto set =
      AgreementSet::Build({Complete(Version(1)), Complete(Version(2, "2026-07-01T00:00:00Z"))})
          .value();
  EXPECT_EQ(Current(set, At("2026-06-30T23:59:59.999999Z")), 1U);
  EXPECT_EQ(Current(set, At("2026-07-01T00:00:00Z")), 2U);
  EXPECT_EQ(Current(set, At("2026-01-01T00:00:00Z")), 1U);  // neither has started
}

TEST(AgreementSet, DoesNotFallBackWhenTheHighestIsTerminated) {
  const Agreement two = Version(2);
  AgreementInput terminated = Complete(two);
  terminated.statements.push_back(Said(kPoliceChief, StatementKind::kTermination, two));
  terminated.statements.push_back(Said(kPoliceSiro, StatementKind::kTermination, two));
  const auto set = AgreementSet::Build({Complete(Version(1)), terminated}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(Decide(set, BaseRequest(two), kUnused, kNow).code, ReasonCode::kAgreementTerminated);
}

TEST(AgreementSet, ASuspensionIsNotLeftBehindByAHigherVersion) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  AgreementInput suspended = Complete(one);
  suspended.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, one));
  const auto set = AgreementSet::Build({suspended, Complete(two)}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(Decide(set, BaseRequest(two), kUnused, kNow).code, ReasonCode::kAgreementSuspended);
}

TEST(AgreementSet, ASuspensionEndsWithTheTerminationOfItsOwnVersion) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  AgreementInput ended = Complete(one);
  ended.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, one));
  for (const Person& person : {kPoliceChief, kPoliceSiro}) {
    ended.statements.push_back(Said(person, StatementKind::kTermination, one));
  }
  const auto set = AgreementSet::Build({ended, Complete(two)}).value();
  const Instant end = At("2026-01-15T12:00:00Z") + one.termination.notice;
  const auto decided = [&](Instant now) {
    return Decide(set, BaseRequest(two), kUnused, now).code;
  };
  EXPECT_EQ(decided(end - std::chrono::microseconds(1)), ReasonCode::kAgreementSuspended);
  EXPECT_EQ(decided(end), ReasonCode::kPermit);
}

TEST(AgreementSet, NoTerminationByTheOtherSideLiftsASuspension) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  AgreementInput ended = Complete(one);
  ended.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, one));
  const auto terminate = [&](const Person& person, const char* at) {
    Statement termination = StatementBy(person, StatementKind::kTermination, one);
    termination.at = At(at);
    ended.statements.push_back(Said(person, termination, one));
  };
  const auto decided = [&] {
    const auto set = AgreementSet::Build({ended, Complete(two)}).value();
    return Decide(set, BaseRequest(two), kUnused, kNow).code;
  };
  terminate(kCouncilChief, "2025-01-01T00:00:00Z");
  terminate(kCouncilSiro, "2025-01-01T00:00:00Z");
  EXPECT_EQ(decided(), ReasonCode::kAgreementSuspended);
  // Two of each side: those who suspended were among them.
  terminate(kPoliceChief, "2026-05-31T00:00:00Z");
  EXPECT_EQ(decided(), ReasonCode::kAgreementSuspended);
  terminate(kPoliceSiro, "2026-05-31T00:00:00Z");
  EXPECT_EQ(decided(), ReasonCode::kPermit);
}

TEST(AgreementSet, ASuspensionReachesThroughAVersionThatWasEndedInBetween) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  const Agreement three = Version(3);
  AgreementInput suspended = Complete(one);
  suspended.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, one));
  const AgreementInput rejected{two, {Said(kCouncilChief, StatementKind::kRejection, two)}};
  const AgreementInput terminated{two,
                                  {Said(kCouncilChief, StatementKind::kTermination, two),
                                   Said(kCouncilSiro, StatementKind::kTermination, two),
                                   Said(kPoliceChief, StatementKind::kTermination, two),
                                   Said(kPoliceSiro, StatementKind::kTermination, two)}};
  for (const AgreementInput& between : {rejected, terminated}) {
    const auto set = AgreementSet::Build({suspended, between, Complete(three)}).value();
    EXPECT_EQ(Current(set, kNow), 3U);
    EXPECT_EQ(Decide(set, BaseRequest(three), kUnused, kNow).code, ReasonCode::kAgreementSuspended);
    EXPECT_THAT(set.FindVersion(three.id, 3)->state.missing,
                ElementsAre("resumption by 2 of the signatories of northshire-police, who "
                            "suspended version 1"));
  }
}

TEST(AgreementSet, ARejectedProposalLeavesTheVersionBeforeItInForce) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  AgreementInput rejected = Complete(two);
  rejected.statements.pop_back();  // a signature
  rejected.statements.push_back(Said(kCouncilChief, StatementKind::kRejection, two));
  const auto set = AgreementSet::Build({Complete(one), rejected}).value();
  EXPECT_EQ(Current(set, kNow), 1U);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(two.id, 2), kNow), AgreementStatus::kRejected);
  EXPECT_TRUE(Decide(set, BaseRequest(one), kUnused, kNow).permitted());
}

TEST(AgreementSet, ALateRejectionBringsNoLowerVersionBackAndLiftsNothing) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  const Agreement three = Version(3, "2026-07-01T00:00:00Z");
  AgreementInput rejected = Complete(two);
  rejected.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, two));
  rejected.statements.push_back(Said(kCouncilChief, StatementKind::kRejection, two));
  const auto set = AgreementSet::Build({Complete(one), rejected, Complete(three)}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 1), kNow), AgreementStatus::kSuperseded);
  EXPECT_EQ(Decide(set, BaseRequest(one), kUnused, kNow).code, ReasonCode::kAgreementMismatch);
  EXPECT_EQ(Decide(set, BaseRequest(two), kUnused, kNow).code, ReasonCode::kAgreementRejected);
  const Instant later = At("2026-07-02T00:00:00Z");
  EXPECT_EQ(Decide(set, BaseRequest(three), kUnused, later).code, ReasonCode::kAgreementSuspended);
}

TEST(AgreementSet, BarredSignaturesBringNoLowerVersionBack) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  AgreementInput barred = Complete(two);
  barred.barred_statements = {barred.statements.back()};
  barred.statements.pop_back();
  const auto set = AgreementSet::Build({Complete(one), barred}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(Decide(set, BaseRequest(two), kUnused, kNow).code, ReasonCode::kAgreementNotInForce);
}

TEST(AgreementSet, ABarredDocumentDecidesNothingButGoesOnStoppingHigherOnes) {
  AgreementInput barred = Complete(Version(2));
  barred.barred = true;
  const auto decided = [&](const std::vector<AgreementInput>& inputs) {
    return Decide(AgreementSet::Build(inputs).value(), BaseRequest(Version(3)), kUnused, kNow).code;
  };
  EXPECT_EQ(decided({Complete(Version(1)), barred}), ReasonCode::kNoAgreement);
  EXPECT_EQ(decided({barred, Complete(Version(3))}), ReasonCode::kPermit);
  barred.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, Version(2)));
  EXPECT_EQ(decided({barred, Complete(Version(3))}), ReasonCode::kAgreementSuspended);
}

TEST(AgreementSet, ReplacesOneAgreementAndSharesTheOthers) {
  const Agreement agreement = Version(1);
  const Agreement other =
      LoadOk(Replaced(BaseDocument(), "id: northshire-eastvale-2026", "id: another"));
  const AgreementId another = other.id;
  const auto set = AgreementSet::Build({Complete(agreement), Complete(other)}).value();
  const auto next = set.With(agreement.id, {Complete(agreement), Complete(Version(2))}).value();
  EXPECT_EQ(Current(set, kNow), 1U);
  EXPECT_EQ(Current(next, kNow), 2U);
  EXPECT_EQ(set.FindVersion(another, 1), next.FindVersion(another, 1));
  EXPECT_THAT(next.ids(), ElementsAre(another, agreement.id));
  const AgencyId council = agreement.parties[0].agency;
  const AgencyId police = agreement.parties[1].agency;
  EXPECT_THAT(next.FindBetween(council, police), ElementsAre(another, agreement.id));
  const auto without = next.With(another, {}).value();
  EXPECT_THAT(without.ids(), ElementsAre(agreement.id));
  EXPECT_THAT(without.FindBetween(council, police), ElementsAre(agreement.id));
}

TEST(AgreementSet, GivesTheHighestVersionWhenNoneIsComplete) {
  const auto set = AgreementSet::Build({{Version(1), {}, {}}, {Version(2), {}, {}}}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
}

TEST(AgreementSet, RefusesTwoDocumentsOfOneVersion) {
  Agreement other = Version(1);
  other.sha256.bytes[0] ^= 1;
  EXPECT_THAT(AgreementSet::Build({Complete(Version(1)), {other, {}, {}}}),
              FailsWith(ErrorCode::kConflict));
}

TEST(AgreementSet, FindsAgreementsByDirection) {
  const Agreement agreement = Version(1);
  const auto set = AgreementSet::Build({Complete(agreement), Complete(Version(2))}).value();
  const AgencyId council = agreement.parties[0].agency;
  const AgencyId police = agreement.parties[1].agency;
  EXPECT_THAT(set.FindBetween(council, police), ElementsAre(agreement.id));
  EXPECT_THAT(set.FindBetween(police, council), IsEmpty());
  EXPECT_EQ(set.FindCurrent(AgreementId::Parse("other").value(), kNow), nullptr);
  EXPECT_EQ(set.FindVersion(agreement.id, 7), nullptr);
  EXPECT_EQ(set.Versions(agreement.id).size(), 2U);
}

}  // namespace
}  // namespace comity::policy
