// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_time.h"

namespace comity::gateway {

google::protobuf::Timestamp ToProto(policy::Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  const std::chrono::nanoseconds rest = instant - seconds;
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(static_cast<std::int32_t>(rest.count()));
  return timestamp;
}

Result<policy::Instant> FromProto(const google::protobuf::Timestamp& timestamp) {
  constexpr std::int64_t kEndOfYear9999 = 253402300800;
  if (timestamp.seconds() < 0 || timestamp.seconds() >= kEndOfYear9999 || timestamp.nanos() < 0 ||
      timestamp.nanos() >= 1'000'000'000) {
    return Fail(ErrorCode::kInvalidArgument, "a time is outside 1970..9999 or malformed");
  }
  return policy::Instant(std::chrono::seconds(timestamp.seconds()) +
                         std::chrono::microseconds(timestamp.nanos() / 1000));
}

}  // namespace comity::gateway
