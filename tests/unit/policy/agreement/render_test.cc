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
                            "[x1]",
                            "not a search for suspects",
                            "P1D",
                            "P365D",
                            "2026-10-01T00:00:00Z"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(value));
  }
}

}  // namespace
}  // namespace comity::policy
