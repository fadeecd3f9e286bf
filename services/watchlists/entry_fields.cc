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
using policy::SubjectCategory;
constexpr Need kMandatory = Need::kMandatory;
constexpr Need kOptional = Need::kOptional;

constexpr std::array<Terms, 8> kSubjectCategories = {
    "suspect", "about-to-commit", "convicted",  "victim",
    "witness", "missing",         "vulnerable", "other"};
constexpr std::array<Terms, 4> kSourceKinds = {"custody", "warrant", "third-party", "other"};
// What became of the matter in which the image was taken (WL-13).
constexpr std::array<Terms, 6> kDispositions = {
    "convicted",     "charged",         "released-no-further-action",
    "never-charged", "ordered-deleted", "not-applicable"};
constexpr std::array<Terms, 2> kFactOrAssessment = {"fact", "assessment"};
constexpr std::array<Terms, 3> kPriorities = {"red", "amber", "green"};
constexpr std::array<Terms, 2> kHandlingCodes = {"P", "C"};
constexpr std::array<Terms, 2> kCompleteness = {"complete", "partial"};
// UK 3x5x2: source 1..3, information A..E; the third part is handling_code.
constexpr std::array<Terms, 15> kGrades = {"1A", "1B", "1C", "1D", "1E", "2A", "2B", "2C",
                                           "2D", "2E", "3A", "3B", "3C", "3D", "3E"};
constexpr std::array<Terms, 3> kHigherCategories = {"victim", "witness", "associate"};

// What stands in an EntryRecord itself rather than in its sealed fields.
constexpr std::array<const char*, 6> kClearFields = {"reference",  "category",  "valid_from",
                                                     "expires_at", "review_by", "under_18"};

std::string Composed(std::string_view priority, std::string_view text, std::string_view safety) {
  std::string code = std::string(priority) + ": " + std::string(text);
  if (!safety.empty()) code += " [safety: " + std::string(safety) + "]";
  return code;
}

class EntryCheck {
 public:
  EntryCheck(const Json& object, const EntryRules& rules, policy::Instant now)
      : object_(object), rules_(rules), now_(now), entry_(object, "", faults_) {}
  tl::expected<EntryFields, Faults> Run();

 private:
  void CheckReference();
  void CheckWho();
  void CheckTimes();
  void CheckImage(const Json& object);
  void CheckDisposition(ObjectReader& image, const std::optional<std::string>& source);
  void CheckQuality(const Json& object);
  void CheckRationale(const Json& object);
  void CheckReliability(const Json& object);
  void CheckResponse(const Json& object);
  void CheckHandling();

  const Json& object_;
  const EntryRules& rules_;
  const policy::Instant now_;
  Faults faults_;
  ObjectReader entry_;
  EntryFields fields_;
};

void EntryCheck::CheckReference() {
  fields_.reference = entry_.Text("reference", kMandatory, 64).value_or("");
  const bool printable = std::all_of(fields_.reference.begin(), fields_.reference.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable) {
    entry_.Fault("reference", "has a character that is not printable ASCII, or a space");
  }
}

void EntryCheck::CheckWho() {
  const auto category = entry_.Term("category", kMandatory, policy::kListCategories);
  if (category) {
    fields_.category = policy::ListCategory::Parse(*category).value();
    const auto& taken = rules_.categories;
    if (std::find(taken.begin(), taken.end(), fields_.category) == taken.end()) {
      entry_.Fault("category", "is not one of the list's definition: " + *category);
    }
  }
  const auto subject = entry_.Term("subject_category", kMandatory, kSubjectCategories);
  if (subject) fields_.subject = policy::ParseSubjectCategory(*subject).value();
  fields_.under_18 = entry_.Flag("under_18", kMandatory).value_or(false);
  const bool vulnerable = entry_.Flag("vulnerable", kMandatory).value_or(false);
  if (fields_.under_18 && !rules_.under_18) {
    entry_.Fault("under_18", "is true; the list's definition excludes children");
  }
  const bool higher = category && std::find(kHigherCategories.begin(), kHigherCategories.end(),
                                            *category) != kHigherCategories.end();
  fields_.needs_approval = higher || fields_.under_18 || vulnerable ||
                           fields_.subject == SubjectCategory::kVictim ||
                           fields_.subject == SubjectCategory::kWitness ||
                           fields_.subject == SubjectCategory::kVulnerable;
  entry_.Flag("identified", kMandatory);
  entry_.Text("identity_ref", kOptional, 128);
}

