// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"

namespace comity::policy {

// A name with a kind, so that an agency cannot be passed where an agreement is meant. Made only by
// Parse, hence always well formed: 1..64 characters a-z 0-9 and '-', first a letter, last not '-'.
template <typename Kind>
class Id {
 public:
  Id() = default;  // the empty id: equal to no parsed one
  // Errors: kInvalidArgument  not of the form above
  static Result<Id> Parse(std::string_view text);
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  explicit Id(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

using AgencyId = Id<struct AgencyKind>;            // northshire-police
using AgreementId = Id<struct AgreementKind>;      // northshire-eastvale-2026
using PurposeCode = Id<struct PurposeKind>;        // court-order-arrest; defined by each agreement
using ListCategory = Id<struct ListCategoryKind>;  // wanted-by-courts; closed list in terms.h
using WatchlistId = Id<struct WatchlistKind>;      // operation-lantern
using PersonId = Id<struct PersonKind>;            // the <id> of spiffe://<domain>/person/<id>
using DeploymentId = Id<struct DeploymentKind>;    // d-<26 characters>; made by the gateway

// True for the form every Id has.
bool IsWellFormedId(std::string_view text);

template <typename Kind>
Result<Id<Kind>> Id<Kind>::Parse(std::string_view text) {
  if (!IsWellFormedId(text)) {
    return Fail(ErrorCode::kInvalidArgument,
                "an id has 1 to 64 characters a-z, 0-9 and '-', starts with a letter and does not "
                "end with '-'");
  }
  return Id(std::string(text));
}

}  // namespace comity::policy

template <typename Kind>
struct std::hash<comity::policy::Id<Kind>> {
  std::size_t operator()(const comity::policy::Id<Kind>& id) const {
    return std::hash<std::string>()(id.text());
  }
};
