// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/definition.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "crypto/base/check.h"
#include "crypto/hash/sha256.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace comity::watchlists {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

std::string Yaml() {
  return comity::testing::WriteDefinition(Definition("lantern"));
}
std::string Replaced(std::string yaml, const std::string& from, const std::string& to) {
  const std::size_t at = yaml.find(from);
  COMITY_CHECK(at != std::string::npos);
  return yaml.replace(at, from.size(), to);
}
auto Issue(const std::string& path, const std::string& text) {
  return AllOf(Field(&policy::Issue::path, path), Field(&policy::Issue::message, HasSubstr(text)));
}
void ExpectFault(const std::string& yaml, const std::string& path, const std::string& text) {
  const ParsedDefinition parsed = ParseDefinition(yaml);
  EXPECT_THAT(parsed.issues, ElementsAre(Issue(path, text))) << yaml;
  EXPECT_FALSE(parsed.definition.has_value());
}

TEST(ListDefinition, ReadsEveryField) {
  auto text = Definition("lantern");
  text.includes_under_18 = true;
  text.false_match_rate = "0.00000000012";
  const std::string yaml = comity::testing::WriteDefinition(text);
  const ParsedDefinition parsed = ParseDefinition(yaml);
  ASSERT_THAT(parsed.issues, IsEmpty());
  const ListDefinition& list = *parsed.definition;
  EXPECT_EQ(list.reference.text(), "lantern");
  EXPECT_EQ(list.sha256, hash::Sha256(AsBytes(yaml)));
  EXPECT_EQ(list.operation_ref, "OP-2026-17");
  EXPECT_EQ(list.use_case, UseCase::kCourtOrder);
  EXPECT_EQ(list.purpose.text(), "court-order-arrest");
  ASSERT_EQ(list.agreements.size(), 1U);
  EXPECT_THAT(list.places, ElementsAre("Old Bridge"));
  EXPECT_EQ(list.starts_at, At("2026-11-25T00:00:00Z"));
  EXPECT_EQ(list.ends_at, At("2026-11-30T00:00:00Z"));
  EXPECT_EQ(list.categories.size(), 3U);
  EXPECT_TRUE(list.Takes(policy::ListCategory::Parse("victim").value()));
  EXPECT_FALSE(list.Takes(policy::ListCategory::Parse("witness").value()));
  EXPECT_EQ(list.engine, (policy::EngineProfile{"facenet", "1.0", kDimension}));
  EXPECT_EQ(list.threshold, 0.5);
  EXPECT_EQ(list.false_match_rate, 1.2e-10);
  EXPECT_EQ(list.size_cap, 1'000'000U);
  EXPECT_EQ(list.quality_metric, "ofiq");
  EXPECT_EQ(list.quality_minimum, 50);
  EXPECT_EQ(list.information_max_age, std::chrono::hours(24 * 30));
  EXPECT_TRUE(list.includes_under_18);
  EXPECT_TRUE(list.HasGround(Exception::kUnder18));
  EXPECT_FALSE(list.HasGround(Exception::kNeverCharged));
}

TEST(ListDefinition, NeedsEveryField) {
  for (const std::string field :
       {"schema", "reference", "operation_ref", "objective", "use_case", "purpose", "agreements",
        "places", "starts_at", "ends_at", "criteria", "intelligence_case_ref", "expected_faces",
        "false_alert_budget", "size_cap", "information_max_age", "includes_under_18", "grounds"}) {
    std::string yaml = Yaml();
    const std::size_t begin = field == "schema" ? 0 : yaml.find("\n" + field + ":") + 1;
    yaml.erase(begin, yaml.find('\n', begin) + 1 - begin);
    EXPECT_THAT(ParseDefinition(yaml).issues, Contains(Issue(field, "missing"))) << field;
  }
}

TEST(ListDefinition, NamesLineAndColumnOfEveryFault) {
  const std::string yaml = Replaced(Replaced(Yaml(), "use_case: court-order", "use_case: dragnet"),
                                    "minimum: 50", "minimum: 101");
  const ParsedDefinition parsed = ParseDefinition(yaml);
  ASSERT_THAT(parsed.issues, ElementsAre(Issue("use_case", "must be one of: hotspot"),
                                         Issue("quality.minimum", "0 to 100")));
  EXPECT_EQ(parsed.issues[0].line, 5);
  EXPECT_EQ(parsed.issues[0].column, 11);
}