void EntryCheck::CheckTimes() {
  const auto from = entry_.Time("valid_from", kMandatory);
  const auto until = entry_.Time("expires_at", kMandatory);
  const auto review = entry_.Time("review_by", kMandatory);
  const auto past = [&](const char* name, const std::optional<policy::Instant>& time) {
    if (time && *time <= now_) {
      entry_.Fault(name, "is in the past: " + policy::EncodeInstant(*time));
    }
  };
  past("expires_at", until);
  past("review_by", review);
  if (!from || !until || !review) return;
  fields_.valid_from = *from;
  fields_.expires_at = *until;
  fields_.review_by = *review;
  if (*until <= *from) entry_.Fault("expires_at", "is not after `valid_from`");
}

void EntryCheck::CheckDisposition(ObjectReader& image, const std::optional<std::string>& source) {
  const auto disposition = image.Term("disposition", kMandatory, kDispositions);
  if (!disposition) return;
  if (*disposition == "never-charged" && !rules_.never_charged) {
    image.Fault("disposition", "is never-charged; the list's definition names no ground for it");
  }
  if (*disposition == "ordered-deleted" && !rules_.ordered_deleted) {
    image.Fault("disposition", "is ordered-deleted; the list's definition names no ground for it");
  }
  if (*disposition == "not-applicable" && source == "custody") {
    image.Fault("disposition", "is not-applicable, but an image from custody has one");
  }
}

void EntryCheck::CheckQuality(const Json& object) {
  ObjectReader quality(object, "image.quality.", faults_);
  const auto metric = quality.Text("metric", kMandatory, 64);
  const auto value =
      quality.Whole("value", kMandatory, 100);  // ISO/IEC 29794-1: quality scores are 0..100
  quality.Finish();
  if (metric && *metric != rules_.quality_metric) {
    quality.Fault("metric", "is not that of the list's definition, " + rules_.quality_metric);
  } else if (metric && value && *value < rules_.quality_minimum) {
    quality.Fault("value", "is " + std::to_string(*value) + "; the list takes images from " +
                               std::to_string(rules_.quality_minimum) +
                               " on: the image is unsuitable");
  }
}

void EntryCheck::CheckImage(const Json& object) {
  ObjectReader image(object, "image.", faults_);
  const auto source = image.Term("source_kind", kMandatory, kSourceKinds);
  image.Text("acquisition_legal_basis", kMandatory, 256);
  image.DateOrUnknown("captured_on", kMandatory);
  image.Flag("third_party_sensitive", kMandatory);
  CheckDisposition(image, source);
  if (const Json* const quality = image.Object("quality", kMandatory)) CheckQuality(*quality);
  image.Finish();
}

void EntryCheck::CheckRationale(const Json& object) {
  ObjectReader rationale(object, "rationale.", faults_);
  rationale.Text("necessity", kMandatory, 2000);
  rationale.Text("proportionality", kMandatory, 2000);
  rationale.Text("by", kMandatory, 128);  // a post
  rationale.Time("at", kMandatory);
  rationale.Finish();
}

void EntryCheck::CheckReliability(const Json& object) {
  ObjectReader reliability(object, "reliability.", faults_);
  const auto as_of = reliability.Time("as_of", kMandatory);
  reliability.Term("grade", kMandatory, kGrades);
  reliability.Term("completeness", kMandatory, kCompleteness);
  reliability.Finish();
  if (!as_of) return;
  fields_.as_of = *as_of;
  if (*as_of > now_) reliability.Fault("as_of", "is in the future");
}

void EntryCheck::CheckResponse(const Json& object) {
  ObjectReader response(object, "response.", faults_);
  const auto priority = response.Term("priority", kMandatory, kPriorities);
  const auto text = response.Text("text", kMandatory, kMaxResponseCode);
  const auto safety = response.Text("officer_safety_code", kOptional, 64);
  response.Finish();
  if (!priority || !text) return;
  const std::size_t size = Composed(*priority, *text, safety.value_or("")).size();
  if (size > kMaxResponseCode) {
    faults_.push_back("`response` makes a response code of " + std::to_string(size) +
                      " octets (priority, text and officer_safety_code together); " +
                      std::to_string(kMaxResponseCode) + " travel with a hit: shorten the text");
  }
}

void EntryCheck::CheckHandling() {
  const auto code = entry_.Term("handling_code", kMandatory, kHandlingCodes);
  const auto conditions = entry_.Text("handling_conditions", kOptional, 1000);
  if (code == "C" && !conditions)
    entry_.Fault("handling_conditions", "is missing: code C has some");
  if (code == "P" && conditions) entry_.Fault("handling_conditions", "belongs to code C");
}

