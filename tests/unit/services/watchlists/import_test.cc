// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/import.h"

#include <gmock/gmock.h>

#include <limits>

#include "policy/model/terms.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace comity::watchlists {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;

auto Issue(std::uint64_t line, const std::string& text) {
  return AllOf(Field(&ImportIssue::line, line), Field(&ImportIssue::message, HasSubstr(text)));
}

// One entry, broken by `change`, must give exactly one fault in line 1 that names `text`.
template <typename Change>
void ExpectFault(const std::string& text, Change change) {
  json entry = FullEntry("ns-1");
  change(entry);
  const ParsedImport parsed = Parse({entry});
  EXPECT_THAT(parsed.faults, ElementsAre(Issue(1, text))) << entry.dump(1);
  EXPECT_THAT(parsed.entries, IsEmpty());
  EXPECT_EQ(parsed.templates.rows(), 0U);
}

TEST(Import, ReadsEntriesAndTemplates) {
  const ParsedImport parsed = Parse({FullEntry("ns-1"), Entry("ns-2")});
  ASSERT_TRUE(parsed.ok()) << parsed.faults.front().message;
  ASSERT_THAT(parsed.entries, SizeIs(2));
  EXPECT_EQ(parsed.entries[1].reference, "ns-2");
  EXPECT_EQ(parsed.entries[0].category.text(), "wanted-by-courts");
  EXPECT_EQ(parsed.entries[0].expires_at, At("2026-11-26T00:00:00Z"));
  EXPECT_EQ(parsed.entries[0].subject, policy::SubjectCategory::kSuspect);
  EXPECT_EQ(parsed.entries[0].as_of, At("2026-11-25T07:00:00Z"));
  const auto first = ReadSearchFields(parsed.entries[0].sealed_fields).value();
  EXPECT_EQ(first.response_code, "amber: speak to the person [safety: weapons]");
  EXPECT_EQ(first.subject, policy::SubjectCategory::kSuspect);
  const auto second = ReadSearchFields(parsed.entries[1].sealed_fields).value();
  EXPECT_EQ(second.response_code, "amber: speak to the person");
  EXPECT_EQ(parsed.templates.rows(), 2U);
  EXPECT_THAT(parsed.warnings, IsEmpty());
}

TEST(Import, KeepsEveryFieldThatIsNotClear) {
  const ParsedImport parsed = Parse({FullEntry("ns-1")});
  ASSERT_TRUE(parsed.ok());
  json expected = FullEntry("ns-1");
  for (const char* clear :
       {"reference", "category", "valid_from", "expires_at", "review_by", "under_18"}) {
    expected.erase(clear);
  }
  EXPECT_EQ(json::parse(parsed.entries[0].sealed_fields), expected);
  EXPECT_EQ(json::parse(parsed.entries[0].rationale), expected["rationale"]);
}

TEST(Import, GivesBackTheObjectFromWhatIsStored) {
  const json given = FullEntry("ns-1");
  const ParsedImport parsed = Parse({given});
  ASSERT_TRUE(parsed.ok());
  const EntryFields& fields = parsed.entries[0];
  store::EntryRecord record;
  record.reference = fields.reference;
  record.category = fields.category;
  record.valid_from = fields.valid_from;
  record.expires_at = fields.expires_at;
  record.review_by = fields.review_by;
  record.under_18 = fields.under_18;
  EXPECT_EQ(EntryObject(record, fields.sealed_fields).value(), given);
}

TEST(Import, NeedsEachMandatoryField) {
  for (const char* name : {"reference", "category", "subject_category", "identified", "under_18",
                           "vulnerable", "image", "rationale", "fact_or_assessment", "reliability",
                           "response", "handling_code", "valid_from", "expires_at", "review_by"}) {
    ExpectFault("`" + std::string(name) + "` is missing", [&](json& e) { e.erase(name); });
  }
  ExpectFault("image.source_kind", [](json& e) { e["image"].erase("source_kind"); });
  ExpectFault("image.acquisition_legal_basis",
              [](json& e) { e["image"].erase("acquisition_legal_basis"); });
  for (const char* name : {"captured_on", "third_party_sensitive", "disposition", "quality"}) {
    ExpectFault("image." + std::string(name), [&](json& e) { e["image"].erase(name); });
  }
  for (const char* name : {"as_of", "grade", "completeness"}) {
    ExpectFault("reliability." + std::string(name), [&](json& e) { e["reliability"].erase(name); });
  }
  ExpectFault("rationale.by", [](json& e) { e["rationale"].erase("by"); });
  ExpectFault("rationale.necessity", [](json& e) { e["rationale"].erase("necessity"); });
  ExpectFault("rationale.proportionality",
              [](json& e) { e["rationale"].erase("proportionality"); });
  ExpectFault("response.priority", [](json& e) { e["response"].erase("priority"); });
}

