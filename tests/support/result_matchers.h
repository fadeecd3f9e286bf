// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "crypto/base/result.h"

namespace comity::testing {

// EXPECT_THAT(Verify(...), IsOk());
MATCHER(IsOk, "is a success") {
  if (arg.has_value()) return true;
  *result_listener << Name(arg.error().code) << ": " << arg.error().detail;
  return false;
}

// EXPECT_THAT(Parse(...), FailsWith(ErrorCode::kInvalidArgument));
MATCHER_P(FailsWith, code, std::string("fails with ") + std::string(Name(code))) {
  if (arg.has_value()) {
    *result_listener << "succeeded";
    return false;
  }
  *result_listener << Name(arg.error().code) << ": " << arg.error().detail;
  return arg.error().code == code;
}

// EXPECT_THAT(Parse(...), IsOkAnd(Eq(3)));
MATCHER_P(IsOkAnd, matcher, "is a success and its value matches") {
  if (!arg.has_value()) {
    *result_listener << Name(arg.error().code) << ": " << arg.error().detail;
    return false;
  }
  return ::testing::ExplainMatchResult(matcher, arg.value(), result_listener);
}

}  // namespace comity::testing
