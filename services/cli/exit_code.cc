// SPDX-License-Identifier: Apache-2.0
#include "services/cli/exit_code.h"

namespace comity::cli {

ExitCode ExitCodeFor(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
      return ExitCode::kBadInput;
    case ErrorCode::kConflict:
    case ErrorCode::kExhausted:
    case ErrorCode::kCorrupt:
      return ExitCode::kNo;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnavailable:
      return ExitCode::kUnreachable;
    case ErrorCode::kInternal:
      return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

const char* AdviceFor(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
      return "check that comityd runs and that the profile names its agency port";
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
      return "check the identity in the profile (comity doctor) or ask who may do this";
    case ErrorCode::kExhausted:
      return "try later or with less";
    case ErrorCode::kInternal:
      return "look into the gateway's log";
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
    case ErrorCode::kCorrupt:
      return "";
  }
  return "";
}

Error AsBadInput(Error error) {
  switch (error.code) {
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCorrupt:  // a damaged file of the caller
      error.code = ErrorCode::kInvalidArgument;
      return error;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
    case ErrorCode::kExhausted:
    case ErrorCode::kInternal:
      return error;
  }
  return error;
}

}  // namespace comity::cli
