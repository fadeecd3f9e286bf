// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/request_form.h"

#include <algorithm>

namespace comity::policy {
namespace {

constexpr std::size_t kMaxCategories = 16;  // proto SearchTerms.list_categories

// A value cast from a number that no term has gets no name.
template <typename Term>
bool IsKnown(const std::optional<Term>& term) {
  return term && Name(*term) != "unknown";
}

bool IsEngineText(std::string_view text) {
  constexpr std::size_t kMaxSize = 64;
  return !text.empty() && text.size() <= kMaxSize &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool IsEngine(const EngineProfile& engine) {
  return IsEngineText(engine.name) && IsEngineText(engine.version) &&
         engine.dimension >= EngineProfile::kMinDimension &&
         engine.dimension <= EngineProfile::kMaxDimension;
}

bool AreCategories(const std::vector<ListCategory>& categories) {
  return !categories.empty() && categories.size() <= kMaxCategories &&
         std::all_of(categories.begin(), categories.end(),
                     [](const ListCategory& category) { return IsListCategory(category.text()); });
}

// A cosine; written so that NaN is outside.
bool IsCosine(double threshold) {
  return threshold >= -1.0 && threshold <= 1.0;
}

}  // namespace

std::optional<std::string_view> FindMalformedField(const SearchRequest& request) {
  if (request.requester.empty()) return "requester";
  if (request.holder.empty() || request.holder == request.requester) return "holder";
  if (!request.purpose || request.purpose->empty()) return "purpose";
  if (!IsKnown(request.role)) return "role";
  if (!IsKnown(request.use)) return "use";
  if (!IsKnown(request.mode)) return "mode";
  if (!AreCategories(request.list_categories)) return "list_categories";
  if (!request.engine || !IsEngine(*request.engine)) return "engine";
  if (!request.threshold || !IsCosine(*request.threshold)) return "threshold";
  if (request.offence_class && !IsKnown(request.offence_class)) return "offence_class";
  return std::nullopt;
}

}  // namespace comity::policy
