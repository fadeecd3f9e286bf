// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"
#include "services/transport/status.h"

namespace comity::gateway {

// Runs a handler's body for the own agency's people and engines and turns its Status into theirs. A
// library's exception that reaches this place is a fault of this program, not the caller's.
template <typename Body>
grpc::Status RespondLocally(Body&& body) {
  Status status = [&]() -> Status {
    try {
      return std::forward<Body>(body)();
    } catch (const std::exception& exception) {
      return Fail(ErrorCode::kInternal, exception.what());
    }
  }();
  return status ? grpc::Status::OK : transport::ToLocalGrpcStatus(status.error());
}

}  // namespace comity::gateway
