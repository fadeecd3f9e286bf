// SPDX-License-Identifier: Apache-2.0
#include "policy/check/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "policy/agreement/document.h"
#include "policy/check/bare_purpose.h"
#include "policy/check/legal_rules.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

auto IsIssue(const std::string& path, const std::string& message) {
  return AllOf(Field(&Issue::path, path), Field(&Issue::message, HasSubstr(message)));
}

struct Broken {
  const char* name;
  void (*change)(Agreement&);
  const char* path;
  const char* message;
};
void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.name;
}

class CheckRule : public ::testing::TestWithParam<Broken> {};

TEST_P(CheckRule, FindsItsFault) {
  Agreement agreement = BaseAgreement();
  ASSERT_TRUE(Check(agreement).empty());
  GetParam().change(agreement);
  EXPECT_THAT(Check(agreement), Contains(IsIssue(GetParam().path, GetParam().message)));
}

template <typename IdType>
IdType Make(const char* text) {
  return IdType::Parse(text).value();
}

INSTANTIATE_TEST_SUITE_P(
    Rules, CheckRule,
    ::testing::Values(
        Broken{"one party", [](Agreement& a) { a.parties.pop_back(); }, "parties", "exactly two"},
        Broken{"three parties", [](Agreement& a) { a.parties.push_back(a.parties[0]); }, "parties",
               "exactly two"},
        Broken{"same agency", [](Agreement& a) { a.parties[1].agency = a.parties[0].agency; },
               "parties[1].agency", "already"},
        Broken{"one signatory", [](Agreement& a) { a.parties[0].signatories.pop_back(); },
               "parties[0].signatories", "two signatories"},
        Broken{"post twice",
               [](Agreement& a) { a.parties[0].signatories[1].post = "Chief Executive"; },
               "parties[0].signatories[1].post", "another post"},
        Broken{"DPO's post as signatory",
               [](Agreement& a) { a.parties[0].signatories[1].post = a.parties[0].dpo.post; },
               "parties[0].signatories[1].post", "another post"},
        Broken{"gateway as a post",
               [](Agreement& a) { a.parties[0].signatories[1].post = "gateway"; },
               "parties[0].signatories[1].post", "reserved"},
        Broken{"DPO signs",
               [](Agreement& a) { a.parties[1].signatories[0].key = a.parties[1].dpo.key; },
               "parties[1].signatories[0].key", "s.70(3)(b)"},
        Broken{"key of the other side",
               [](Agreement& a) { a.parties[1].signatories[0].key = a.parties[0].dpo.key; },
               "parties[1].signatories[0].key", "somebody else"},
        Broken{"agency key is a person's",
               [](Agreement& a) { a.parties[1].signatories[1].key = a.parties[1].agency_key; },
               "parties[1].signatories[1].key", "somebody else"},
        Broken{"purpose code twice", [](Agreement& a) { a.purposes[1].code = a.purposes[0].code; },
               "purposes[1].code", "another purpose"},
        Broken{"bare label", [](Agreement& a) { a.purposes[0].label = "Law enforcement"; },
               "purposes[0].label", "s.36(1)"},
        Broken{"bare code",
               [](Agreement& a) { a.purposes[0].code = Make<PurposeCode>("policing-purpose"); },
               "purposes[0].code", "s.36(1)"},
        Broken{"regime of no party", [](Agreement& a) { a.purposes[0].regime = Regime::kEuLed; },
               "purposes[0].regime", "no party"},
        Broken{"attachment id twice",
               [](Agreement& a) { a.attachments[1].id = a.attachments[0].id; }, "attachments[1].id",
               "another attachment"},
        Broken{"attachment ends before it starts",
               [](Agreement& a) { a.attachments[0].valid_until = a.attachments[0].valid_from; },
               "attachments[0].valid_until", "after valid_from"},
        Broken{"no DPIA", [](Agreement& a) { a.attachments.erase(a.attachments.begin()); },
               "attachments", "`dpia`"},
        Broken{"no APD under UK-P3", [](Agreement& a) { a.attachments.pop_back(); }, "attachments",
               "`apd`"},
        Broken{"clause id twice", [](Agreement& a) { a.permissions[1].id = "p1"; },
               "permissions[1].id", "another clause"},
        Broken{"prohibition with a permission's id",
               [](Agreement& a) { a.prohibitions[0].id = "p1"; }, "prohibitions[0].id",
               "another clause"},
        Broken{"reserved clause id", [](Agreement& a) { a.permissions[1].id = "attachments"; },
               "permissions[1].id", "reserved"},
        Broken{"requester is no party",
               [](Agreement& a) { a.permissions[0].requester = Make<AgencyId>("westmarch"); },
               "permissions[0].requester", "not a party"},
        Broken{"holder is no party",
               [](Agreement& a) { a.permissions[0].holder = Make<AgencyId>("westmarch"); },
               "permissions[0].holder", "not a party"},
        Broken{"searches itself",
               [](Agreement& a) { a.permissions[0].holder = a.permissions[0].requester; },
               "permissions[0].holder", "different agencies"},
        Broken{"undefined purpose",
               [](Agreement& a) { a.permissions[0].purposes[1] = Make<PurposeCode>("other"); },
               "permissions[0].purposes[1]", "no purpose"},
        Broken{"prohibition of an undefined purpose",
               [](Agreement& a) { a.prohibitions[0].purposes[0] = Make<PurposeCode>("other"); },
               "prohibitions[0].purposes[0]", "no purpose"},
        Broken{"prohibition for no party",
               [](Agreement& a) { a.prohibitions[0].requesters = {Make<AgencyId>("westmarch")}; },
               "prohibitions[0].requesters[0]", "not a party"},
        Broken{"prohibition of everything",
               [](Agreement& a) {
                 a.prohibitions[0].purposes.clear();
                 a.prohibitions[0].list_categories.clear();
               },
               "prohibitions[0]", "everything"},
        Broken{"ends when it starts", [](Agreement& a) { a.effective_until = a.effective_from; },
               "effective_until", "after effective_from"},
        Broken{"review before it starts", [](Agreement& a) { a.review_by = a.effective_from; },
               "review_by", "after effective_from"},
        Broken{"reminder before it starts",
               [](Agreement& a) { a.review_reminder = std::chrono::hours(24 * 300); },
               "review_reminder", "before effective_from"},
        Broken{"similarity of a sealed search",
               [](Agreement& a) {
                 a.permissions[0].mode = SearchMode::kSealed;
                 a.permissions[0].releases.push_back(
                     {ReleaseItem::kSimilarity, {ReceiverRole::kOperator}});
               },
               "permissions[0].releases[3].item", "no similarity"},
        Broken{"dimension that cannot be sealed",
               [](Agreement& a) {
                 a.permissions[1].mode = SearchMode::kSealed;
                 a.permissions[1].engine.dimension = 384;
               },
               "permissions[1].engine.dimension", "128, 256, 512 or 1024"},
        Broken{
            "item released twice",
            [](Agreement& a) { a.permissions[0].releases.push_back(a.permissions[0].releases[0]); },
            "permissions[0].releases[3].item", "already"}));

