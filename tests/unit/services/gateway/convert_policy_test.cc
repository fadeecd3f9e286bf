// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_policy.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "policy/decide/decide.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using policy::ReasonCode;
using testing::FailsWith;
using testing::IsOk;

const policy::AgencyId kRequester = policy::AgencyId::Parse("eastvale-council").value();
const policy::AgencyId kHolder = policy::AgencyId::Parse("northshire-police").value();

policy::AgreementRef Reference() {
  policy::AgreementRef reference;
  reference.id = policy::AgreementId::Parse("northshire-eastvale").value();
  reference.version = 3;
  reference.sha256.bytes.fill(0xa5);
  return reference;
}

policy::SearchRequest Request() {
  policy::SearchRequest request;
  request.requester = kRequester;
  request.holder = kHolder;
  request.agreement = Reference();
  request.purpose = policy::PurposeCode::Parse("court-order-arrest").value();
  request.role = policy::RequesterRole::kEngine;
  request.use = policy::UseMode::kLive;
  request.mode = policy::SearchMode::kDirect;
  request.list_categories = {policy::ListCategory::Parse("wanted-by-courts").value()};
  request.engine = policy::EngineProfile{"facenet", "20180402", 128};
  request.threshold = 0.6;
  return request;
}

// How a holder that knows no agreement answers: `no-agreement` when the terms are complete.
ReasonCode Judge(const v1::SearchTerms& terms) {
  const auto request = FromProto(terms, kRequester, kHolder);
  if (!request) return ReasonCode::kPermit;  // fails every expectation below
  return policy::Decide(policy::AgreementSet(), *request, {0, 0, 0}, policy::Instant{}).code;
}

constexpr auto kLastCode = static_cast<int>(ReasonCode::kStateUnreadable);

TEST(DecisionOnTheWire, KeepsEveryCodeAndGivesEachItsOwn) {
  std::set<int> seen;
  for (int i = 0; i <= kLastCode; ++i) {
    policy::Decision decision;
    decision.code = static_cast<ReasonCode>(i);
    const v1::Decision proto = ToProto(decision);
    EXPECT_NE(proto.code(), v1::DECISION_CODE_UNSPECIFIED) << i;
    EXPECT_TRUE(seen.insert(proto.code()).second) << i;
    EXPECT_EQ(FromProto(proto).code, decision.code) << i;
  }
}

TEST(DecisionOnTheWire, NamesEveryCodeAsThePolicyDoes) {
  for (int i = 0; i <= kLastCode; ++i) {
    policy::Decision decision;
    decision.code = static_cast<ReasonCode>(i);
    std::string name(Name(decision.code));
    for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    EXPECT_EQ(v1::DecisionCode_Name(ToProto(decision).code()), "DECISION_CODE_" + name);
  }
}

TEST(DecisionOnTheWire, IsNeverAPermitWhenTheCodeIsUnknown) {
  for (const int code : {0, v1::DecisionCode_MAX + 1, 1000, -1, std::numeric_limits<int>::max(),
                         std::numeric_limits<int>::min()}) {
    v1::Decision proto;
    proto.set_code(static_cast<v1::DecisionCode>(code));
    EXPECT_EQ(FromProto(proto).code, ReasonCode::kMalformedRequest) << code;
  }
  EXPECT_EQ(FromProto(v1::Decision()).code, ReasonCode::kMalformedRequest);
}

TEST(DecisionOnTheWire, CarriesAgreementAndAtMost16Clauses) {
  policy::Decision decision;
  decision.code = ReasonCode::kPurposeNotCovered;
  decision.agreement = Reference();
  for (int i = 0; i < 17; ++i) decision.clauses.push_back("clause-" + std::to_string(i));
  v1::Decision proto = ToProto(decision);
  ASSERT_EQ(proto.clauses_size(), 16);
  proto.add_clauses("clause-16");
  const policy::Decision back = FromProto(proto);
  EXPECT_EQ(back.agreement, decision.agreement);
  decision.clauses.pop_back();
  EXPECT_EQ(back.clauses, decision.clauses);
}

