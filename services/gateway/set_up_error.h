// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"

namespace comity::gateway {

// Says which part of the set-up an error comes from.
template <typename T>
Result<T> At(std::string_view place, Result<T> result) {
  if (result) return result;
  return Fail(result.error().code, std::string(place) + ": " + result.error().detail);
}

}  // namespace comity::gateway
