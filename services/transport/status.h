// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "crypto/base/result.h"

namespace comity::transport {

// The one place where an Error becomes a grpc::Status and back.

// What another agency learns: the code, one fixed sentence per code, and the correlation id under
// which this agency's log holds the rest. Never `error.detail`.
grpc::Status ToGrpcStatus(const Error& error, std::string_view correlation_id);

// What the agency's own people and engines learn over the agency port: the code and the detail (at
// most 2 KiB). Only for callers whose certificate is of this agency.
grpc::Status ToLocalGrpcStatus(const Error& error);

// A failed call to another agency. The peer's text is cut to 200 characters and escaped; `status`
// must not be OK.
Error FromGrpcStatus(const grpc::Status& status);

// A failed call to the own gateway: its text is kept (at most 4 KiB, line feeds included).
Error FromLocalGrpcStatus(const grpc::Status& status);

}  // namespace comity::transport
