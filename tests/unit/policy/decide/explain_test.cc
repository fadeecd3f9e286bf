// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/unit/policy/agreement_fixture.h"
#include "tests/unit/policy/decide/decision_case.h"
#include "tests/unit/policy/decide/random_request.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Instant kNow = At("2026-06-01T00:00:00Z");
constexpr Usage kUnused{0, 0, 0};

AgreementSet SetOf(const Agreement& agreement) {
  return AgreementSet::Build({{agreement, InForce(agreement), {}}}).value();
}

std::vector<std::string> Fields(const Nearest& nearest) {
  std::vector<std::string> fields;
  for (const RequestChange& change : nearest.changes) fields.push_back(change.field);
  return fields;
}

const Finding* Find(const Explanation& explanation, const std::string& clause) {
  for (const Finding& finding : explanation.findings) {
    if (finding.clause == clause) return &finding;
  }
  return nullptr;
}

TEST(Explain, NamesEveryBoundOfEveryPermission) {
  const Agreement agreement = BaseAgreement();
  SearchRequest request = BaseRequest(agreement);
  request.threshold = 0.6;
  const Explanation explanation = Explain(SetOf(agreement), request, kUnused, kNow);
  EXPECT_EQ(explanation.decision.code, ReasonCode::kThresholdBelowFloor);
  std::map<std::string, int> bounds;
  for (const Finding& finding : explanation.findings) {
    if (!finding.permission.empty()) ++bounds[finding.permission];
  }
  EXPECT_EQ(bounds, (std::map<std::string, int>{{"p1", 9}, {"p2", 9}}));
  const Finding* floor = Find(explanation, "p1.threshold_floor");
  ASSERT_NE(floor, nullptr);
  EXPECT_FALSE(floor->passed);
  EXPECT_EQ(floor->words, "threshold 0.6 is below the floor of 0.64");
  EXPECT_TRUE(Find(explanation, "p1.roles")->passed);
  EXPECT_FALSE(Find(explanation, "p2.roles")->passed);
  EXPECT_TRUE(Find(explanation, "attachments.dpia-1")->passed);
}

TEST(Explain, NamesTheNearestPermissionWithWhatItWouldTake) {
  const Agreement agreement = BaseAgreement();
  SearchRequest request = BaseRequest(agreement);
  request.threshold = 0.6;
  request.offence_class.reset();
  const auto nearest = Explain(SetOf(agreement), request, kUnused, kNow).nearest;
  ASSERT_TRUE(nearest.has_value());
  EXPECT_EQ(nearest->permission, "p1");
  EXPECT_THAT(Fields(*nearest), ElementsAre("offence_class", "threshold"));
  EXPECT_EQ(nearest->changes[0].words, "1-to-4-years or graver instead of none");
  EXPECT_EQ(nearest->changes[1].words, "0.64 or more (at most 1) instead of 0.6");
  // An operator's search is nearer to the other permission.
  request = BaseRequest(agreement);
  request.role = RequesterRole::kOperator;
  request.use = UseMode::kRetrospective;
  const auto other = Explain(SetOf(agreement), request, kUnused, kNow).nearest;
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->permission, "p2");
  EXPECT_THAT(Fields(*other), ElementsAre("threshold"));
}

TEST(Explain, FindsTheAgreementThatWouldHavePermitted) {
  const Agreement named = BaseAgreement();
  Agreement other = named;
  other.id = AgreementId::Parse("northshire-eastvale-late").value();
  other.sha256.bytes[0] ^= 1;
  other.permissions[0].threshold_floor = 0.5;
  std::vector<AgreementInput> inputs = {{named, InForce(named), {}}, {other, InForce(other), {}}};
  const AgreementSet set = AgreementSet::Build(inputs).value();
  SearchRequest request = BaseRequest(named);
  request.threshold = 0.6;
  request.offence_class = OffenceClass::k4YearsOrMore;
  request.list_categories.push_back(ListCategory::Parse("missing-at-risk").value());
  // One change either way: the agreement that was named is the nearer.
  EXPECT_EQ(Explain(set, request, kUnused, kNow).nearest->agreement, RefOf(named));
  request.agreement.reset();
  const auto nearest = Explain(set, request, kUnused, kNow).nearest;
  ASSERT_TRUE(nearest.has_value());
  EXPECT_EQ(nearest->agreement, RefOf(other));
  EXPECT_THAT(Fields(*nearest), ElementsAre("agreement"));
}

