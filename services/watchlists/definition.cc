// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/definition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "crypto/hash/sha256.h"
#include "policy/agreement/document_text.h"
#include "policy/agreement/field_reader.h"
#include "policy/agreement/field_values.h"
#include "policy/agreement/yaml_tree.h"

namespace comity::watchlists {
namespace {

using policy::FieldReader;
using policy::Reading;
using policy::Text;
using policy::WholeNumber;

constexpr std::uint64_t kMostFaces = 1'000'000'000;
constexpr std::uint64_t kMostEntries = 1'000'000;
constexpr std::array<std::pair<UseCase, std::string_view>, 5> kUseCases = {
    {{UseCase::kHotspot, "hotspot"},
     {UseCase::kProtectiveSecurity, "protective-security"},
     {UseCase::kLocatedIntelligence, "located-intelligence"},
     {UseCase::kMissingPerson, "missing-person"},
     {UseCase::kCourtOrder, "court-order"}}};
constexpr std::array<std::pair<Exception, std::string_view>, 3> kExceptions = {
    {{Exception::kUnder18, "under-18"},
     {Exception::kNeverCharged, "never-charged"},
     {Exception::kOrderedDeleted, "ordered-deleted"}}};

template <typename Table, typename Term>
std::string_view NameIn(const Table& table, Term term) {
  for (const auto& [each, name] : table) {
    if (each == term) return name;
  }
  return "unknown";
}

template <typename Table>
auto OneOf(const Table& table) {
  using Term = decltype(table.front().first);
  return [&table](std::string_view text) -> Result<std::remove_const_t<Term>> {
    std::string allowed;
    for (const auto& [term, name] : table) {
      if (name == text) return term;
      allowed.append(allowed.empty() ? "" : ", ").append(name);
    }
    return Fail(ErrorCode::kInvalidArgument, "must be one of: " + allowed);
  };
}

// Error rates of good engines are far below what nine digits can say.
Result<double> ParseRate(std::string_view text) {
  constexpr std::size_t kMaxSize = 20;
  const auto is_plain = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  double value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (text.size() > kMaxSize || !text.starts_with("0.") ||
      !std::all_of(text.begin(), text.end(), is_plain) || fault != std::errc() ||
      end != text.data() + text.size() || !(value > 0) || !(value < 1)) {
    return Fail(ErrorCode::kInvalidArgument,
                "must be a rate above 0 and below 1 in plain decimal digits, such as 0.000001");
  }
  return value;
}

void ReadEngine(FieldReader& fields, ListDefinition& list) {
  fields.Scalar("name", list.engine.name, policy::ParseEngineText);
  fields.Scalar("version", list.engine.version, policy::ParseEngineText);
  fields.Number("dimension", list.engine.dimension,
                policy::SmallNumber(policy::EngineProfile::kMinDimension,
                                    policy::EngineProfile::kMaxDimension));
  fields.Exactly("metric", "cosine");
  fields.Number("threshold", list.threshold, policy::ParseCosineFloor);
  fields.Scalar("test_report", list.test_report, Text(policy::kShortText));
  fields.Number("false_match_rate", list.false_match_rate, ParseRate);
}

void ReadQuality(FieldReader& fields, ListDefinition& list) {
  fields.Scalar("metric", list.quality_metric, policy::ParseEngineText);
  std::uint64_t minimum = 0;
  fields.Number("minimum", minimum, WholeNumber(0, 100));
  list.quality_minimum = static_cast<std::int64_t>(minimum);
}

void ReadDefinition(FieldReader& fields, ListDefinition& list) {
  fields.Exactly("schema", kDefinitionSchema);
  fields.Scalar("reference", list.reference, policy::WatchlistId::Parse);
  fields.Scalar("operation_ref", list.operation_ref, Text(64));
  fields.Scalar("objective", list.objective, Text(policy::kLongText));
  fields.Scalar("use_case", list.use_case, OneOf(kUseCases));
  fields.Scalar("purpose", list.purpose, policy::ParsePurposeCode);
  fields.List("agreements", {0, 16}, list.agreements, policy::AgreementId::Parse);
  fields.List("places", {1, 32}, list.places, Text(256));
  fields.Scalar("starts_at", list.starts_at, policy::ParseInstant);
  fields.Scalar("ends_at", list.ends_at, policy::ParseInstant);
  fields.Scalar("criteria", list.criteria, Text(4000));
  fields.Scalar("intelligence_case_ref", list.intelligence_case_ref, Text(64));
  fields.Maps("categories", {1, 8}, list.categories, [](FieldReader& each, ListedCategory& listed) {
    each.Scalar("category", listed.category, policy::ParseListCategory);
    each.Scalar("added_value", listed.added_value, Text(policy::kLongText));
  });
  fields.Map("engine", [&](FieldReader& engine) { ReadEngine(engine, list); });
  fields.Number("expected_faces", list.expected_faces, WholeNumber(1, kMostFaces));
  fields.Number("false_alert_budget", list.false_alert_budget, WholeNumber(0, kMostFaces));
  fields.Number("size_cap", list.size_cap, WholeNumber(1, kMostEntries));
  fields.Map("quality", [&](FieldReader& quality) { ReadQuality(quality, list); });
  fields.Scalar("information_max_age", list.information_max_age, policy::ParseDuration);
  fields.Flag("includes_under_18", list.includes_under_18);
  fields.Maps("grounds", {0, 3}, list.grounds, [](FieldReader& each, Ground& ground) {
    each.Scalar("exception", ground.exception, OneOf(kExceptions));
    each.Scalar("text", ground.text, Text(policy::kLongText));
  });
  fields.Finish();
}

void CheckRules(const ListDefinition& list, Reading& reading) {
  const auto fault = [&](const std::string& path, std::string message) {
    const auto at = reading.positions.find(path);
    reading.issues.Add(at == reading.positions.end() ? policy::Position{} : at->second, path,
                       std::move(message));
  };
  if (list.ends_at <= list.starts_at) {
    fault("ends_at", "is not after `starts_at`");
  } else if (list.ends_at - list.starts_at > kMaxListLength) {
    fault("ends_at", "is more than 366 days after `starts_at`: a list serves one operation");
  }
  for (std::size_t i = 0; i < list.categories.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (list.categories[i].category != list.categories[j].category) continue;
      fault("categories[" + std::to_string(i) + "].category", "stands in the list twice");
    }
  }
  for (std::size_t i = 0; i < list.grounds.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (list.grounds[i].exception != list.grounds[j].exception) continue;
      fault("grounds[" + std::to_string(i) + "].exception", "stands in the list twice");
    }
  }
  if (list.includes_under_18 != list.HasGround(Exception::kUnder18)) {
    fault("includes_under_18", list.includes_under_18
                                   ? "needs a ground whose exception is under-18"
                                   : "is false, yet there is a ground for under-18");
  }
}

