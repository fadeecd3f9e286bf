// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

#include "crypto/base/result.h"

namespace comity::store {

// What a statement or a connection throws, with the meaning that the back end gave to its
// database's error: disk full, locked, read-only or unreachable kUnavailable; damaged kCorrupt; a
// key that is taken kConflict; anything else kInternal. Ends in GuardedCall.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(ErrorCode code, const std::string& text) : std::runtime_error(text), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace comity::store
