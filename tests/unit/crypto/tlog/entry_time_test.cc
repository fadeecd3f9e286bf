// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry_time.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace comity::tlog {
namespace {

using testing::FailsWith;
using testing::IsOkAnd;

TEST(EntryTime, RoundTripsWithTheFewestDigits) {
  for (const std::string text :
       {"1970-01-01T00:00:00Z", "2026-11-25T08:00:00Z", "2026-11-25T08:00:00.250Z",
        "2026-11-25T08:00:00.250125Z", "2024-02-29T23:59:59.999999Z", "9999-12-31T23:59:59Z",
        "2026-11-25T08:00:00.000001Z", "2026-11-25T08:00:00.001Z"}) {
    const auto time = ParseEntryTime(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(EncodeEntryTime(*time), text);
  }
}

TEST(EntryTime, CountsFromTheEpoch) {
  EXPECT_THAT(ParseEntryTime("2026-11-25T08:00:00.250Z"),
              IsOkAnd(::testing::Eq(EntryTime(std::chrono::microseconds(1795593600250000)))));
}

TEST(EntryTime, RefusesOtherSpellings) {
  for (const std::string text : {"",
                                 "Z",
                                 "2026-11-25",
                                 "2026-11-25T08:00:00",
                                 "2026-11-25T08:00:00+00:00",
                                 "2026-11-25t08:00:00Z",
                                 "2026-11-25T08:00:00z",
                                 "2026-11-25 08:00:00Z",
                                 "2026-11-25T08:00:00.Z",
                                 "2026-11-25T08:00:00.0Z",
                                 "2026-11-25T08:00:00.000Z",
                                 "2026-11-25T08:00:00.25Z",
                                 "2026-11-25T08:00:00.250000Z",
                                 "2026-11-25T08:00:00.2501Z",
                                 "2026-11-25T24:00:00Z",
                                 "2026-11-25T08:60:00Z",
                                 "2026-11-25T08:00:60Z",
                                 "2026-13-25T08:00:00Z",
                                 "2026-00-25T08:00:00Z",
                                 "2026-02-29T08:00:00Z",
                                 "2026-11-00T08:00:00Z",
                                 "2026-11-31T08:00:00Z",
                                 "1969-12-31T23:59:59Z",
                                 "2026-11-25T08:00:00Zx",
                                 "-026-11-25T08:00:00Z",
                                 "2026-11-25T+8:00:00Z"}) {
    EXPECT_THAT(ParseEntryTime(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace comity::tlog
