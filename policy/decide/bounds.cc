// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/bounds.h"

#include <algorithm>

namespace comity::policy {
namespace {

template <typename T>
bool Contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool MeetsFloor(const Purpose& purpose, const std::optional<OffenceClass>& offence) {
  return !purpose.offence_floor || (offence && *offence >= *purpose.offence_floor);
}

}  // namespace

ReasonCode ReasonOf(Bound bound) {
  switch (bound) {
    case Bound::kPurpose:
      return ReasonCode::kPurposeNotCovered;
    case Bound::kCase:
      return ReasonCode::kCaseReferenceMissing;
    case Bound::kOffence:
      return ReasonCode::kOffenceBelowFloor;
    case Bound::kCategory:
      return ReasonCode::kCategoryNotCovered;
    case Bound::kRole:
      return ReasonCode::kRoleNotCovered;
    case Bound::kUse:
      return ReasonCode::kUseNotCovered;
    case Bound::kMode:
      return ReasonCode::kModeNotCovered;
    case Bound::kEngine:
      return ReasonCode::kEngineNotCovered;
    case Bound::kThreshold:
      return ReasonCode::kThresholdBelowFloor;
    case Bound::kAll:
      break;
  }
  return ReasonCode::kStateUnreadable;
}

std::string ClauseOf(const SearchPermission& permission, Bound bound, const PurposeCode& purpose) {
  switch (bound) {
    case Bound::kPurpose:
      return permission.id + ".purposes";
    case Bound::kCase:
      return "purposes." + purpose.text() + ".case";
    case Bound::kOffence:
      return "purposes." + purpose.text() + ".offence";
    case Bound::kCategory:
      return permission.id + ".list_categories";
    case Bound::kRole:
      return permission.id + ".roles";
    case Bound::kUse:
      return permission.id + ".uses";
    case Bound::kMode:
      return permission.id + ".mode";
    case Bound::kEngine:
      return permission.id + ".engine";
    case Bound::kThreshold:
      return permission.id + ".threshold_floor";
    case Bound::kAll:
      break;
  }
  return permission.id;
}

bool Keeps(const SearchPermission& permission, const Purpose* purpose, const SearchRequest& request,
           Bound bound) {
  switch (bound) {
    case Bound::kPurpose:
      return purpose != nullptr && Contains(permission.purposes, *request.purpose);
    case Bound::kCase:
      return purpose != nullptr &&
             (!purpose->requires_case_reference || request.has_case_reference);
    case Bound::kOffence:
      return purpose != nullptr && MeetsFloor(*purpose, request.offence_class);
    case Bound::kCategory:
      return std::all_of(request.list_categories.begin(), request.list_categories.end(),
                         [&](const ListCategory& category) {
                           return Contains(permission.list_categories, category);
                         });
    case Bound::kRole:
      return Contains(permission.roles, *request.role);
    case Bound::kUse:
      return Contains(permission.uses, *request.use);
    case Bound::kMode:
      return permission.mode == *request.mode;
    case Bound::kEngine:
      return permission.engine == *request.engine;
    case Bound::kThreshold:
      // Written so that a NaN on either side is below.
      return *request.threshold >= permission.threshold_floor;
    case Bound::kAll:
      break;
  }
  return true;
}

Bound FirstBroken(const SearchPermission& permission, const Purpose* purpose,
                  const SearchRequest& request) {
  for (int i = 0; i < static_cast<int>(Bound::kAll); ++i) {
    const auto bound = static_cast<Bound>(i);
    if (!Keeps(permission, purpose, request, bound)) return bound;
  }
  return Bound::kAll;
}

bool Forbids(const Prohibition& prohibition, const SearchRequest& request) {
  const auto in_categories = [&](const ListCategory& category) {
    return Contains(prohibition.list_categories, category);
  };
  return (prohibition.requesters.empty() || Contains(prohibition.requesters, request.requester)) &&
         (prohibition.purposes.empty() || Contains(prohibition.purposes, *request.purpose)) &&
         (prohibition.list_categories.empty() ||
          std::any_of(request.list_categories.begin(), request.list_categories.end(),
                      in_categories));
}

}  // namespace comity::policy
