// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"

// Bounds of what people ask for: deployments and single searches. All fail with kInvalidArgument;
// the detail begins with the field.
namespace comity::matching {

inline constexpr std::size_t kMaxSearchCategories = 16;
inline constexpr std::size_t kMaxSearchAgreements = 32;
inline constexpr std::size_t kMaxSearchHolders = 32;
inline constexpr std::size_t kMaxCaseRef = 64;

tl::unexpected<Error> Wrong(std::string_view field, std::string_view rule);

// UTF-8 without control characters, 1 to `limit` octets.
Status CheckText(std::string_view field, std::string_view text, std::size_t limit);
Status CheckEngineProfile(const policy::EngineProfile& engine);
// 1 to 16 terms of the closed list, no two equal.
Status CheckCategories(const std::vector<policy::ListCategory>& categories);
// At most 32, none empty, no two equal.
Status CheckAgreements(const std::vector<policy::AgreementId>& agreements);
Status CheckHolders(const std::vector<policy::AgencyId>& holders);
// Above 0, at most 1.
Status CheckThreshold(double threshold);

}  // namespace comity::matching
