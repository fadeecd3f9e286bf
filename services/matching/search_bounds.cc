// SPDX-License-Identifier: Apache-2.0
#include "services/matching/search_bounds.h"

#include <algorithm>
#include <set>
#include <string>

#include "crypto/base/utf8.h"
#include "policy/model/terms.h"
#include "services/identity/visible_text.h"

namespace comity::matching {
namespace {

constexpr std::size_t kMaxProfileText = 64;

bool IsProfileText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxProfileText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

template <typename T>
bool AreDistinct(const std::vector<T>& values) {
  return std::set<T>(values.begin(), values.end()).size() == values.size();
}

template <typename T>
Status CheckIds(std::string_view field, const std::vector<T>& ids, std::size_t limit) {
  if (ids.size() > limit) return Wrong(field, "must name at most " + std::to_string(limit));
  if (std::any_of(ids.begin(), ids.end(), [](const T& id) { return id.empty(); })) {
    return Wrong(field, "has an empty one");
  }
  if (!AreDistinct(ids)) return Wrong(field, "has one twice");
  return {};
}

}  // namespace

tl::unexpected<Error> Wrong(std::string_view field, std::string_view rule) {
  return Fail(ErrorCode::kInvalidArgument, std::string(field) + " " + std::string(rule));
}

Status CheckText(std::string_view field, std::string_view text, std::size_t limit) {
  return identity::CheckVisibleText(field, text, limit);
}

Status CheckEngineProfile(const policy::EngineProfile& engine) {
  if (!IsProfileText(engine.name)) {
    return Wrong("engine.name", "must have 1 to 64 printable ASCII characters");
  }
  if (!IsProfileText(engine.version)) {
    return Wrong("engine.version", "must have 1 to 64 printable ASCII characters");
  }
  if (engine.dimension < policy::EngineProfile::kMinDimension ||
      engine.dimension > policy::EngineProfile::kMaxDimension) {
    return Wrong("engine.dimension", "must be 32 to 2048");
  }
  return {};
}

Status CheckCategories(const std::vector<policy::ListCategory>& categories) {
  if (categories.empty() || categories.size() > kMaxSearchCategories) {
    return Wrong("list_categories", "must name 1 to 16 categories");
  }
  if (!AreDistinct(categories)) return Wrong("list_categories", "has one twice");
  for (const policy::ListCategory& category : categories) {
    if (!policy::IsListCategory(category.text())) {
      return Wrong("list_categories",
                   "has a term that is not a list category; see docs/formats/agreement.md");
    }
  }
  return {};
}

Status CheckAgreements(const std::vector<policy::AgreementId>& agreements) {
  return CheckIds("agreements", agreements, kMaxSearchAgreements);
}

Status CheckHolders(const std::vector<policy::AgencyId>& holders) {
  return CheckIds("holders", holders, kMaxSearchHolders);
}

Status CheckThreshold(double threshold) {
  if (threshold > 0 && threshold <= 1) return {};
  return Wrong("threshold", "must be above 0 and at most 1");
}

}  // namespace comity::matching