TEST(DecisionOnTheWire, DropsClausesThatAreNoIdentifiers) {
  v1::Decision proto;
  proto.set_code(v1::DECISION_CODE_PERMIT);
  for (const auto& clause :
       {std::string(), std::string(65, 'x'), std::string("a\nb"), std::string("\x1b[2J"),
        std::string("p\"1"), std::string("p\\1"), std::string("p1")}) {
    proto.add_clauses(clause);
  }
  EXPECT_EQ(FromProto(proto).clauses, std::vector<std::string>{"p1"});
}

TEST(DecisionOnTheWire, HasNoAgreementWhenTheReferenceIsBroken) {
  v1::Decision proto;
  proto.mutable_agreement()->set_id("northshire-eastvale");
  EXPECT_FALSE(FromProto(proto).agreement.has_value());
}

TEST(AgreementRefOnTheWire, KeepsEveryFieldAndChecksEachBound) {
  const v1::AgreementRef good = ToProto(Reference());
  ASSERT_THAT(FromProto(good), IsOk());
  EXPECT_EQ(FromProto(good).value(), Reference());
  v1::AgreementRef broken = good;
  broken.set_version(0);
  EXPECT_THAT(FromProto(broken), FailsWith(ErrorCode::kInvalidArgument));
  for (const std::size_t size : {0u, 31u, 33u}) {
    broken = good;
    broken.set_sha256(std::string(size, 'x'));
    EXPECT_THAT(FromProto(broken), FailsWith(ErrorCode::kInvalidArgument)) << size;
  }
  for (const auto& id : {std::string(), std::string(65, 'a'), std::string("A"), std::string("a_b"),
                         std::string("1a"), std::string("a-")}) {
    broken = good;
    broken.set_id(id);
    EXPECT_THAT(FromProto(broken), FailsWith(ErrorCode::kInvalidArgument)) << id;
  }
}

TEST(EngineProfileOnTheWire, KeepsEveryFieldAndChecksEachBound) {
  const policy::EngineProfile profile{"facenet", "20180402", 128};
  EXPECT_EQ(FromProto(ToProto(profile)).value(), profile);
  const auto with = [&](const std::string& name, const std::string& version, std::uint32_t size) {
    return FromProto(ToProto(policy::EngineProfile{name, version, size}));
  };
  EXPECT_THAT(with(std::string(64, 'n'), std::string(64, 'v'), 32), IsOk());
  EXPECT_THAT(with("n", "v", 2048), IsOk());
  for (const auto& bad : {std::string(), std::string(65, 'x'), std::string("a\tb"),
                          std::string("caf\xc3\xa9"), std::string("a\x7f")}) {
    EXPECT_THAT(with(bad, "v", 128), FailsWith(ErrorCode::kInvalidArgument)) << bad;
    EXPECT_THAT(with("n", bad, 128), FailsWith(ErrorCode::kInvalidArgument)) << bad;
  }
  for (const std::uint32_t dimension : {0u, 31u, 2049u, 0xffffffffu}) {
    EXPECT_THAT(with("n", "v", dimension), FailsWith(ErrorCode::kInvalidArgument)) << dimension;
  }
}

