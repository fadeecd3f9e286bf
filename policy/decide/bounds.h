// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "policy/model/agreement.h"
#include "policy/model/decision.h"

namespace comity::policy {

// The bounds of a permission in the order in which they are tried; kAll: every one is kept.
enum class Bound {
  kPurpose,
  kCase,
  kOffence,
  kCategory,
  kRole,
  kUse,
  kMode,
  kEngine,
  kThreshold,
  kAll
};
ReasonCode ReasonOf(Bound bound);  // of a denial by it
// The clause that holds the bound: `p1.roles`, `purposes.<code>.offence`.
std::string ClauseOf(const SearchPermission& permission, Bound bound, const PurposeCode& purpose);

// Whether the request keeps one bound. `purpose` is the agreement's purpose of the request's code;
// null (no such purpose) breaks kPurpose, kCase and kOffence. The request is well formed
// (FindMalformedField): nothing but agreement and offence is absent.
bool Keeps(const SearchPermission& permission, const Purpose* purpose, const SearchRequest& request,
           Bound bound);
// The first bound that the request does not keep.
Bound FirstBroken(const SearchPermission& permission, const Purpose* purpose,
                  const SearchRequest& request);

// Whether the prohibition matches the request, which is well formed.
bool Forbids(const Prohibition& prohibition, const SearchRequest& request);

}  // namespace comity::policy