TEST(Import, LetsEachOptionalFieldBeAbsent) {
  for (const char* name : {"offence_code", "max_penalty_years", "identity_ref"}) {
    json entry = FullEntry("ns-1");
    ASSERT_EQ(entry.erase(name), 1U);
    EXPECT_TRUE(Parse({entry}).ok()) << name;
  }
}

TEST(Import, RefusesValuesOutsideTheirListOrRange) {
  ExpectFault("category", [](json& e) { e["category"] = "intelligence-required"; });
  ExpectFault("subject_category", [](json& e) { e["subject_category"] = "everybody"; });
  ExpectFault("identified", [](json& e) { e["identified"] = "yes"; });
  ExpectFault("image.source_kind", [](json& e) { e["image"]["source_kind"] = "web"; });
  ExpectFault("image.captured_on", [](json& e) { e["image"]["captured_on"] = "2026-02-30"; });
  ExpectFault("image.quality.value", [](json& e) { e["image"]["quality"]["value"] = 101; });
  ExpectFault("image.quality.value", [](json& e) { e["image"]["quality"]["value"] = -1; });
  ExpectFault("fact_or_assessment", [](json& e) { e["fact_or_assessment"] = "rumour"; });
  ExpectFault("reliability.grade", [](json& e) { e["reliability"]["grade"] = "4F"; });
  ExpectFault("max_penalty_years", [](json& e) { e["max_penalty_years"] = 100; });
  ExpectFault("response.priority", [](json& e) { e["response"]["priority"] = "blue"; });
  ExpectFault("handling_code", [](json& e) { e["handling_code"] = "X"; });
  ExpectFault("disposition", [](json& e) { e["image"]["disposition"] = "unknown"; });
  ExpectFault("reliability.completeness",
              [](json& e) { e["reliability"]["completeness"] = "some"; });
  ExpectFault("review_by", [](json& e) { e["review_by"] = "tomorrow"; });
  ExpectFault("reference", [](json& e) { e["reference"] = "a b"; });
  ExpectFault("reference", [](json& e) { e["reference"] = std::string(65, 'a'); });
  ExpectFault("rationale.necessity", [](json& e) { e["rationale"]["necessity"] = ""; });
  ExpectFault("identity_ref", [](json& e) { e["identity_ref"] = "a\nb"; });
  ExpectFault("`image` is not an object", [](json& e) { e["image"] = "custody"; });
}

TEST(Import, RefusesUnknownFieldsAtEveryLevel) {
  ExpectFault("'colour' is not a field", [](json& e) { e["colour"] = "blue"; });
  ExpectFault("'image.x' is not a field", [](json& e) { e["image"]["x"] = 1; });
  ExpectFault("'response.x' is not a field", [](json& e) { e["response"]["x"] = 1; });
  ExpectFault("'rationale.x' is not a field", [](json& e) { e["rationale"]["x"] = 1; });
  ExpectFault("'reliability.x' is not a field", [](json& e) { e["reliability"]["x"] = 1; });
  ExpectFault("'image.quality.x' is not", [](json& e) { e["image"]["quality"]["x"] = 1; });
}

TEST(Import, RefusesWhatWouldSayWhoThePersonIs) {
  for (const char* name : {"name", "surname", "First_Name", "dob", "date-of-birth", "address",
                           "email", "passport_number", "nhs_number", "PNC ID"}) {
    ExpectFault("would say who the person is", [&](json& e) { e[name] = "N. N."; });
  }
  ExpectFault("would say who the person is", [](json& e) { e["image"]["name"] = "N. N."; });
}

TEST(Import, RefusesAnImageBelowTheListsQuality) {
  ExpectFault("the list takes images from 50 on",
              [](json& e) { e["image"]["quality"]["value"] = 49; });
  ExpectFault("is not that of the list's definition, ofiq",
              [](json& e) { e["image"]["quality"]["metric"] = "other"; });
  json entry = Entry("ns-1");
  entry["image"]["quality"]["value"] = 50;
  EXPECT_TRUE(Parse({entry}).ok());
}