tl::expected<EntryFields, Faults> EntryCheck::Run() {
  CheckReference();
  CheckWho();
  CheckTimes();
  if (const Json* const part = entry_.Object("image", kMandatory)) CheckImage(*part);
  const Json* const rationale = entry_.Object("rationale", kMandatory);
  if (rationale != nullptr) CheckRationale(*rationale);
  if (const Json* const part = entry_.Object("reliability", kMandatory)) CheckReliability(*part);
  if (const Json* const part = entry_.Object("response", kMandatory)) CheckResponse(*part);
  entry_.Term("fact_or_assessment", kMandatory, kFactOrAssessment);
  entry_.Text("offence_code", kOptional, 64);
  entry_.Whole("max_penalty_years", kOptional, 99);
  CheckHandling();
  entry_.Finish();
  if (!faults_.empty()) return tl::unexpected(std::move(faults_));
  fields_.rationale = EncodeCanonicalJson(*rationale);
  Json rest = object_;
  for (const char* const name : kClearFields) rest.erase(name);
  fields_.sealed_fields = EncodeCanonicalJson(rest);
  return std::move(fields_);
}

tl::unexpected<Error> NoSuchFields() {
  return Fail(ErrorCode::kCorrupt, "the entry's fields are not what an import makes of them");
}

// Picks what a search needs out of an entry's fields and keeps nothing else: a start reads a
// million of them. What is no text is as if it were empty; of two members of one name the last
// counts.
class SearchTexts final : public Json::json_sax_t {
 public:
  std::string subject, priority, text, safety;

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool string(string_t& value) override {
    if (wanted_ != nullptr && depth_ == wanted_depth_) *wanted_ = std::move(value);
    return true;
  }
  bool start_object(std::size_t /*size*/) override {
    if (depth_ == 1) in_response_ = is_response_;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*size*/) override {
    if (depth_ == 1) in_response_ = false;
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      is_response_ = name == "response";
      if (is_response_) priority = text = safety = {};
      Want(name == "subject_category" ? &subject : nullptr);
    } else if (depth_ == 2) {
      Want(in_response_ ? OfResponse(name) : nullptr);
    }
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  std::string* OfResponse(std::string_view name) {
    if (name == "priority") return &priority;
    if (name == "text") return &text;
    return name == "officer_safety_code" ? &safety : nullptr;
  }
  void Want(std::string* member) {
    wanted_ = member;
    wanted_depth_ = depth_;
    if (member != nullptr) member->clear();
  }

  std::size_t depth_ = 0;     // objects and arrays that are open
  bool is_response_ = false;  // of the last member of the outermost object
  bool in_response_ = false;  // within that object's member
  std::string* wanted_ = nullptr;
  std::size_t wanted_depth_ = 0;
};

}  // namespace

EntryRules RulesOf(const ListDefinition& definition) {
  EntryRules rules;
  for (const ListedCategory& each : definition.categories)
    rules.categories.push_back(each.category);
  rules.quality_metric = definition.quality_metric;
  rules.quality_minimum = definition.quality_minimum;
  rules.under_18 = definition.includes_under_18;
  rules.never_charged = definition.HasGround(Exception::kNeverCharged);
  rules.ordered_deleted = definition.HasGround(Exception::kOrderedDeleted);
  return rules;
}

tl::expected<EntryFields, Faults> CheckEntry(const Json& object, const EntryRules& rules,
                                             policy::Instant now) {
  return EntryCheck(object, rules, now).Run();
}

Result<Json> EntryObject(const store::EntryRecord& record, std::string_view sealed_fields) {
  Json object = Json::parse(sealed_fields, nullptr, false);
  if (!object.is_object()) return NoSuchFields();
  object["reference"] = record.reference;
  object["category"] = record.category.text();
  object["valid_from"] = policy::EncodeInstant(record.valid_from);
  object["expires_at"] = policy::EncodeInstant(record.expires_at);
  object["review_by"] = policy::EncodeInstant(record.review_by);
  object["under_18"] = record.under_18;
  return object;
}

Result<SearchFields> ReadSearchFields(std::string_view sealed_fields) {
  SearchTexts texts;
  if (!Json::sax_parse(sealed_fields, &texts)) return NoSuchFields();
  SearchFields fields;
  fields.response_code = Composed(texts.priority, texts.text, texts.safety);
  const auto subject = policy::ParseSubjectCategory(texts.subject);
  if (!subject || texts.priority.empty() || texts.text.empty() ||
      fields.response_code.size() > kMaxResponseCode) {
    return NoSuchFields();
  }
  fields.subject = *subject;
  return fields;
}

}  // namespace comity::watchlists