std::string Decimal(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

template <typename Items, typename Each>
std::string Joined(const Items& items, Each each) {
  std::string text;
  for (const auto& item : items) text.append(text.empty() ? "" : ", ").append(each(item));
  return text;
}

}  // namespace

std::string_view Name(UseCase term) {
  return NameIn(kUseCases, term);
}
std::string_view Name(Exception term) {
  return NameIn(kExceptions, term);
}

bool ListDefinition::Takes(const policy::ListCategory& category) const {
  return std::any_of(categories.begin(), categories.end(),
                     [&](const ListedCategory& each) { return each.category == category; });
}

bool ListDefinition::HasGround(Exception exception) const {
  return std::any_of(grounds.begin(), grounds.end(),
                     [&](const Ground& each) { return each.exception == exception; });
}

ParsedDefinition ParseDefinition(std::string_view yaml) {
  Reading reading;
  ListDefinition list;
  if (yaml.size() > kMaxDefinitionBytes) {
    reading.issues.Add({}, "", "the document has more than 64 KiB");
  } else {
    policy::CheckDocumentText(yaml, reading.issues);
  }
  // Bytes outside the subset are not shown to the YAML reader.
  if (reading.issues.empty()) {
    const auto root = policy::ReadYaml(yaml, reading.issues);
    if (root && root->kind == policy::YamlNode::Kind::kMap) {
      FieldReader fields(*root, "", reading);
      ReadDefinition(fields, list);
    } else if (root && !root->faulty) {
      reading.issues.Add(root->at, "", "the document must be a map of fields");
    }
  }
  if (reading.issues.empty()) CheckRules(list, reading);
  ParsedDefinition parsed;
  if (reading.issues.empty()) {
    list.sha256 = hash::Sha256(AsBytes(yaml));
    parsed.definition = std::move(list);
  }
  parsed.issues = std::move(reading.issues).Take();
  return parsed;
}

Prediction Predict(const ListDefinition& definition, std::uint64_t entries) {
  Prediction prediction;
  // 1 - (1 - FMR)^N without the loss of digits that the plain formula has for small rates.
  prediction.fpir =
      -std::expm1(static_cast<double>(entries) * std::log1p(-definition.false_match_rate));
  prediction.false_alerts = prediction.fpir * static_cast<double>(definition.expected_faces);
  return prediction;
}

std::string Describe(const ListDefinition& list) {
  std::string text = "List " + list.reference.text() + " for operation " + list.operation_ref +
                     ", use case " + std::string(Name(list.use_case)) + ".\n";
  text += "Objective: " + list.objective + "\n";
  text += "Purpose " + list.purpose.text() + "; " +
          (list.agreements.empty()
               ? "no partner may search it"
               : "partners may search it under " +
                     Joined(list.agreements, [](const auto& id) { return id.text(); })) +
          ".\n";
  text += "Where: " + Joined(list.places, [](const auto& place) { return place; }) + ".\n";
  text += "When: from " + policy::EncodeInstant(list.starts_at) + " until " +
          policy::EncodeInstant(list.ends_at) + ".\n";
  text += "Who: " + list.criteria + "\n";
  text += "Intelligence case: " + list.intelligence_case_ref + ".\n";
  for (const ListedCategory& listed : list.categories) {
    text += "Category " + listed.category.text() + " adds: " + listed.added_value + "\n";
  }
  text += "Engine " + list.engine.name + " " + list.engine.version + ", " +
          std::to_string(list.engine.dimension) + " dimensions, threshold " +
          Decimal(list.threshold) + "; false match rate " + Decimal(list.false_match_rate) +
          " by test report " + list.test_report + ".\n";
  text += "Images of at least " + std::to_string(list.quality_minimum) + " by " +
          list.quality_metric + "; what is known of a person is at most " +
          policy::EncodeDuration(list.information_max_age) + " old.\n";
  text += list.includes_under_18 ? "CHILDREN ARE INCLUDED.\n" : "Children are excluded.\n";
  for (const Ground& ground : list.grounds) {
    text += "Ground for " + std::string(Name(ground.exception)) + ": " + ground.text + "\n";
  }
  return text;
}

}  // namespace comity::watchlists