TEST(Import, RefusesImagesWhoseGroundIsGoneUnlessTheDefinitionNamesOne) {
  for (const char* disposition : {"never-charged", "ordered-deleted"}) {
    const auto change = [&](json& e) { e["image"]["disposition"] = disposition; };
    ExpectFault("names no ground", change);
    json entry = Entry("ns-1");
    change(entry);
    ImportOptions options = Options();
    options.rules.never_charged = options.rules.ordered_deleted = true;
    EXPECT_TRUE(ParseImport(Lines({entry}), Float32File(UnitRows(1)), options).ok());
  }
  ExpectFault("an image from custody has one",
              [](json& e) { e["image"]["disposition"] = "not-applicable"; });
  json entry = Entry("ns-1");
  entry["image"]["source_kind"] = "third-party";
  entry["image"]["disposition"] = "not-applicable";
  entry["image"]["captured_on"] = "unknown";
  EXPECT_TRUE(Parse({entry}).ok());
}

TEST(Import, ExcludesChildrenUnlessTheDefinitionIncludesThem) {
  ExpectFault("excludes children", [](json& e) { e["under_18"] = true; });
  json entry = Entry("ns-1");
  entry["under_18"] = true;
  ImportOptions options = Options();
  options.rules.under_18 = true;
  const ParsedImport parsed = ParseImport(Lines({entry}), Float32File(UnitRows(1)), options);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed.entries[0].under_18);
  EXPECT_TRUE(parsed.entries[0].needs_approval);
}

TEST(Import, KnowsWhoNeedsAFurtherApproval) {
  const auto needs = [](const char* name, const json& value) {
    json entry = Entry("ns-1");
    entry[name] = value;
    ImportOptions options = Options();
    options.rules.categories.push_back(policy::ListCategory::Parse("witness").value());
    options.rules.categories.push_back(policy::ListCategory::Parse("associate").value());
    const ParsedImport parsed = ParseImport(Lines({entry}), Float32File(UnitRows(1)), options);
    EXPECT_TRUE(parsed.ok()) << name << value;
    return parsed.ok() && parsed.entries[0].needs_approval;
  };
  for (const char* category : {"victim", "witness", "associate"}) {
    EXPECT_TRUE(needs("category", category)) << category;
  }
  for (const char* subject : {"victim", "witness", "vulnerable"}) {
    EXPECT_TRUE(needs("subject_category", subject)) << subject;
  }
  EXPECT_TRUE(needs("vulnerable", true));
  for (const char* subject : {"suspect", "about-to-commit", "convicted", "missing", "other"}) {
    EXPECT_FALSE(needs("subject_category", subject)) << subject;
  }
  EXPECT_FALSE(needs("category", "missing-at-risk"));
}

TEST(Import, AsksForConditionsExactlyWithCodeC) {
  ExpectFault("handling_conditions", [](json& e) { e.erase("handling_conditions"); });
  ExpectFault("belongs to code C", [](json& e) { e["handling_code"] = "P"; });
}

TEST(Import, RefusesReferencesThatTheListHasAlready) {
  ImportOptions options = Options();
  options.taken = [](std::string_view reference) { return reference == "ns-2"; };
  const ParsedImport parsed =
      ParseImport(Lines({Entry("ns-1"), Entry("ns-2")}), Float32File(UnitRows(2)), options);
  EXPECT_THAT(parsed.faults, ElementsAre(Issue(2, "ns-2 is on the list already")));
}

TEST(Import, RefusesAnOverdueReviewAndKnowledgeFromTheFuture) {
  ExpectFault("`review_by` is in the past",
              [](json& e) { e["review_by"] = "2026-11-25T07:59:59Z"; });
  ExpectFault("reliability.as_of",
              [](json& e) { e["reliability"]["as_of"] = "2026-11-25T08:00:01Z"; });
}

TEST(Import, RefusesEntriesThatAreExpiredOrEndBeforeTheyBegin) {
  ExpectFault("`expires_at` is in the past", [](json& e) {
    e["valid_from"] = "2026-11-24T00:00:00Z";
    e["expires_at"] = "2026-11-25T08:00:00Z";  // exactly now
  });
  ExpectFault("not after `valid_from`", [](json& e) { e["valid_from"] = "2026-11-26T00:00:00Z"; });
}

TEST(Import, BoundsWhatTravelsWithAHit) {
  ExpectFault("`response` makes a response code of 264 octets",
              [](json& e) { e["response"]["text"] = std::string(239, 'x'); });
  json entry = Entry("ns-1");
  entry["response"]["text"] = std::string(249, 'x');
  EXPECT_TRUE(Parse({entry}).ok());
}

