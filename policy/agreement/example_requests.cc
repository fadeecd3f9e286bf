// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/example_requests.h"

#include <limits>
#include <set>
#include <utility>

#include "policy/agreement/document_text.h"
#include "policy/agreement/field_reader.h"
#include "policy/agreement/field_values.h"
#include "policy/agreement/yaml_tree.h"

namespace comity::policy {
namespace {

constexpr std::size_t kMaxClause = 64;

Result<ReasonCode> ParseExpected(std::string_view text) {
  if (const auto code = ParseReasonCode(text)) return *code;
  return Fail(ErrorCode::kInvalidArgument,
              "must be a decision's code, such as permit or threshold-below-floor");
}

void ReadEngine(FieldReader& fields, EngineProfile& engine) {
  fields.Scalar("name", engine.name, ParseEngineText);
  fields.Scalar("version", engine.version, ParseEngineText);
  fields.Number("dimension", engine.dimension,
                SmallNumber(EngineProfile::kMinDimension, EngineProfile::kMaxDimension));
}

// A field that the request has: every one, so that a case is about what its author sees.
template <typename T, typename Parse>
void Present(FieldReader& fields, std::string_view key, std::optional<T>& out, Parse parse) {
  T value{};
  fields.Scalar(key, value, parse);
  out = std::move(value);
}

void ReadRequest(FieldReader& fields, SearchRequest& request) {
  constexpr ListBound kCategories{1, 16};
  fields.Scalar("requester", request.requester, AgencyId::Parse);
  fields.Scalar("holder", request.holder, AgencyId::Parse);
  Present(fields, "purpose", request.purpose, PurposeCode::Parse);
  Present(fields, "role", request.role, ParseRequesterRole);
  Present(fields, "use", request.use, ParseUseMode);
  Present(fields, "mode", request.mode, ParseSearchMode);
  fields.List("list_categories", kCategories, request.list_categories, ParseListCategory);
  fields.Map("engine", [&](FieldReader& engine) { ReadEngine(engine, request.engine.emplace()); });
  double threshold = 0;
  fields.Number("threshold", threshold, ParseCosineFloor);
  request.threshold = threshold;
  fields.Scalar("offence_class", request.offence_class, OrNone(ParseOffenceClass));
  fields.Flag("case", request.has_case_reference);
}

void ReadCase(FieldReader& fields, ExampleRequest& example) {
  const auto count = WholeNumber(0, std::numeric_limits<std::uint64_t>::max());
  fields.Scalar("name", example.name, Text(kShortText));
  fields.Scalar("at", example.at, ParseInstant);
  fields.Map("request", [&](FieldReader& request) { ReadRequest(request, example.request); });
  fields.Map("used_today", [&](FieldReader& used) {
    used.Number("in_all", example.probes_today, count);
    used.Number("by_officer", example.officer_today, count);
    used.Number("in_case", example.case_today, count);
  });
  fields.Scalar("expect", example.expected, ParseExpected);
  fields.Scalar("clause", example.expected_clause, TextOrNone(kMaxClause));
}

void ReadExamples(FieldReader& fields, ExampleRequests& examples, Reading& reading) {
  constexpr ListBound kCases{1, 1000};
  fields.Exactly("schema", kExamplesSchema);
  fields.Scalar("agreement", examples.agreement, AgreementId::Parse);
  fields.Maps("cases", kCases, examples.cases, ReadCase);
  fields.Finish();
  std::set<std::string> names;
  for (std::size_t i = 0; i < examples.cases.size(); ++i) {
    const std::string& name = examples.cases[i].name;
    const std::string path = "cases[" + std::to_string(i) + "].name";
    const auto place = reading.positions.find(path);
    if (name.empty() || names.insert(name).second || place == reading.positions.end()) continue;
    reading.issues.Add(place->second, path, "another case has this name");
  }
}

}  // namespace

ParsedExamples ParseExamples(std::string_view yaml) {
  Reading reading;
  ExampleRequests examples;
  CheckDocumentText(yaml, reading.issues);
  if (reading.issues.empty()) {
    const auto root = ReadYaml(yaml, reading.issues);
    if (root && root->kind == YamlNode::Kind::kMap) {
      FieldReader fields(*root, "", reading);
      ReadExamples(fields, examples, reading);
    } else if (root && !root->faulty) {
      reading.issues.Add(root->at, "", "the document must be a map of fields");
    }
  }
  ParsedExamples parsed;
  if (reading.issues.empty()) parsed.examples = std::move(examples);
  parsed.issues = std::move(reading.issues).Take();
  return parsed;
}

}  // namespace comity::policy