TEST(SearchModeOnTheWire, KnowsTwoAndRefusesTheRest) {
  for (const auto mode : {policy::SearchMode::kDirect, policy::SearchMode::kSealed}) {
    EXPECT_EQ(FromProto(ToProto(mode)).value(), mode);
  }
  for (const int mode : {0, 3, -1}) {
    EXPECT_THAT(FromProto(static_cast<v1::SearchMode>(mode)),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(SearchTermsOnTheWire, KeepEveryFieldInEveryMode) {
  for (const auto role : {policy::RequesterRole::kEngine, policy::RequesterRole::kOperator}) {
    for (const auto use : {policy::UseMode::kLive, policy::UseMode::kRetrospective}) {
      for (const auto mode : {policy::SearchMode::kDirect, policy::SearchMode::kSealed}) {
        policy::SearchRequest request = Request();
        request.role = role;
        request.use = use;
        request.mode = mode;
        const auto back = FromProto(ToProto(request), kRequester, kHolder);
        ASSERT_THAT(back, IsOk());
        EXPECT_EQ(back->requester, kRequester);
        EXPECT_EQ(back->holder, kHolder);
        EXPECT_EQ(back->agreement, request.agreement);
        EXPECT_EQ(back->purpose, request.purpose);
        EXPECT_EQ(back->role, role);
        EXPECT_EQ(back->use, use);
        EXPECT_EQ(back->mode, mode);
        EXPECT_EQ(back->list_categories, request.list_categories);
        EXPECT_EQ(back->engine, request.engine);
        EXPECT_EQ(back->threshold, request.threshold);
      }
    }
  }
}

TEST(SearchTermsOnTheWire, TellTheClassOfTheOffenceAndNothingElseOfIt) {
  using policy::OffenceClass;
  for (const auto offence :
       {std::optional<OffenceClass>(), std::optional(OffenceClass::kBelow1Year),
        std::optional(OffenceClass::k1To4Years), std::optional(OffenceClass::k4YearsOrMore)}) {
    policy::SearchRequest request = Request();
    request.offence_class = offence;
    const auto back = FromProto(ToProto(request), kRequester, kHolder);
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(back->offence_class, offence);
  }
  v1::SearchTerms unknown = ToProto(Request());
  unknown.set_offence_class(static_cast<v1::OffenceClass>(9));
  EXPECT_EQ(FromProto(unknown, kRequester, kHolder)->offence_class, std::nullopt);
}

TEST(SearchTermsOnTheWire, AreDeniedWithEachFieldAbsentOrUnknown) {
  const v1::SearchTerms good = ToProto(Request());
  ASSERT_EQ(Judge(good), ReasonCode::kNoAgreement);
  const auto judged = [&](auto&& alter) {
    v1::SearchTerms terms = good;
    alter(terms);
    return Judge(terms);
  };
  EXPECT_EQ(judged([](auto& terms) { terms.clear_purpose(); }), ReasonCode::kMalformedRequest);
  EXPECT_EQ(judged([](auto& terms) { terms.set_purpose("Not An Id"); }),
            ReasonCode::kMalformedRequest);
  for (const int value : {0, 3, 99}) {
    EXPECT_EQ(judged([&](auto& terms) { terms.set_role(static_cast<v1::RequesterRole>(value)); }),
              ReasonCode::kMalformedRequest);
    EXPECT_EQ(judged([&](auto& terms) { terms.set_use(static_cast<v1::UseMode>(value)); }),
              ReasonCode::kMalformedRequest);
    EXPECT_EQ(judged([&](auto& terms) { terms.set_mode(static_cast<v1::SearchMode>(value)); }),
              ReasonCode::kMalformedRequest);
  }
  EXPECT_EQ(judged([](auto& terms) { terms.clear_list_categories(); }),
            ReasonCode::kMalformedRequest);
  EXPECT_EQ(judged([](auto& terms) { terms.add_list_categories("NOT AN ID"); }),
            ReasonCode::kMalformedRequest);
  EXPECT_EQ(judged([](auto& terms) { terms.clear_engine(); }), ReasonCode::kMalformedRequest);
  EXPECT_EQ(judged([](auto& terms) { terms.mutable_engine()->set_dimension(8); }),
            ReasonCode::kMalformedRequest);
  EXPECT_EQ(judged([](auto& terms) { terms.clear_threshold(); }), ReasonCode::kMalformedRequest);
  for (const double bad : {-1.1, 1.1, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(judged([&](auto& terms) { terms.set_threshold(bad); }), ReasonCode::kMalformedRequest)
        << bad;
  }
  EXPECT_EQ(judged([](auto& terms) { terms.clear_agreement(); }), ReasonCode::kNoAgreement);
  EXPECT_EQ(judged([](auto& terms) { terms.mutable_agreement()->clear_sha256(); }),
            ReasonCode::kNoAgreement);
}

TEST(SearchTermsOnTheWire, NameAtMost16Categories) {
  v1::SearchTerms terms = ToProto(Request());
  while (terms.list_categories_size() < 16) terms.add_list_categories("wanted-by-courts");
  EXPECT_THAT(FromProto(terms, kRequester, kHolder), IsOk());
  terms.add_list_categories("wanted-by-courts");
  EXPECT_THAT(FromProto(terms, kRequester, kHolder), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::gateway