TEST(Import, RefusesWhatJsonReadersDisagreeAbout) {
  const std::string good = Entry("ns-1").dump();
  const auto expect_fault = [](const std::string& line, const std::string& text) {
    const ParsedImport parsed = ParseImport(line, Float32File(UnitRows(1)), Options());
    EXPECT_THAT(parsed.faults, ElementsAre(Issue(1, text))) << line;
  };
  expect_fault("{\"reference\":\"b\"," + good.substr(1), "'reference': the name stands twice");
  expect_fault("\xEF\xBB\xBF" + good, "byte order mark");
  expect_fault(good + "{}", "not valid JSON");
  expect_fault("[1]", "a list");
  expect_fault("7", "not an object");
  expect_fault("\n", "the line is empty");
  expect_fault("{\"reference\":null}", "null");
  expect_fault("{\"max_penalty_years\":1.5}", "fraction");
  expect_fault("{\"max_penalty_years\":NaN}", "not valid JSON");
  expect_fault("{\"reference\":\"\xff\"}", "not valid JSON");
  expect_fault("{\"a\":{\"a\":{\"a\":{}}}}", "too deep");
}

TEST(Import, NamesTheLineOfEveryFault) {
  json second = Entry("ns-2");
  second["fact_or_assessment"] = "Z";
  const std::string lines =
      Entry("ns-1").dump() + "\n" + second.dump() + "\n\n" + Entry("ns-1").dump();
  const ParsedImport parsed = ParseImport(lines, Float32File(UnitRows(4)), Options());
  EXPECT_THAT(parsed.faults, ElementsAre(Issue(2, "fact_or_assessment"), Issue(3, "empty"),
                                         Issue(4, "ns-1 stands in line 1 already")));
  EXPECT_EQ(parsed.fault_count, 3U);
}

TEST(Import, KeepsAHundredFaultsAndCountsAll) {
  std::vector<json> entries(250, json::object({{"x", 1}}));
  const ParsedImport parsed = Parse(entries);
  EXPECT_THAT(parsed.faults, SizeIs(100));
  EXPECT_EQ(parsed.fault_count, 250U * 16);  // fifteen mandatory fields and `x`
}

TEST(Import, NeverRepeatsPersonalValuesInFaults) {
  json entry = FullEntry("ns-1");
  entry["identity_ref"] = "Jane Secret\n";
  entry["rationale"]["necessity"] = "Jane Secret" + std::string(3000, '!');
  const auto faults = Parse({entry}).faults;
  ASSERT_THAT(faults, ::testing::Not(::testing::IsEmpty()));
  for (const ImportIssue& fault : faults) {
    EXPECT_THAT(fault.message, ::testing::Not(HasSubstr("Jane")));
  }
}

TEST(Import, RefusesTemplatesThatAreNoUnitVectors) {
  const std::vector<float> good = UnitRows(3);
  const auto with = [&](std::size_t index, float value) {
    std::vector<float> rows = good;
    rows[kDimension + index] = value;
    return Float32File(rows);
  };
  const std::string lines = Lines({Entry("a"), Entry("b"), Entry("c")});
  const auto faults = [&](const Bytes& file) { return ParseImport(lines, file, Options()).faults; };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(faults(with(5, kNan)), ElementsAre(Issue(2, "element 5")));
  EXPECT_THAT(faults(with(0, kInfinity)), ElementsAre(Issue(2, "element 0")));
  EXPECT_THAT(faults(with(3, 3e38F)), ElementsAre(Issue(2, "L2 norm")));
  std::vector<float> zero = good;
  std::fill_n(zero.begin() + kDimension, kDimension, 0.0F);
  EXPECT_THAT(faults(Float32File(zero)), ElementsAre(Issue(2, "zero")));
}

TEST(Import, RescalesOnlyWithinTheTolerance) {
  const auto scaled = [](float factor) {
    std::vector<float> rows = UnitRows(1);
    for (float& element : rows) element *= factor;
    return ParseImport(Lines({Entry("a")}), Float32File(rows), Options());
  };
  for (const float factor : {1.0009F, 0.9991F, 1.0F}) {
    const ParsedImport parsed = scaled(factor);
    ASSERT_TRUE(parsed.ok()) << factor;
    double sum = 0;
    for (const float element : parsed.templates.Row(0)) sum += double{element} * double{element};
    EXPECT_NEAR(std::sqrt(sum), 1.0, 1e-7);
  }
  EXPECT_THAT(scaled(1.0011F).faults, ElementsAre(Issue(1, "L2 norm")));
  EXPECT_THAT(scaled(0.9989F).faults, ElementsAre(Issue(1, "L2 norm")));
}