TEST(ListDefinition, RefusesWhatIsNotInTheSchema) {
  ExpectFault(Yaml() + "owner: nobody\n", "", "unknown key 'owner'");
  ExpectFault(Replaced(Yaml(), "comity/watchlist/1", "comity/watchlist/2"), "schema", "must be");
  ExpectFault(Replaced(Yaml(), "category: victim", "category: everybody"), "categories[1].category",
              "must be one of");
  ExpectFault(Replaced(Yaml(), "category: victim", "category: wanted-by-courts"),
              "categories[1].category", "twice");
  for (const char* rate : {"0", "1", "1.0", "0.0", "1e-6", ".5", "-0.1", "0.5x", "nan"}) {
    ExpectFault(
        Replaced(Yaml(), "false_match_rate: 0.000001", "false_match_rate: " + std::string(rate)),
        "engine.false_match_rate", "rate above 0 and below 1");
  }
  EXPECT_FALSE(ParseDefinition("").definition);
  EXPECT_FALSE(ParseDefinition("- a list\n").definition);
  ExpectFault(Yaml() + "#" + std::string(70'000, 'x') + "\n", "", "more than 64 KiB");
}

TEST(ListDefinition, EndsAfterItBeginsAndWithinAYear) {
  auto text = Definition("lantern");
  text.ends_at = text.starts_at;
  ExpectFault(comity::testing::WriteDefinition(text), "ends_at", "not after");
  text.ends_at = text.starts_at + std::chrono::days(366);
  EXPECT_THAT(ParseDefinition(comity::testing::WriteDefinition(text)).issues, IsEmpty());
  text.ends_at += std::chrono::seconds(1);
  ExpectFault(comity::testing::WriteDefinition(text), "ends_at", "366 days");
}

TEST(ListDefinition, IncludesChildrenOnlyOnANamedGround) {
  ExpectFault(Replaced(Yaml(), "includes_under_18: false", "includes_under_18: true"),
              "includes_under_18", "needs a ground");
  ExpectFault(Replaced(Yaml(), "grounds: []", "grounds:\n  - exception: under-18\n    text: why"),
              "includes_under_18", "is false, yet");
  ExpectFault(Replaced(Yaml(), "grounds: []",
                       "grounds:\n  - exception: never-charged\n    text: a\n"
                       "  - exception: never-charged\n    text: b"),
              "grounds[1].exception", "twice");
}

TEST(ListDefinition, PredictsFalseAlertsAlsoAtRatesThatVanish) {
  ListDefinition list = Parsed(Definition("lantern"));
  list.expected_faces = 100'000;
  list.false_match_rate = 1e-12;
  EXPECT_EQ(Predict(list, 0).fpir, 0);
  EXPECT_NEAR(Predict(list, 17'000).fpir, 1.7e-8, 1e-15);
  EXPECT_NEAR(Predict(list, 17'000).false_alerts, 1.7e-3, 1e-10);
  list.false_match_rate = 0.001;
  EXPECT_NEAR(Predict(list, 1000).fpir, 1 - std::pow(0.999, 1000), 1e-12);
  EXPECT_LT(Predict(list, 1'000'000).fpir, 1.0 + 1e-12);
}

// The text of the fenced block after "## Example" of a document.
std::string ExampleOf(const std::string& document) {
  std::ifstream in(std::string(COMITY_SOURCE_DIR) + "/docs/formats/" + document);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::size_t begin = text.find("```\n", text.find("\n## Example")) + 4;
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST(ListDefinition, TheDocumentedExamplesAreReadWithoutAFault) {
  const ParsedDefinition parsed = ParseDefinition(ExampleOf("watchlist_definition.md"));
  ASSERT_THAT(parsed.issues, IsEmpty());
  ImportOptions options = Options();
  options.rules = RulesOf(*parsed.definition);
  const ParsedImport entries =
      ParseImport(ExampleOf("watchlist_entries.md"), Float32File(UnitRows(1)), options);
  EXPECT_TRUE(entries.ok()) << entries.faults.front().message;
}

TEST(ListDefinition, SaysInWordsWhatItBinds) {
  const std::string words = Describe(Parsed(Definition("lantern")));
  for (const char* part :
       {"List lantern for operation OP-2026-17", "partners may search it under northshire-eastvale",
        "from 2026-11-25T00:00:00Z until 2026-11-30T00:00:00Z", "Old Bridge", "threshold 0.5",
        "Children are excluded", "Category victim adds: likely to pass"}) {
    EXPECT_THAT(words, HasSubstr(part));
  }
  auto own = Definition("own");
  own.agreements.clear();
  EXPECT_THAT(Describe(Parsed(own)), HasSubstr("no partner may search it"));
}

}  // namespace
}  // namespace comity::watchlists