TEST(Explain, SaysWhichAgencyAndPurposeNoAgreementKnows) {
  const Agreement agreement = BaseAgreement();
  const SearchRequest known = BaseRequest(agreement);
  const auto told = [&](const SearchRequest& request, const std::string& clause) {
    const Explanation explanation = Explain(SetOf(agreement), request, kUnused, kNow);
    const Finding* const finding = Find(explanation, clause);
    return finding == nullptr ? std::string() : finding->words;
  };
  for (const char* clause : {"request.requester", "request.holder", "request.purpose"}) {
    EXPECT_EQ(told(known, clause), "") << clause;
  }
  SearchRequest request = known;
  request.requester = AgencyId::Parse("eastvael-council").value();
  EXPECT_EQ(told(request, "request.requester"),
            "no agreement here has the agency eastvael-council as a party");
  EXPECT_EQ(told(request, "request.holder"), "");
  request = known;
  request.holder = AgencyId::Parse("northshire-polise").value();
  EXPECT_EQ(told(request, "request.holder"),
            "no agreement here has the agency northshire-polise as a party");
  request = known;
  request.purpose = PurposeCode::Parse("court-order-arest").value();
  EXPECT_EQ(told(request, "request.purpose"),
            "no agreement here has the purpose court-order-arest");
  // What is absent is told as absent, not as unknown.
  request.purpose.reset();
  EXPECT_EQ(told(request, "request.purpose"), "the field is absent, unknown or out of range");
}

TEST(Explain, HasNoNearestWhenNothingIsPermitted) {
  const Agreement agreement = BaseAgreement();
  const auto nearest = [&](const AgreementSet& set, const SearchRequest& request, Instant now) {
    return Explain(set, request, kUnused, now).nearest.has_value();
  };
  const SearchRequest permitted = BaseRequest(agreement);
  SearchRequest request = permitted;
  request.threshold = 0.1;
  EXPECT_TRUE(nearest(SetOf(agreement), request, kNow));
  EXPECT_FALSE(nearest(SetOf(agreement), permitted, kNow)) << "it is permitted";
  EXPECT_FALSE(nearest(SetOf(agreement), request, agreement.review_by));
  EXPECT_FALSE(nearest(AgreementSet(), request, kNow));
  request.requester = AgencyId::Parse("westmarch-council").value();
  EXPECT_FALSE(nearest(SetOf(agreement), request, kNow));
  AgreementInput suspended{agreement, InForce(agreement), PeerWord{AgreementStatus::kSuspended}};
  request = permitted;
  EXPECT_FALSE(nearest(AgreementSet::Build({suspended}).value(), request, kNow));
}

TEST(Explain, SaysWhatWasUsedUp) {
  const Agreement agreement = BaseAgreement();
  const Explanation explanation =
      Explain(SetOf(agreement), BaseRequest(agreement), {10, 80, 3}, kNow);
  EXPECT_EQ(explanation.decision.code, ReasonCode::kCapacityExhausted);
  EXPECT_FALSE(explanation.nearest.has_value());
  EXPECT_TRUE(Find(explanation, "p1.capacity")->passed);
  EXPECT_FALSE(Find(explanation, "p1.capacity.per_officer")->passed);
  EXPECT_EQ(Find(explanation, "p1.capacity.per_officer")->words,
            "80 of 80 searches of the officer are used today (UTC)");
}

TEST(Explain, RendersForPeople) {
  const Agreement agreement = BaseAgreement();
  SearchRequest request = BaseRequest(agreement);
  request.use = UseMode::kRetrospective;
  const std::string text = RenderExplanation(Explain(SetOf(agreement), request, kUnused, kNow));
  EXPECT_THAT(text, HasSubstr("use-not-covered [p1] [p1.uses]\n"));
  EXPECT_THAT(text, HasSubstr("  no   northshire-eastvale-2026@1 [p1.uses] use retrospective; "
                              "permitted: live\n"));
  EXPECT_THAT(text, HasSubstr("nearest: northshire-eastvale-2026 version 1 [p1]"));
  EXPECT_THAT(text, HasSubstr("  use: live instead of retrospective\n"));
}

