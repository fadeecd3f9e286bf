// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace comity {

// Why an operation failed. The set is closed (a new code needs an ADR) and maps one to one onto
// gRPC status codes, in services/transport/status.cc only.
enum class ErrorCode {
  kInvalidArgument,   // the caller's bytes or values are wrong; repeating will not help
  kUnauthenticated,   // who is calling could not be established
  kPermissionDenied,  // the caller is known and may not do this
  kNotFound,          // the named thing does not exist
  kConflict,          // the thing exists already, or its state does not allow the act
  kExhausted,         // a limit is reached; try later or with less
  kUnavailable,       // a peer, a disk or a lock is out of reach for the moment
  kCorrupt,           // a signature, proof, tag or stored byte is not what it must be
  kInternal,          // a fault of this program
};

// A failure of the outside world. An expected "no" is not an Error but a value (see policy/decide).
//
// `detail` is English for the local log and the local operator: no secret, no biometric data, no
// peer-supplied text that was not cut and escaped. It never crosses to another agency.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string detail;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

// `return Fail(ErrorCode::kNotFound, "no such list");` in a function that returns Result or Status.
inline tl::unexpected<Error> Fail(ErrorCode code, std::string detail) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}
inline tl::unexpected<Error> Fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// The code's name as it stands in logs and in --json output: "invalid-argument".
constexpr std::string_view Name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid-argument";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kPermissionDenied:
      return "permission-denied";
    case ErrorCode::kNotFound:
      return "not-found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kExhausted:
      return "exhausted";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

}  // namespace comity

#define COMITY_CONCAT_INNER(a, b) a##b
#define COMITY_CONCAT(a, b) COMITY_CONCAT_INNER(a, b)

// Evaluates a Result<T>; on failure returns its Error from the enclosing function, else binds the
// value: `COMITY_ASSIGN_OR_RETURN(const Digest digest, ParseDigest(text));`
#define COMITY_ASSIGN_OR_RETURN(declaration, expression) \
  COMITY_ASSIGN_OR_RETURN_INNER(COMITY_CONCAT(comity_result_, __LINE__), declaration, expression)
#define COMITY_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                          \
  if (!result) return ::comity::Fail(std::move(result).error());       \
  declaration = std::move(result).value()

// Evaluates a Status (or Result); on failure returns its Error from the enclosing function. May
// stand in a lambda within the expression of another one.
#define COMITY_RETURN_IF_ERROR(expression) \
  COMITY_RETURN_IF_ERROR_INNER(COMITY_CONCAT(comity_status_, __COUNTER__), expression)
#define COMITY_RETURN_IF_ERROR_INNER(status, expression)           \
  do {                                                             \
    auto status = (expression);                                    \
    if (!status) return ::comity::Fail(std::move(status).error()); \
  } while (false)
