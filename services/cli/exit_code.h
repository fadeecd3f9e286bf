// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"

namespace comity::cli {

// What a script learns from every command.
enum class ExitCode {
  kOk = 0,
  kNo = 1,           // the answer is "no": faults found, not verified, refused
  kBadInput = 2,     // usage, or a file or value of the caller is wrong
  kUnreachable = 3,  // the gateway is out of reach, or does not permit it
  kInternal = 4,
  kAttention = 5,  // done, and something needs a person: comity status
};

// How a failure that ends a command is told to a script.
ExitCode ExitCodeFor(ErrorCode code);

// What to do about it, in general words; may be empty.
const char* AdviceFor(ErrorCode code);

// A fault of the caller's own files or disk, which is not the gateway being out of reach.
Error AsBadInput(Error error);

template <typename T>
Result<T> Locally(Result<T> result) {
  if (!result) return Fail(AsBadInput(std::move(result).error()));
  return result;
}

}  // namespace comity::cli
