// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/bound_words.h"

#include "policy/agreement/clauses.h"

namespace comity::policy {
namespace {

template <typename Kind>
std::string Text(const Id<Kind>& id) {
  return id.text();
}
std::string Text(RequesterRole role) {
  return std::string(Name(role));
}
std::string Text(UseMode use) {
  return std::string(Name(use));
}
std::string Text(const EngineProfile& engine) {
  return engine.name + " " + engine.version + " with " + std::to_string(engine.dimension) +
         " elements";
}

template <typename T>
std::string Listed(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ", ") + Text(value);
  return text;
}

std::string Asked(const std::string& what, const std::string& asked, const std::string& permitted) {
  return what + " " + asked + "; permitted: " + permitted;
}

std::string CaseWords(const Purpose* purpose, const SearchRequest& request) {
  const std::string given =
      request.has_case_reference ? "a case stands behind it" : "no case stands behind it";
  const bool demanded = purpose != nullptr && purpose->requires_case_reference;
  return given + (demanded ? "; the purpose demands one" : "");
}

std::string OffenceWords(const Purpose* purpose, const SearchRequest& request) {
  const std::string given =
      request.offence_class ? "offence of the class " + std::string(Name(*request.offence_class))
                            : "no offence is stated";
  if (purpose == nullptr || !purpose->offence_floor) return given;
  return given + "; the floor is " + std::string(Name(*purpose->offence_floor));
}

}  // namespace

std::string WordsOf(const SearchPermission& permission, const Purpose* purpose,
                    const SearchRequest& request, Bound bound) {
  switch (bound) {
    case Bound::kPurpose:
      return Asked("purpose", Text(*request.purpose), Listed(permission.purposes));
    case Bound::kCase:
      return CaseWords(purpose, request);
    case Bound::kOffence:
      return OffenceWords(purpose, request);
    case Bound::kCategory:
      return Asked("categories", Listed(request.list_categories),
                   Listed(permission.list_categories));
    case Bound::kRole:
      return Asked("role", Text(*request.role), Listed(permission.roles));
    case Bound::kUse:
      return Asked("use", Text(*request.use), Listed(permission.uses));
    case Bound::kMode:
      return Asked("mode", std::string(Name(*request.mode)), std::string(Name(permission.mode)));
    case Bound::kEngine:
      return Asked("engine", Text(*request.engine), Text(permission.engine));
    case Bound::kThreshold:
      return "threshold " + DecimalText(*request.threshold) + " is " +
             (*request.threshold >= permission.threshold_floor ? "at or above" : "below") +
             " the floor of " + DecimalText(permission.threshold_floor);
    case Bound::kAll:
      break;
  }
  return "";
}

}  // namespace comity::policy
