// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/entry_fields.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "policy/model/terms.h"
#include "services/watchlists/object_reader.h"

namespace comity::watchlists {
namespace {

using Json = nlohmann::json;
using Faults = std::vector<std::string>;
using Terms = std::string_view;
constexpr Need kMandatory = Need::kMandatory;
constexpr Need kOptional = Need::kOptional;

constexpr std::array<Terms, 8> kSubjectCategories = {
    "suspect", "about-to-offend", "convicted",  "victim",
    "witness", "missing",         "vulnerable", "other"};
constexpr std::array<Terms, 4> kSourceKinds = {"custody", "warrant", "third-party", "other"};
constexpr std::array<Terms, 2> kFactOrAssessment = {"fact", "assessment"};
constexpr std::array<Terms, 3> kPriorities = {"red", "amber", "green"};
constexpr std::array<Terms, 2> kHandlingCodes = {"P", "C"};
constexpr std::array<Terms, 2> kCompleteness = {"complete", "partial"};
// UK 3x5x2: source 1..3, information A..E; the third part is handling_code.
constexpr std::array<Terms, 15> kGrades = {"1A", "1B", "1C", "1D", "1E", "2A", "2B", "2C",
                                           "2D", "2E", "3A", "3B", "3C", "3D", "3E"};

// What stands in an EntryRecord itself rather than in its sealed fields.
constexpr std::array<Terms, 4> kClearFields = {"reference", "category", "valid_from", "expires_at"};

std::string Composed(std::string_view priority, std::string_view text, std::string_view safety) {
  std::string code = std::string(priority) + ": " + std::string(text);
  if (!safety.empty()) code += " [safety: " + std::string(safety) + "]";
  return code;
}

void CheckImage(const Json& object, Faults& faults) {
  ObjectReader image(object, "image.", faults);
  image.Term("source_kind", kMandatory, kSourceKinds);
  image.Text("acquisition_legal_basis", kMandatory, 256);
  image.Date("captured_on", kOptional);
  image.Flag("third_party_sensitive", kOptional);
  if (const Json* const inner = image.Object("quality", kOptional)) {
    ObjectReader quality(*inner, "image.quality.", faults);
    quality.Text("metric", kMandatory, 64);
    quality.Whole("value", kMandatory, 100);  // ISO/IEC 29794-1: quality scores are 0..100
    quality.Finish();
  }
  image.Finish();
}

void CheckRationale(const Json& object, Faults& faults) {
  ObjectReader rationale(object, "rationale.", faults);
  rationale.Text("necessity", kMandatory, 2000);
  rationale.Text("proportionality", kMandatory, 2000);
  rationale.Time("at", kMandatory);
  rationale.Finish();
}

void CheckReliability(const Json& object, Faults& faults) {
  ObjectReader reliability(object, "reliability.", faults);
  reliability.Time("as_of", kMandatory);
  reliability.Term("grade", kOptional, kGrades);
  reliability.Term("completeness", kOptional, kCompleteness);
  reliability.Finish();
}

void CheckResponse(const Json& object, Faults& faults) {
  ObjectReader response(object, "response.", faults);
  const auto priority = response.Term("priority", kMandatory, kPriorities);
  const auto text = response.Text("text", kMandatory, kMaxResponseCode);
  const auto safety = response.Text("officer_safety_code", kOptional, 64);
  response.Finish();
  if (!priority || !text) return;
  const std::size_t size = Composed(*priority, *text, safety.value_or("")).size();
  if (size > kMaxResponseCode) {
    faults.push_back("`response` makes a response code of " + std::to_string(size) +
                     " octets (priority, text and officer_safety_code together); " +
                     std::to_string(kMaxResponseCode) + " travel with a hit: shorten the text");
  }
}

std::string CheckReference(ObjectReader& entry) {
  std::string reference = entry.Text("reference", kMandatory, 64).value_or("");
  const bool printable =
      std::all_of(reference.begin(), reference.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable)
    entry.Fault("reference", "has a character that is not printable ASCII, or a space");
  return reference;
}

void CheckTimes(ObjectReader& entry, policy::Instant now, EntryFields& fields) {
  const auto from = entry.Time("valid_from", kMandatory);
  const auto until = entry.Time("expires_at", kMandatory);
  entry.Time("review_by", kOptional);
  if (!from || !until) return;
  fields.valid_from = *from;
  fields.expires_at = *until;
  if (*until <= now) entry.Fault("expires_at", "is in the past: " + policy::EncodeInstant(*until));
  if (*until <= *from) entry.Fault("expires_at", "is not after `valid_from`");
}

void CheckParts(ObjectReader& entry, Faults& faults) {
  if (const Json* const image = entry.Object("image", kMandatory)) CheckImage(*image, faults);
  if (const Json* const part = entry.Object("rationale", kMandatory)) CheckRationale(*part, faults);
  if (const Json* const part = entry.Object("response", kMandatory)) CheckResponse(*part, faults);
  if (const Json* const part = entry.Object("reliability", kOptional)) {
    CheckReliability(*part, faults);
  }
  entry.Term("subject_category", kOptional, kSubjectCategories);
  entry.Flag("identified", kOptional);
  entry.Term("fact_or_assessment", kOptional, kFactOrAssessment);
  entry.Text("offence_code", kOptional, 64);
  entry.Whole("max_penalty_years", kOptional, 99);
  entry.Term("handling_code", kOptional, kHandlingCodes);
  entry.Text("identity_ref", kOptional, 128);
}

std::string SealedFields(Json object) {
  for (const std::string_view name : kClearFields) object.erase(std::string(name));
  return EncodeCanonicalJson(object);
}

}  // namespace

tl::expected<EntryFields, Faults> CheckEntry(const Json& object, policy::Instant now) {
  Faults faults;
  EntryFields fields;
  ObjectReader entry(object, "", faults);
  fields.reference = CheckReference(entry);
  const auto category = entry.Term("category", kMandatory, policy::kListCategories);
  if (category) fields.category = policy::ListCategory::Parse(*category).value();
  CheckTimes(entry, now, fields);
  CheckParts(entry, faults);
  entry.Finish();
  if (!faults.empty()) return tl::unexpected(std::move(faults));
  fields.sealed_fields = SealedFields(object);
  return fields;
}

Result<std::string> ResponseCode(std::string_view sealed_fields) {
  const Json object = Json::parse(sealed_fields, nullptr, false);
  const auto text = [&](const char* name) {
    const auto response = object.is_object() ? object.find("response") : object.end();
    if (response == object.end() || !response->is_object()) return std::string();
    const auto found = response->find(name);
    return found != response->end() && found->is_string() ? found->get<std::string>() : "";
  };
  std::string code = Composed(text("priority"), text("text"), text("officer_safety_code"));
  if (text("priority").empty() || text("text").empty() || code.size() > kMaxResponseCode) {
    return Fail(ErrorCode::kCorrupt, "the entry's fields have no response");
  }
  return code;
}

}  // namespace comity::watchlists
