// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;

TEST(RenderClauses, GivesTheTextOfTheGoldenFile) {
  EXPECT_EQ(RenderClauses(BaseAgreement()), ReadData("tests/data/agreements/base.clauses.txt"));
}

// What a person reads changes with every line that is signed.
TEST(RenderClauses, ShowsEveryValueOfTheDocument) {
  const Agreement agreement = BaseAgreement();
  const std::string text = RenderClauses(agreement);
  for (const char* value : {"Eastvale Council",
                            "controller",
                            "UK-GDPR",
                            "UK-P3",
                            "dpo@northshire-police.example",
                            "Assistant Chief Constable",
                            "court-order-arrest",
                            "DPA 2018 Schedule 8 paragraph 3",
                            "DPIA 2026-014",
                            "2027-01-01T00:00:00Z",
                            "wanted-by-courts and missing-at-risk",
                            "engine",
                            "retrospective",
                            "2018-04-08",
                            "128",
                            "0.64",
                            "no more than 5 entries",
                            "100 searches",
                            "response-code",
                            "information-sharing@northshire-police.example",
                            "privacy@northshire-police.example",
                            "court-order-compliance",
                            "1-to-4-years",
                            "suspect and convicted",
                            "Crime and Disorder Act 1998 s.115",
                            "80 a day for one officer",
                            "60 a day for one case",
                            "2.5 %",
                            "20 times in 1 day",
                            "at most 20000 entries",
                            "seen by: operator and supervisor",
                            "31 days",
                            "1095 days",
                            "12 hours",
                            "730 days",
                            "without the originator's written consent",
                            "notice of 30 days",
                            "60 days",
                            "[x1]",
                            "not a search for suspects",
                            "kept for 1 day",
                            "365 days",
                            "2026-10-01T00:00:00Z"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(value));
  }
}

}  // namespace
}  // namespace comity::policy
