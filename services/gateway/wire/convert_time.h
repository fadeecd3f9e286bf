// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include "crypto/base/result.h"
#include "policy/model/instant.h"

namespace comity::gateway {

google::protobuf::Timestamp ToProto(policy::Instant instant);

// Errors: kInvalidArgument  nanos outside [0, 1e9) or a year outside 1970..9999. Nanoseconds are
// cut
//                           to microseconds.
Result<policy::Instant> FromProto(const google::protobuf::Timestamp& timestamp);

}  // namespace comity::gateway