// Which fields of two requests differ, by the names that changes have.
std::set<std::string> Differing(const SearchRequest& a, const SearchRequest& b) {
  std::set<std::string> fields;
  const auto compare = [&](const char* field, bool same) {
    if (!same) fields.insert(field);
  };
  compare("requester", a.requester == b.requester);
  compare("holder", a.holder == b.holder);
  compare("agreement", a.agreement == b.agreement);
  compare("purpose", a.purpose == b.purpose);
  compare("role", a.role == b.role);
  compare("use", a.use == b.use);
  compare("mode", a.mode == b.mode);
  compare("list_categories", a.list_categories == b.list_categories);
  compare("engine", a.engine == b.engine);
  compare("threshold", a.threshold == b.threshold);
  compare("offence_class", a.offence_class == b.offence_class);
  compare("has_case_reference", a.has_case_reference == b.has_case_reference);
  return fields;
}

// What the findings alone say, read as the rules of a decision.
bool PermittedByFindings(const Explanation& explanation, const AgreementRef& named) {
  std::map<std::string, bool> permissions;
  bool as_a_whole = true;
  for (const Finding& finding : explanation.findings) {
    if (finding.agreement && *finding.agreement != named) continue;
    if (finding.permission.empty()) {
      as_a_whole = as_a_whole && finding.passed;
    } else {
      const auto place = permissions.try_emplace(finding.permission, true).first;
      place->second = place->second && finding.passed;
    }
  }
  return as_a_whole && std::any_of(permissions.begin(), permissions.end(),
                                   [](const auto& each) { return each.second; });
}

TEST(Explain, AgreesWithTheDecisionOfTenThousandRandomRequests) {
  const Agreement agreement = BaseAgreement();
  const AgreementSet set = SetOf(agreement);
  RandomRequest random(20260602);
  int permits = 0;
  int nearest_found = 0;
  for (int i = 0; i < 10'000; ++i) {
    SearchRequest request = random.Make(agreement);
    if (i % 4 == 0) {  // nearer to a permit: one thing at most is wrong
      const double threshold = request.threshold.value_or(0);
      request = BaseRequest(agreement);
      request.threshold = threshold;
    }
    const Usage usage{random.OneOf<std::optional<std::uint64_t>>({0, 0, 0, 99, 100, {}}),
                      random.OneOf<std::optional<std::uint64_t>>({0, 0, 0, 79, 80, {}}),
                      random.OneOf<std::optional<std::uint64_t>>({0, 0, 0, 59, 60, {}})};
    const Instant now =
        random.OneOf<Instant>({kNow, kNow, kNow, At("2026-01-01T00:00:00Z"), Instant::max()});
    const Explanation explanation = Explain(set, request, usage, now);
    ASSERT_EQ(explanation.decision, Decide(set, request, usage, now)) << i;
    ASSERT_EQ(PermittedByFindings(explanation, RefOf(agreement)), explanation.decision.permitted())
        << i << "\n"
        << RenderExplanation(explanation);
    permits += explanation.decision.permitted() ? 1 : 0;
    if (!explanation.nearest) continue;
    ++nearest_found;
    const Nearest& nearest = *explanation.nearest;
    ASSERT_TRUE(Decide(set, nearest.request, kUnused, now).permitted())
        << i << "\n"
        << RenderExplanation(explanation);
    const auto fields = Fields(nearest);
    // Each change named once, and nothing else changed; a NaN differs from itself.
    auto differing = Differing(request, nearest.request);
    ASSERT_EQ(std::set<std::string>(fields.begin(), fields.end()), differing) << i;
    ASSERT_EQ(fields.size(), differing.size()) << i;
    ASSERT_FALSE(fields.empty()) << i;
  }
  EXPECT_GT(permits, 200);
  EXPECT_GT(nearest_found, 2000);
}

// No single change that permits is overlooked: whenever one field decides, the nearest has one.
TEST(Explain, NeedsNoMoreChangesThanWereMade) {
  const Agreement agreement = BaseAgreement();
  const AgreementSet set = SetOf(agreement);
  RandomRequest random(20260603);
  int measured = 0;
  for (int i = 0; i < 200'000 && measured < 500; ++i) {
    const SearchRequest good = random.Make(agreement);
    if (!Decide(set, good, kUnused, kNow).permitted()) continue;
    const SearchRequest other = random.Make(agreement);
    SearchRequest request = good;
    request.threshold = other.threshold;
    request.use = other.use;
    request.purpose = other.purpose;
    if (Decide(set, request, kUnused, kNow).permitted()) continue;
    ++measured;
    const auto nearest = FindNearest(set, request, kNow);
    ASSERT_TRUE(nearest.has_value());
    ASSERT_LE(nearest->changes.size(), Differing(good, request).size()) << i;
  }
  EXPECT_EQ(measured, 500);
}

}  // namespace
}  // namespace comity::policy
