// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::policy {
namespace {

using testing::BaseDocument;
using ::testing::HasSubstr;
using testing::Replaced;

// One fault put into the base document. `@` in `to` marks where it must be reported and is taken
// out before parsing.
struct Trap {
  const char* name;
  std::string from;
  std::string to;
  const char* path;
  const char* message;
};
void PrintTo(const Trap& trap, std::ostream* out) {
  *out << trap.name;
}

Position PlaceOf(const std::string& text, std::size_t offset) {
  const auto begin = text.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(offset);
  const std::size_t line_start = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  return {static_cast<int>(std::count(begin, end, '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

std::string Listed(const std::vector<Issue>& issues) {
  std::string text;
  for (const Issue& issue : issues) text += FormatIssue(issue, "document") + "\n";
  return text;
}

class DocumentTrap : public ::testing::TestWithParam<Trap> {};

TEST_P(DocumentTrap, IsRefusedWithItsPlace) {
  const Trap& trap = GetParam();
  // `@` occurs in contacts of the base document too: mark with the first one of the replacement.
  const std::size_t mark = trap.to.find('@');
  ASSERT_NE(mark, std::string::npos);
  std::string to = trap.to;
  to.erase(mark, 1);
  const std::string base = BaseDocument();
  const std::size_t at = base.find(trap.from);
  const std::string yaml = Replaced(base, trap.from, to);
  const ParsedDocument parsed = ParseDocument(yaml);
  EXPECT_FALSE(parsed.agreement.has_value());
  const Position expected = PlaceOf(yaml, at + mark);
  const bool found =
      std::any_of(parsed.issues.begin(), parsed.issues.end(), [&](const Issue& issue) {
        return Position{issue.line, issue.column} == expected && issue.path == trap.path &&
               issue.message.find(trap.message) != std::string::npos;
      });
  EXPECT_TRUE(found) << "expected at " << expected.line << ":" << expected.column << "\n"
                     << Listed(parsed.issues);
}

const std::string kVersion = "version: 1\n";
const std::string kTitle = "title: Finding people wanted by courts in Eastvale town centre\n";

INSTANTIATE_TEST_SUITE_P(
    Subset, DocumentTrap,
    ::testing::Values(
        Trap{"byte order mark", "# The", "@\xef\xbb\xbf# The", "", "byte order mark"},
        Trap{"NUL", kVersion, "version: 1@" + std::string(1, '\0') + "\n", "", "U+0000"},
        Trap{"tab", kVersion, "version:@\t1\n", "", "tab"},
        Trap{"carriage return", kVersion, "version: 1@\r\n", "", "carriage return"},
        Trap{"NEL", kTitle, "title: a@\xc2\x85z\n", "", "U+0085"},
        Trap{"line separator", kTitle, "title: a@\xe2\x80\xa8z\n", "", "U+2028"},
        Trap{"right-to-left override", kTitle, "title: a@\xe2\x80\xaez\n", "", "U+202E"},
        Trap{"zero width space", kTitle, "title: a@\xe2\x80\x8bz\n", "", "U+200B"},
        Trap{"overlong UTF-8", kTitle, "title: a@\xc0\xafz\n", "", "not UTF-8"},
        Trap{"surrogate", kTitle, "title: a@\xed\xa0\x80z\n", "", "not UTF-8"},
        Trap{"above Unicode", kTitle, "title: a@\xf4\x90\x80\x80z\n", "", "not UTF-8"},
        Trap{"second document", kVersion, "version: 1\n@---\nid: other\n", "", "document markers"},
        Trap{"document end", kVersion, "version: 1\n@...\n", "", "document markers"},
        Trap{"directive", "# The", "@%YAML 1.1\n# The", "", "directives"},
        Trap{"anchor", kVersion, "version: @&v 1\n", "", "anchors"},
        Trap{"anchor on a list", "parties:\n", "parties: @&all\n", "", "anchors"},
        Trap{"alias", kVersion, "version: @*v\n", "", ""},
        Trap{"tag", kVersion, "version: @!!int 1\n", "", "tags"},
        Trap{"non-specific tag", kVersion, "version: @! 1\n", "", "tags"},
        Trap{"tag on a list", "regimes: [UK-GDPR]", "regimes: @!!seq [UK-GDPR]", "", "tags"},
        Trap{"merge key", kVersion, "version: 1\n@<<: x\n", "", "merge keys"},
        Trap{"duplicate key", kVersion, "version: 1\n@version: 2\n", "", "twice"},
        Trap{"duplicate key in quotes", kVersion, "version: 1\n@\"version\": 2\n", "", "twice"},
        Trap{"duplicate key deep", "      metric: cosine",
             "      metric: cosine\n      @metric: cosine", "", "twice"},
        Trap{"complex key", kVersion, "version: 1\n@[a, b]: 2\n", "", "a key must be a name"},
        Trap{"explicit key", kVersion, "? @version\n: 1\n", "", "explicit keys"},
        Trap{"empty value", kVersion, "@version:\n", "", "missing"},
        Trap{"null", kTitle, "title: @null\n", "", "null"},
        Trap{"tilde", kTitle, "title: @~\n", "", "null"},
        Trap{"literal block", kTitle, "title: @|\n  text\n", "", "block scalars"},
        Trap{"folded block", kTitle, "title: @>\n  text\n", "", "block scalars"},
        Trap{"plain over two lines", kTitle, "title: @one\n  two\n", "", "one line"},
        Trap{"quoted over two lines", kTitle, "title: @\"one\n  two\"\n", "", "one line"},
        Trap{"unicode escape", kTitle, "title: @\"a\\u0041\"\n", "", "escapes"},
        Trap{"control by escape", kTitle, "title: @\"a\\0b\"\n", "", "escapes"},
        Trap{"colon in flow", "regimes: [UK-GDPR]", "regimes: [@UK:GDPR]", "", "quotes"},
        Trap{"comment without space", kTitle, "title: \"x\"@#y\n", "", "space before"}));

std::string Deep(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') + "x" +
         std::string(static_cast<std::size_t>(levels), ']');
}

INSTANTIATE_TEST_SUITE_P(
    Schema, DocumentTrap,
    ::testing::Values(
        Trap{"unknown key", kVersion, "version: 1\n@expires: never\n", "", "unknown key 'expires'"},
        Trap{"misspelt key", kVersion, "@versoin: 1\n", "", "is `version` meant?"},
        Trap{"unknown key deep", "    threshold_floor: 0.64", "    @threshold: 0.64",
             "permissions[0]", "is `threshold_floor` meant?"},
        Trap{"other schema", "comity/agreement/1", "@comity/agreement/2", "schema",
             "comity/agreement/1"},
        Trap{"version zero", kVersion, "version: @0\n", "version", "whole number"},
        Trap{"version too large", kVersion, "version: @4294967296\n", "version", "whole number"},
        Trap{"hexadecimal", kVersion, "version: @0x1\n", "version", "whole number"},
        Trap{"leading zero", kVersion, "version: @01\n", "version", "whole number"},
        Trap{"underscore", kVersion, "version: @1_0\n", "version", "whole number"},
        Trap{"sign", kVersion, "version: @+1\n", "version", "whole number"},
        Trap{"number in quotes", kVersion, "version: @\"1\"\n", "version", "without quotes"},
        Trap{"infinite floor", "threshold_floor: 0.64", "threshold_floor: @.inf",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"NaN floor", "threshold_floor: 0.64", "threshold_floor: @.nan",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"nan floor", "threshold_floor: 0.64", "threshold_floor: @nan",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"floor above 1", "threshold_floor: 0.64", "threshold_floor: @1.01",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"floor of 0", "threshold_floor: 0.64", "threshold_floor: @0.0",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"negative floor", "threshold_floor: 0.64", "threshold_floor: @-0.5",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"floor with exponent", "threshold_floor: 0.64", "threshold_floor: @6e-1",
             "permissions[0].threshold_floor", "cosine"},
        Trap{"hit cap above 100", "hit_cap: 5", "hit_cap: @101", "permissions[0].hit_cap", "100"},
        Trap{"unknown mode", "mode: direct", "mode: @open", "permissions[0].mode",
             "direct, sealed"},
        Trap{"unknown category", "[wanted-by-courts, missing-at-risk]", "[@other]",
             "permissions[0].list_categories[0]", "wanted-by-courts"},
        Trap{"empty list", "roles: [engine]", "roles: @[]", "permissions[0].roles", "1 to 32"},
        Trap{"term twice", "roles: [engine]", "roles: [engine, @engine]", "permissions[0].roles[1]",
             "twice"},
        Trap{"scalar for a list", "roles: [engine]", "roles: @engine", "permissions[0].roles",
             "must be a list"},
        Trap{"list for a scalar", kTitle, "title: @[a]\n", "title", "single value"},
        Trap{"map for a scalar", kTitle, "title: @{a: b}\n", "title", "single value"},
        Trap{"scalar for a map", "termination:\n  notice: P30D\n  data_return: delete",
             "termination: @P30D", "termination", "must be a map"},
        Trap{"unknown key in a small map", "  alert: PT24H\n", "  alert: PT24H\n  @zz: 1\n",
             "retention", "unknown key"},
        Trap{"flag in quotes", "caldicott: false", "caldicott: @\"false\"",
             "parties[0].signatories[0].caldicott", "without quotes"},
        Trap{"flag as yes", "caldicott: false", "caldicott: @no",
             "parties[0].signatories[0].caldicott", "true or false"},
        Trap{"unknown offence class", "offence_floor: 1-to-4-years", "offence_floor: @2-years",
             "purposes[0].offence_floor", "or `none`"},
        Trap{"unknown subject category", "[suspect, convicted]", "[suspect, @anybody]",
             "purposes[0].subject_categories[1]", "about-to-commit"},
        Trap{"subject category twice", "[suspect, convicted]", "[suspect, @suspect]",
             "purposes[0].subject_categories[1]", "twice"},
        Trap{"unknown parent", "parent: court-order-compliance", "parent: @policing",
             "purposes[0].parent", "crime-detection"},
        Trap{"purpose code too long for its clauses", "- code: court-order-arrest",
             "- code: @" + std::string(41, 'c'), "purposes[0].code", "at most 40"},
        Trap{"release to no role", "roles: [engine, operator, adjudicator, supervisor]",
             "roles: @[]", "permissions[0].releases[0].roles", "1 to 32"},
        Trap{"release to a role that sees nothing", "roles: [operator, supervisor]",
             "roles: [@administrator]", "permissions[0].releases[2].roles[0]", "adjudicator"},
        Trap{"identity as an item", "item: response-code", "item: @name",
             "permissions[0].releases[2].item", "reference-number"},
        Trap{"percentage of 0", "hit_rate_percent: 2.5", "hit_rate_percent: @0",
             "permissions[0].alarms.hit_rate_percent", "percentage"},
        Trap{"percentage above 100", "hit_rate_percent: 2.5", "hit_rate_percent: @100.1",
             "permissions[0].alarms.hit_rate_percent", "percentage"},
        Trap{"repeated once", "repeated_hits_of_entry: 20", "repeated_hits_of_entry: @1",
             "permissions[0].alarms.repeated_hits_of_entry", "2 to"},
        Trap{"no capacity for officers", "per_officer_per_day: 80", "per_officer_per_day: @0",
             "permissions[0].capacity.per_officer_per_day", "whole number"},
        Trap{"data kept after the end", "data_return: delete", "data_return: @return",
             "termination.data_return", "`delete`"},
        Trap{"unknown handling code", "handling_code: C", "handling_code: @X", "handling_code",
             "P, C"},
        Trap{"onward sharing at will", "onward_sharing: none", "onward_sharing: @any",
             "onward_sharing", "with-originator-authorisation"},
        Trap{"not a key", "agency_key: ed25519:", "agency_key: @ed25518:", "parties[0].agency_key",
             "ed25519:"},
        Trap{"upper-case hash", "sha256: 1111", "sha256: @A111", "attachments[0].sha256",
             "hexadecimal"},
        Trap{"date without time", "effective_until: 2026-11-01T00:00:00Z",
             "effective_until: @2026-11-01", "effective_until", "RFC 3339"},
        Trap{"impossible date", "effective_until: 2026-11-01T00:00:00Z",
             "effective_until: @2026-02-30T00:00:00Z", "effective_until", "RFC 3339"},
        Trap{"month as duration", "alert: PT24H", "alert: @P1M", "retention.alert", "ISO 8601"},
        Trap{"agency in capitals", "- agency: eastvale-council", "- agency: @Eastvale",
             "parties[0].agency", "an id has"}));

TEST(Document, AcceptsTheBaseDocument) {
  const std::string yaml = BaseDocument();
  const ParsedDocument parsed = ParseDocument(yaml);
  ASSERT_TRUE(parsed.agreement.has_value()) << Listed(parsed.issues);
  const Agreement& agreement = *parsed.agreement;
  EXPECT_EQ(agreement.id.text(), "northshire-eastvale-2026");
  EXPECT_EQ(agreement.version, 1U);
  EXPECT_EQ(agreement.sha256, hash::Sha256(AsBytes(yaml)));
  ASSERT_EQ(agreement.parties.size(), 2U);
  EXPECT_EQ(agreement.parties[1].signatories[0].post, "Assistant Chief Constable");
  EXPECT_EQ(agreement.purposes[0].legal_power, "Magistrates' Courts Act 1980 s.13; common law");
  EXPECT_EQ(agreement.permissions[0].engine, (EngineProfile{"facenet", "2018-04-08", 128}));
  EXPECT_EQ(agreement.permissions[0].threshold_floor, 0.64);
  EXPECT_EQ(agreement.permissions[1].capacity.probes_per_day, 10U);
  EXPECT_EQ(agreement.retention.alert, std::chrono::hours(24));
  EXPECT_EQ(EncodeInstant(agreement.effective_until), "2026-11-01T00:00:00Z");
}

TEST(Document, GivesPlacesOfValues) {
  const ParsedDocument parsed = ParseDocument(BaseDocument());
  const auto place = parsed.positions.find("permissions[0].threshold_floor");
  ASSERT_NE(place, parsed.positions.end());
  const std::string yaml = BaseDocument();
  EXPECT_EQ(place->second, PlaceOf(yaml, yaml.find("0.64")));
}

TEST(Document, ListsEveryFaultAtOnce) {
  std::string yaml = Replaced(BaseDocument(), "version: 1\n", "version: 0\n");
  yaml = Replaced(yaml, "mode: direct", "mode: open");
  yaml = Replaced(yaml, "review_by: 2026-10-01T00:00:00Z\n", "");
  yaml = Replaced(yaml, "alert: PT24H", "alert: PT24H\n  alert: PT25H");
  EXPECT_EQ(ParseDocument(yaml).issues.size(), 4U) << Listed(ParseDocument(yaml).issues);
}

TEST(Document, BoundsTheNumberOfFaults) {
  std::string yaml = "a: 1\n";
  for (int i = 0; i < 5000; ++i) yaml += "- \t\n";
  const ParsedDocument parsed = ParseDocument(yaml);
  EXPECT_EQ(parsed.issues.size(), IssueLog::kMaxIssues + 1);
  EXPECT_THAT(parsed.issues.back().message, HasSubstr("more faults"));
}

TEST(Document, RefusesMoreThan256KiB) {
  const std::string base = BaseDocument();
  const std::string exact =
      base + "#" + std::string(kMaxDocumentBytes - base.size() - 2, 'x') + "\n";
  ASSERT_EQ(exact.size(), kMaxDocumentBytes);
  EXPECT_TRUE(ParseDocument(exact).agreement.has_value());
  EXPECT_THAT(Listed(ParseDocument(exact + "\n").issues), HasSubstr("256 KiB"));
}

TEST(Document, RefusesNestingDeeperThan16) {
  const ParsedDocument parsed = ParseDocument("a: " + Deep(16) + "\n");
  EXPECT_THAT(Listed(parsed.issues), HasSubstr("deeper than 16"));
  EXPECT_THAT(Listed(ParseDocument("a: " + Deep(15) + "\n").issues),
              ::testing::Not(HasSubstr("deeper")));
}

TEST(Document, RefusesWhatIsNoDocument) {
  for (const std::string& yaml :
       {std::string(), std::string("\n"), std::string("# only\n"), std::string("text\n"),
        std::string("- a\n- b\n"), std::string("{a: 1"), std::string("'open\n"),
        std::string(100'000, '[')}) {
    const ParsedDocument parsed = ParseDocument(yaml);
    EXPECT_FALSE(parsed.agreement.has_value());
    EXPECT_FALSE(parsed.issues.empty()) << yaml.substr(0, 20);
  }
}

TEST(Document, HasNoDefaultMode) {
  const auto issues = ParseDocument(Replaced(BaseDocument(), "    mode: direct\n", "")).issues;
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].path, "permissions[0].mode");
  EXPECT_THAT(issues[0].message, HasSubstr("missing"));
}

// Removing any one line of the document must never leave a document that parses to the same
// agreement silently: every field is mandatory.
TEST(Document, NeedsEveryOneOfItsLines) {
  const std::string yaml = BaseDocument();
  int removed = 0;
  for (std::size_t begin = 0; begin < yaml.size();) {
    const std::size_t end = yaml.find('\n', begin) + 1;
    const std::string line = yaml.substr(begin, end - begin);
    if (line.front() != '#') {
      const ParsedDocument parsed = ParseDocument(yaml.substr(0, begin) + yaml.substr(end));
      EXPECT_FALSE(parsed.agreement.has_value()) << line;
      ++removed;
    }
    begin = end;
  }
  EXPECT_GT(removed, 80);
}

}  // namespace
}  // namespace comity::policy