// A holder that is no law enforcement, searched by one: case by case, with a Caldicott guardian.
void SharesPatients(Agreement& a) {
  a.parties[0].regimes = {Regime::kUkPart3};
  a.parties[1].regimes = {Regime::kUkGdpr};
  a.parties[1].signatories[0].caldicott = true;
  a.permissions.erase(a.permissions.begin());
}

INSTANTIATE_TEST_SUITE_P(
    Law, CheckRule,
    ::testing::Values(
        Broken{"one joint controller",
               [](Agreement& a) { a.parties[0].legal_role = LegalRole::kJointController; },
               "parties", "alone"},
        Broken{"joint controllers without an arrangement",
               [](Agreement& a) {
                 for (Party& party : a.parties) party.legal_role = LegalRole::kJointController;
               },
               "joint_arrangement", "s.58"},
        Broken{"an arrangement of nobody", [](Agreement& a) { a.joint_arrangement = "x"; },
               "joint_arrangement", "no party"},
        Broken{"code C without conditions", [](Agreement& a) { a.handling_conditions.reset(); },
               "handling_conditions", "states its conditions"},
        Broken{"code P with conditions",
               [](Agreement& a) { a.handling_code = HandlingCode::kPermitted; },
               "handling_conditions", "no conditions"},
        Broken{"law enforcement without a case",
               [](Agreement& a) { a.purposes[1].requires_case_reference = false; },
               "purposes[1].requires_case_reference", "individual cases"},
        Broken{"live lists older than a day",
               [](Agreement& a) { a.permissions[0].lists.max_age = std::chrono::seconds(86'401); },
               "permissions[0].lists.max_age", "24 hours"},
        Broken{"police data to the council without a law",
               [](Agreement& a) { a.permissions[1].authorised_by.reset(); },
               "permissions[1].authorised_by", "s.36(4)"},
        Broken{"also when the council has another hat",
               [](Agreement& a) {
                 a.parties[0].regimes = {Regime::kUkGdpr, Regime::kEuLed};
                 a.permissions[0].authorised_by.reset();
               },
               "permissions[0].authorised_by", "s.36(4)"},
        Broken{"a standing feed of patients",
               [](Agreement& a) {
                 SharesPatients(a);
                 a.permissions[0].uses = {UseMode::kRetrospective, UseMode::kLive};
               },
               "permissions[0].uses", "case by case"},
        Broken{"patients without a guardian",
               [](Agreement& a) {
                 SharesPatients(a);
                 a.parties[1].signatories[0].caldicott = false;
                 a.parties[0].signatories[0].caldicott = true;  // the other side's does not count
               },
               "permissions[0].holder", "caldicott"},
        Broken{"alerts for more than a month",
               [](Agreement& a) { a.retention.alert = std::chrono::hours(24 * 32); },
               "retention.alert", "at most P31D"},
        Broken{"log for less than a year",
               [](Agreement& a) { a.retention.audit = std::chrono::hours(24 * 364); },
               "retention.audit", "at least P365D"},
        Broken{"log for more than three years",
               [](Agreement& a) { a.retention.audit = std::chrono::hours(24 * 1096); },
               "retention.audit", "at most P1095D"},
        Broken{"justifications for more than three years",
               [](Agreement& a) { a.retention.justification = std::chrono::hours(24 * 1096); },
               "retention.justification", "at most P1095D"},
        Broken{"lists for more than a day",
               [](Agreement& a) { a.retention.list_after_end = std::chrono::seconds(86'401); },
               "retention.list_after_end", "at most P1D"},
        Broken{"receipts for more than three years",
               [](Agreement& a) { a.retention.receipts = std::chrono::hours(24 * 1096); },
               "retention.receipts", "at most P1095D"}));

TEST(CheckLaw, LetsPatientsBeSharedCaseByCase) {
  Agreement agreement = BaseAgreement();
  SharesPatients(agreement);
  EXPECT_TRUE(Check(agreement).empty());
}

TEST(CheckLaw, AsksForNoLawBetweenPartiesOfLawEnforcement) {
  Agreement agreement = BaseAgreement();
  agreement.parties[0].regimes = {Regime::kUkGdpr, Regime::kUkPart3};
  for (SearchPermission& permission : agreement.permissions) permission.authorised_by.reset();
  EXPECT_TRUE(Check(agreement).empty());
}

TEST(CheckLaw, LeavesCasesToThePartiesOutsideLawEnforcement) {
  Agreement agreement = BaseAgreement();
  agreement.purposes[1].regime = Regime::kUkGdpr;
  agreement.purposes[1].requires_case_reference = false;
  EXPECT_TRUE(Check(agreement).empty());
}

TEST(CheckLaw, KnowsEveryRetentionFieldOfTheDocument) {
  // A period of the model that no field names would not be checked by the law.
  EXPECT_EQ(RetentionFields().size() * sizeof(std::chrono::seconds), sizeof(Retention));
  for (const RetentionField& field : RetentionFields()) {
    EXPECT_NE(ReadData("tests/data/agreements/base.yaml").find(std::string(field.name) + ": P"),
              std::string::npos)
        << field.name;
  }
}

TEST(Check, NeedsNoApdWhereNoRegimeDemandsIt) {
  Agreement agreement = BaseAgreement();
  for (Purpose& purpose : agreement.purposes) purpose.regime = Regime::kUkGdpr;
  agreement.attachments.pop_back();
  EXPECT_TRUE(Check(agreement).empty());
}

TEST(Check, ListsAllFaults) {
  Agreement agreement = BaseAgreement();
  agreement.parties[0].signatories.pop_back();
  agreement.attachments.clear();
  agreement.effective_until = agreement.effective_from;
  EXPECT_EQ(Check(agreement).size(), 4U);
}

TEST(BarePurpose, IsSeenInEverySpelling) {
  for (const char* text :
       {"law-enforcement", "Law Enforcement", "LAW ENFORCEMENT PURPOSES", "policing-purpose",
        "Policing purposes.", "any", "all", "Any purpose", "general", "crime", "", "police use"}) {
    EXPECT_TRUE(IsBarePurpose(text)) << text;
  }
  for (const char* text : {"court-order-arrest", "Finding missing people at risk", "missing-person",
                           "Schedule 8", "theft from shops"}) {
    EXPECT_FALSE(IsBarePurpose(text)) << text;
  }
}

TEST(LoadAgreement, GivesTheLineAndColumnOfARuleThatIsBroken) {
  const std::string yaml =
      Replaced(BaseDocument(), "purposes: [court-order-arrest, missing-person]",
               "purposes: [court-order-arrest, other]");
  const LoadedAgreement loaded = LoadAgreement(yaml);
  EXPECT_FALSE(loaded.agreement.has_value());
  ASSERT_EQ(loaded.issues.size(), 1U);
  const std::size_t at = yaml.find("other]");
  const auto line = std::count(yaml.begin(), yaml.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  EXPECT_EQ(loaded.issues[0].line, line + 1);
  EXPECT_EQ(loaded.issues[0].column, static_cast<int>(at - yaml.rfind('\n', at)));
}

TEST(LoadAgreement, PlacesAFaultOfTheWholeAtTheNearestThing) {
  const std::string yaml = BaseDocument();
  const std::size_t begin = yaml.find("  - id: apd-1");
  const std::size_t end = yaml.find("permissions:");
  const auto loaded = LoadAgreement(yaml.substr(0, begin) + yaml.substr(end));
  ASSERT_EQ(loaded.issues.size(), 1U);
  EXPECT_EQ(loaded.issues[0].path, "attachments");
  EXPECT_GT(loaded.issues[0].line, 40);
}

TEST(LoadAgreement, AcceptsTheSampleOfTheDocumentation) {
  const Agreement agreement = LoadOk(ReadData("docs/sample_agreement.yaml"));
  EXPECT_EQ(agreement.id.text(), "northshire-eastvale-2026");
}

}  // namespace
}  // namespace comity::policy