TEST(Import, RefusesTemplateFilesOfAnotherShape) {
  const std::string lines = Lines({Entry("a"), Entry("b")});
  const auto faults = [&](const Bytes& file, TemplateFormat format) {
    return ParseImport(lines, file, Options(format)).faults;
  };
  const Bytes rows3 = Float32File(UnitRows(3));
  EXPECT_THAT(faults(rows3, TemplateFormat::kFloat32),
              ElementsAre(Issue(0, "3 rows but the JSON Lines file has 2 lines")));
  EXPECT_THAT(faults(Bytes(7), TemplateFormat::kFloat32), ElementsAre(Issue(0, "no whole number")));
  EXPECT_THAT(faults(rows3, TemplateFormat::kNpy), ElementsAre(Issue(0, "NUMPY")));
  EXPECT_THAT(faults(NpyFile(NpyDictionary(2, 16), Bytes(2 * 16 * 4)), TemplateFormat::kNpy),
              ElementsAre(Issue(0, "dimension 16; the engine profile says 32")));
}

TEST(Import, ReadsNpyAndFloat32Alike) {
  const std::string lines = Lines({Entry("a"), Entry("b")});
  const Bytes rows = Float32File(UnitRows(2));
  const ParsedImport raw = ParseImport(lines, rows, Options());
  const ParsedImport npy = ParseImport(lines, NpyFile(NpyDictionary(2, kDimension), rows),
                                       Options(TemplateFormat::kNpy));
  ASSERT_TRUE(raw.ok() && npy.ok());
  for (std::size_t row = 0; row < 2; ++row) {
    EXPECT_THAT(npy.templates.Row(row), ::testing::ElementsAreArray(raw.templates.Row(row)));
  }
}

TEST(Import, WarnsOfOneTemplateUnderTwoReferences) {
  std::vector<float> rows = UnitRows(3);
  std::copy_n(rows.begin(), kDimension, rows.begin() + 2 * kDimension);
  const ParsedImport parsed = ParseImport(Lines({Entry("first"), Entry("other"), Entry("twin")}),
                                          Float32File(rows), Options());
  EXPECT_TRUE(parsed.ok());
  EXPECT_THAT(parsed.warnings, ElementsAre(AllOf(Issue(3, "twin"), Issue(3, "first in line 1"))));
}

TEST(Import, ChecksLimitsAndEngineFirst) {
  ImportOptions options = Options();
  options.limits.max_jsonl_bytes = 10;
  options.limits.max_template_bytes = 10;
  const Bytes rows = Float32File(UnitRows(1));
  const std::string line = Lines({Entry("a")});
  EXPECT_THAT(ParseImport(line, rows, options).faults,
              ElementsAre(Issue(0, "JSON Lines file has"), Issue(0, "template file has")));
  options = Options();
  options.engine.dimension = 31;
  EXPECT_THAT(ParseImport(line, rows, options).faults, ElementsAre(Issue(0, "dimension is 31")));
  options = Options();
  options.engine.name = "";
  EXPECT_THAT(ParseImport(line, rows, options).faults, ElementsAre(Issue(0, "engine name")));
  options = Options();
  options.limits.max_entries = 1;
  EXPECT_THAT(ParseImport(line + line, rows, options).faults, ElementsAre(Issue(0, "2 lines")));
  options = Options();
  options.limits.max_line_bytes = 50;
  EXPECT_THAT(ParseImport(line, rows, options).faults, ElementsAre(Issue(1, "at most 50")));
}

TEST(Import, RefusesAnEmptyFile) {
  EXPECT_THAT(ParseImport("", {}, Options()).faults, ElementsAre(Issue(0, "0 lines")));
}

TEST(Import, TakesTheCategoriesOfTheDefinitionOnly) {
  for (const std::string_view category : policy::kListCategories) {
    json entry = Entry("a");
    entry["category"] = category;
    const bool listed =
        category == "wanted-by-courts" || category == "victim" || category == "missing-at-risk";
    EXPECT_EQ(Parse({entry}).ok(), listed) << category;
  }
}

}  // namespace
}  // namespace comity::watchlists
