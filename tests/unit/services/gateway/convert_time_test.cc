// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_time.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::FailsWith;
using testing::IsOkAnd;

policy::Instant At(std::string_view text) {
  return policy::ParseInstant(text).value();
}

google::protobuf::Timestamp Timestamp(std::int64_t seconds, std::int32_t nanos) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

TEST(TimeOnTheWire, KeepsMicrosecondsFromFirstToLastMoment) {
  for (const auto* text : {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z",
                           "2026-11-25T08:00:00.250Z", "9999-12-31T23:59:59.999999Z"}) {
    EXPECT_THAT(FromProto(ToProto(At(text))), IsOkAnd(At(text))) << text;
  }
}

TEST(TimeOnTheWire, HasTheUsualForm) {
  const auto timestamp = ToProto(At("2026-11-25T08:00:00.250Z"));
  EXPECT_EQ(timestamp.seconds(), 1795593600);  // date -u -d 2026-11-25T08:00:00Z +%s
  EXPECT_EQ(timestamp.nanos(), 250'000'000);
}

TEST(TimeOnTheWire, LosesNanosecondsBelowOneMicrosecond) {
  EXPECT_THAT(FromProto(Timestamp(0, 1999)), IsOkAnd(At("1970-01-01T00:00:00.000001Z")));
}

TEST(TimeOnTheWire, IsRefusedOutsideItsBounds) {
  constexpr std::int64_t kYear10000 = 253402300800;
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  for (const auto& bad : {Timestamp(-1, 0), Timestamp(kYear10000, 0), Timestamp(kMax, 0),
                          Timestamp(kMin, 0), Timestamp(0, -1), Timestamp(0, 1'000'000'000)}) {
    EXPECT_THAT(FromProto(bad), FailsWith(ErrorCode::kInvalidArgument)) << bad.DebugString();
  }
  EXPECT_THAT(FromProto(Timestamp(kYear10000 - 1, 999'999'999)),
              IsOkAnd(At("9999-12-31T23:59:59.999999Z")));
}

}  // namespace
}  // namespace comity::gateway
