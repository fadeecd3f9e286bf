// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/identity/people.h"
#include "services/matching/search_order.h"

namespace comity::gateway {

// A checked IdentifyRequest.
struct IdentifyAsked {
  matching::IdentifyOrder order;
  std::vector<policy::AgreementId> agreements;  // empty: all that permit it
  std::vector<policy::AgencyId> holders;        // empty: all that permit it
  std::chrono::milliseconds deadline{};
  std::string capture_ref;
  std::string_view embedding;  // of the request, which must outlive it
};

inline constexpr std::chrono::milliseconds kDefaultIdentifyDeadline{5'000};
inline constexpr std::chrono::milliseconds kShortestIdentifyDeadline{100};
inline constexpr std::chrono::milliseconds kLongestIdentifyDeadline{10'000};

// Checks every bound that recognition.proto states, the template's length and norm too.
// Errors: kInvalidArgument  names the field and what is allowed
Result<IdentifyAsked> ParseIdentify(const v1::IdentifyRequest& request, const policy::AgencyId& own,
                                    const identity::Caller& caller);

}  // namespace comity::gateway
