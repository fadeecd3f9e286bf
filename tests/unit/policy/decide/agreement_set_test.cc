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

Agreement Version(int version, const std::string& from = "2026-02-01T00:00:00Z") {
  std::string yaml =
      Replaced(BaseDocument(), "version: 1\n", "version: " + std::to_string(version) + "\n");
  return LoadOk(Replaced(yaml, "effective_from: 2026-02-01T00:00:00Z", "effective_from: " + from));
}
AgreementInput Complete(const Agreement& agreement) {
  return {agreement, InForce(agreement)};
}

std::uint32_t Current(const AgreementSet& set, Instant now) {
  const AgreementVersion* current = set.FindCurrent(BaseAgreement().id, now);
  return current == nullptr ? 0 : current->ref.version;
}

TEST(AgreementSet, SupersedesByTheHighestCompleteVersion) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  const Agreement three = Version(3);
  const auto set = AgreementSet::Build({Complete(two), {three, {}}, Complete(one)}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 1), kNow), AgreementStatus::kSuperseded);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 2), kNow), AgreementStatus::kInForce);
  EXPECT_EQ(set.StatusOf(*set.FindVersion(one.id, 3), kNow), AgreementStatus::kDrafted);
  SearchRequest request = BaseRequest(one);
  EXPECT_EQ(Decide(set, request, Usage{0}, kNow).code, ReasonCode::kAgreementMismatch);
  EXPECT_EQ(Decide(set, request, Usage{0}, kNow).agreement, RefOf(two));
  request.agreement = RefOf(two);
  EXPECT_TRUE(Decide(set, request, Usage{0}, kNow).permitted());
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
  const auto set = AgreementSet::Build({Complete(Version(1)), terminated}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(Decide(set, BaseRequest(two), Usage{0}, kNow).code, ReasonCode::kAgreementTerminated);
}

TEST(AgreementSet, ASuspensionIsNotLeftBehindByAHigherVersion) {
  const Agreement one = Version(1);
  const Agreement two = Version(2);
  AgreementInput suspended = Complete(one);
  suspended.statements.push_back(Said(kPoliceDpo, StatementKind::kSuspension, one));
  const auto set = AgreementSet::Build({suspended, Complete(two)}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
  EXPECT_EQ(Decide(set, BaseRequest(two), Usage{0}, kNow).code, ReasonCode::kAgreementSuspended);
}

TEST(AgreementSet, GivesTheHighestVersionWhenNoneIsComplete) {
  const auto set = AgreementSet::Build({{Version(1), {}}, {Version(2), {}}}).value();
  EXPECT_EQ(Current(set, kNow), 2U);
}

TEST(AgreementSet, RefusesTwoDocumentsOfOneVersion) {
  Agreement other = Version(1);
  other.sha256.bytes[0] ^= 1;
  EXPECT_THAT(AgreementSet::Build({Complete(Version(1)), {other, {}}}),
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
