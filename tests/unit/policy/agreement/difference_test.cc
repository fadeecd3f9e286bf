// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using namespace comity::policy::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Difference, IsEmptyBetweenVersionsThatSayTheSame) {
  const Agreement one = BaseAgreement();
  const Agreement two = LoadOk(Replaced(BaseDocument(), "version: 1\n", "version: 2\n"));
  EXPECT_THAT(CompareClauses(one, two), IsEmpty());
  EXPECT_THAT(RenderDifference(one, two), HasSubstr("No clause differs."));
}

TEST(Difference, ShowsAChangedValueBesideTheOldOne) {
  const Agreement two =
      LoadOk(Replaced(BaseDocument(), "threshold_floor: 0.64", "threshold_floor: 0.7"));
  EXPECT_THAT(CompareClauses(BaseAgreement(), two),
              ElementsAre(ClauseChange{"p1.threshold_floor",
                                       "No search below a similarity threshold of 0.64.",
                                       "No search below a similarity threshold of 0.7."}));
}

TEST(Difference, ShowsWhatCameAndWhatIsGone) {
  const std::string base = BaseDocument();
  const std::size_t at = base.find("      - item: category");
  const std::string without = base.substr(0, at) + base.substr(base.find("      - item: response"));
  const Agreement narrower = LoadOk(without);
  const auto gone = CompareClauses(BaseAgreement(), narrower);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].id, "p1.releases.category");
  EXPECT_EQ(gone[0].after, "");
  const auto come = CompareClauses(narrower, BaseAgreement());
  ASSERT_EQ(come.size(), 1U);
  EXPECT_EQ(come[0].before, "");
  const std::string text = RenderDifference(BaseAgreement(), narrower);
  EXPECT_THAT(text, HasSubstr("[p1.releases.category]\n- A hit releases the category"));
  EXPECT_THAT(text, Not(HasSubstr("\n+ ")));
}

TEST(Difference, ComparesClausesThatShareAnId) {
  const Agreement two =
      LoadOk(Replaced(BaseDocument(), "post: Chief Executive", "post: Town Clerk"));
  const auto changes = CompareClauses(BaseAgreement(), two);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].id, "parties.eastvale-council.signatories");
  EXPECT_THAT(changes[0].before, HasSubstr("Chief Executive"));
  EXPECT_THAT(changes[0].after, HasSubstr("Town Clerk"));
}

// Every line of the document that is changed alone shows in the difference.
TEST(Difference, LeavesOutNoChangeOfAValue) {
  const Agreement base = BaseAgreement();
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"title: Finding", "title: Locating"},
           {"name: Eastvale Council", "name: Eastvale Borough"},
           {"regimes: [UK-GDPR]", "regimes: [UK-GDPR, EU-GDPR]"},
           {"contact_point: information", "contact_point: sharing"},
           {"contact: dpo@eastvale", "contact: dpo2@eastvale"},
           {"caldicott: false", "caldicott: true"},
           {"data_subject_contact: privacy", "data_subject_contact: people"},
           {"label: Arrest of", "label: Arrests of"},
           {"parent: court-order-compliance", "parent: crime-arrest-detention"},
           {"legal_power: common law duty", "legal_power: another duty"},
           {"Schedule 8 paragraph 1", "Schedule 8 paragraph 2"},
           {"offence_floor: 1-to-4-years", "offence_floor: 4-years-or-more"},
           {"[suspect, convicted]", "[suspect]"},
           {"reference: DPIA 2026-014", "reference: DPIA 2026-015"},
           {"sha256: 1111", "sha256: 1112"},
           {"authorised_by: Crime and Disorder", "authorised_by: Police and Crime"},
           {"purposes: [court-order-arrest, missing-person]", "purposes: [court-order-arrest]"},
           {"[wanted-by-courts, missing-at-risk]", "[wanted-by-courts]"},
           {"roles: [engine]", "roles: [engine, operator]"},
           {"uses: [live]", "uses: [live, retrospective]"},
           {"mode: direct", "mode: sealed"},
           {"dimension: 128", "dimension: 512"},
           {"hit_cap: 5", "hit_cap: 6"},
           {"probes_per_day: 100", "probes_per_day: 101"},
           {"per_officer_per_day: 80", "per_officer_per_day: 81"},
           {"per_case_per_day: 60", "per_case_per_day: 61"},
           {"hit_rate_percent: 2.5", "hit_rate_percent: 2.6"},
           {"hit_rate_window: PT1H", "hit_rate_window: PT2H"},
           {"repeated_hits_of_entry: 20", "repeated_hits_of_entry: 21"},
           {"repeated_hits_window: P1D", "repeated_hits_window: P2D"},
           {"max_entries: 20000", "max_entries: 20001"},
           {"max_age: PT24H", "max_age: PT23H"},
           {"roles: [operator, supervisor]", "roles: [operator]"},
           {"reason: a search", "reason: any search"},
           {"alert: PT24H", "alert: PT25H"},
           {"match_evidence: P31D", "match_evidence: P30D"},
           {"audit: P365D", "audit: P366D"},
           {"justification: P1095D", "justification: P1094D"},
           {"list_after_end: PT12H", "list_after_end: PT13H"},
           {"receipts: P730D", "receipts: P731D"},
           {"onward_sharing: none", "onward_sharing: with-originator-authorisation"},
           {"handling_conditions: not", "handling_conditions: never"},
           {"notice: P30D", "notice: P31D"},
           {"effective_from: 2026-02", "effective_from: 2026-03"},
           {"effective_until: 2026-11", "effective_until: 2026-12"},
           {"review_by: 2026-10", "review_by: 2026-09"},
           {"review_reminder: P60D", "review_reminder: P61D"}}) {
    EXPECT_EQ(CompareClauses(base, LoadOk(Replaced(BaseDocument(), from, to))).size(), 1U) << to;
  }
}

}  // namespace
}  // namespace comity::policy
