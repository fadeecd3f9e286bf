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
  EXPECT_EQ(ResponseCode(parsed.entries[0].sealed_fields).value(),
            "amber: speak to the person [safety: weapons]");
  EXPECT_EQ(ResponseCode(parsed.entries[1].sealed_fields).value(), "amber: speak to the person");
  EXPECT_EQ(parsed.templates.rows(), 2U);
  EXPECT_THAT(parsed.warnings, IsEmpty());
}

TEST(Import, KeepsEveryFieldThatIsNotClear) {
  const ParsedImport parsed = Parse({FullEntry("ns-1")});
  ASSERT_TRUE(parsed.ok());
  json expected = FullEntry("ns-1");
  for (const char* clear : {"reference", "category", "valid_from", "expires_at"}) {
    expected.erase(clear);
  }
  EXPECT_EQ(json::parse(parsed.entries[0].sealed_fields), expected);
}

TEST(Import, NeedsEachMandatoryField) {
  for (const char* name :
       {"reference", "category", "image", "rationale", "response", "valid_from", "expires_at"}) {
    ExpectFault("`" + std::string(name) + "` is missing", [&](json& e) { e.erase(name); });
  }
  ExpectFault("image.source_kind", [](json& e) { e["image"].erase("source_kind"); });
  ExpectFault("image.acquisition_legal_basis",
              [](json& e) { e["image"].erase("acquisition_legal_basis"); });
  ExpectFault("rationale.necessity", [](json& e) { e["rationale"].erase("necessity"); });
  ExpectFault("rationale.proportionality",
              [](json& e) { e["rationale"].erase("proportionality"); });
  ExpectFault("response.priority", [](json& e) { e["response"].erase("priority"); });
}

TEST(Import, LetsEachOptionalFieldBeAbsent) {
  for (const char* name :
       {"subject_category", "identified", "fact_or_assessment", "reliability", "offence_code",
        "max_penalty_years", "handling_code", "review_by", "identity_ref"}) {
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
  ExpectFault("review_by", [](json& e) { e["review_by"] = "tomorrow"; });
  ExpectFault("reference", [](json& e) { e["reference"] = "a b"; });
  ExpectFault("reference", [](json& e) { e["reference"] = std::string(65, 'a'); });
  ExpectFault("rationale.necessity", [](json& e) { e["rationale"]["necessity"] = ""; });
  ExpectFault("identity_ref", [](json& e) { e["identity_ref"] = "a\nb"; });
  ExpectFault("`image` is not an object", [](json& e) { e["image"] = "custody"; });
}

TEST(Import, RefusesUnknownFieldsAtEveryLevel) {
  ExpectFault("'name' is not a field", [](json& e) { e["name"] = "N. N."; });
  ExpectFault("'image.x' is not a field", [](json& e) { e["image"]["x"] = 1; });
  ExpectFault("'response.x' is not a field", [](json& e) { e["response"]["x"] = 1; });
  ExpectFault("'rationale.x' is not a field", [](json& e) { e["rationale"]["x"] = 1; });
  ExpectFault("'reliability.x' is not a field", [](json& e) { e["reliability"]["x"] = 1; });
  ExpectFault("'image.quality.x' is not", [](json& e) { e["image"]["quality"]["x"] = 1; });
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
  second["handling_code"] = "Z";
  const std::string lines =
      Entry("ns-1").dump() + "\n" + second.dump() + "\n\n" + Entry("ns-1").dump();
  const ParsedImport parsed = ParseImport(lines, Float32File(UnitRows(4)), Options());
  EXPECT_THAT(parsed.faults, ElementsAre(Issue(2, "handling_code"), Issue(3, "empty"),
                                         Issue(4, "ns-1 stands in line 1 already")));
  EXPECT_EQ(parsed.fault_count, 3U);
}

TEST(Import, KeepsAHundredFaultsAndCountsAll) {
  std::vector<json> entries(250, json::object({{"x", 1}}));
  const ParsedImport parsed = Parse(entries);
  EXPECT_THAT(parsed.faults, SizeIs(100));
  EXPECT_EQ(parsed.fault_count, 250U * 8);  // seven mandatory fields and `x`
}

TEST(Import, NeverRepeatsPersonalValuesInFaults) {
  json entry = FullEntry("ns-1");
  entry["identity_ref"] = "Jane Secret\n";
  entry["rationale"]["necessity"] = "Jane Secret" + std::string(3000, '!');
  for (const ImportIssue& fault : Parse({entry}).faults) {
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

TEST(Import, TakesAllCategories) {
  for (const std::string_view category : policy::kListCategories) {
    json entry = Entry("a");
    entry["category"] = category;
    EXPECT_TRUE(Parse({entry}).ok()) << category;
  }
}

}  // namespace
}  // namespace comity::watchlists
