// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/rehearsal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "tests/support/result_matchers.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using comity::testing::FailsWith;
using namespace comity::policy::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string SampleTests() {
  return ReadData("docs/sample_agreement.tests.yaml");
}
ExampleRequests Examples(const std::string& yaml) {
  const ParsedExamples parsed = ParseExamples(yaml);
  for (const Issue& issue : parsed.issues) ADD_FAILURE() << FormatIssue(issue, "tests");
  return parsed.examples.value_or(ExampleRequests{});
}
Agreement Sample() {
  return LoadOk(ReadData("docs/sample_agreement.yaml"));
}

TEST(Rehearsal, TheSampleAgreementDoesWhatItsTestsExpect) {
  const auto rehearsed = Rehearse(Sample(), Examples(SampleTests())).value();
  EXPECT_EQ(rehearsed.size(), 10U);
  for (const RehearsedCase& each : rehearsed) {
    EXPECT_TRUE(each.as_expected) << each.example.name << ": " << Name(each.decision.code);
  }
}

TEST(Rehearsal, ShowsWhatDiffersWhenTheAgreementChanges) {
  const Agreement changed = LoadOk(Replaced(ReadData("docs/sample_agreement.yaml"),
                                            "threshold_floor: 0.64", "threshold_floor: 0.65"));
  const auto rehearsed = Rehearse(changed, Examples(SampleTests())).value();
  EXPECT_FALSE(rehearsed[0].as_expected);
  EXPECT_EQ(rehearsed[0].decision.code, ReasonCode::kThresholdBelowFloor);
  EXPECT_TRUE(rehearsed[1].as_expected);  // its threshold is 0.7
}

TEST(Rehearsal, LooksAtTheClauseToo) {
  const auto examples = [](const std::string& clause) {
    return Examples(
        Replaced(SampleTests(), "clause: p1                        #", "clause: " + clause + " #"));
  };
  EXPECT_TRUE(Rehearse(Sample(), examples("p1")).value()[0].as_expected);
  EXPECT_FALSE(Rehearse(Sample(), examples("p2")).value()[0].as_expected);
  EXPECT_FALSE(Rehearse(Sample(), examples("none")).value()[0].as_expected);
}

TEST(Rehearsal, IsForOneAgreement) {
  const auto other = Examples(Replaced(SampleTests(), "agreement: northshire-eastvale-2026",
                                       "agreement: northshire-eastvale-2027"));
  EXPECT_THAT(Rehearse(Sample(), other), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Rehearsal, AnAgencyThatIsNoPartyLearnsNoState) {
  const auto other = Examples(Replaced(
      Replaced(Replaced(SampleTests(), "requester: eastvale-council", "requester: westmarch"),
               "expect: permit", "expect: no-agreement"),
      "clause: p1                        #", "clause: none #"));
  EXPECT_TRUE(Rehearse(Sample(), other).value()[0].as_expected);
}

struct Fault {
  const char* name;
  std::string from;
  std::string to;
  const char* path;
  const char* message;
};
void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}
class ExamplesFault : public ::testing::TestWithParam<Fault> {};

TEST_P(ExamplesFault, IsReportedWithItsPlace) {
  const Fault& fault = GetParam();
  const ParsedExamples parsed = ParseExamples(Replaced(SampleTests(), fault.from, fault.to));
  EXPECT_FALSE(parsed.examples.has_value());
  EXPECT_THAT(parsed.issues, ::testing::Contains(::testing::AllOf(
                                 ::testing::Field(&Issue::path, fault.path),
                                 ::testing::Field(&Issue::message, HasSubstr(fault.message)),
                                 ::testing::Field(&Issue::line, ::testing::Gt(0)),
                                 ::testing::Field(&Issue::column, ::testing::Gt(0)))));
}

INSTANTIATE_TEST_SUITE_P(
    Schema, ExamplesFault,
    ::testing::Values(
        Fault{"other schema", "comity/agreement-tests/1", "comity/agreement-tests/2", "schema",
              "comity/agreement-tests/1"},
        Fault{"unknown key", "      threshold: 0.64", "      treshold: 0.64", "cases[0].request",
              "is `threshold` meant?"},
        Fault{"missing field", "    expect: permit\n", "", "cases[0].expect", "missing"},
        Fault{"unknown code", "expect: permit", "expect: allowed", "cases[0].expect",
              "threshold-below-floor"},
        Fault{"unknown role", "role: engine", "role: officer", "cases[0].request.role",
              "engine, operator"},
        Fault{"case in quotes", "      case: true", "      case: \"true\"", "cases[0].request.case",
              "without quotes"},
        Fault{"name twice", "name: and for missing people, whatever the offence",
              "name: the council's cameras look for people wanted by courts", "cases[1].name",
              "another case"},
        Fault{"anchor", "agreement: northshire", "agreement: &a northshire", "", "anchors"},
        Fault{"count in words", "in_all: 0", "in_all: none", "cases[0].used_today.in_all",
              "whole number"}));

TEST(Examples, RefusesWhatIsNoDocument) {
  for (const std::string& yaml : {std::string(), std::string("- a\n"), std::string("cases: []\n"),
                                  std::string("\xff"), std::string(300'000, 'a')}) {
    const ParsedExamples parsed = ParseExamples(yaml);
    EXPECT_FALSE(parsed.examples.has_value());
    EXPECT_FALSE(parsed.issues.empty());
  }
}

}  // namespace
}  // namespace comity::policy
