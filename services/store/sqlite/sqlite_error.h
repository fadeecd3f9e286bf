// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/Exception.h>

#include <string_view>
#include <utility>

#include "services/store/sql/database_error.h"
#include "services/store/sql/guarded_call.h"

namespace comity::store {

// What an exception of SQLiteCpp means: full, busy, unreadable or read-only disk kUnavailable;
// damaged file kCorrupt; a key that is taken kConflict; anything else kInternal.
DatabaseError ToDatabaseError(const SQLite::Exception& exception);

// Runs `call`, which uses SQLiteCpp; its exceptions become DatabaseError.
template <typename Call>
auto Translated(Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const SQLite::Exception& exception) {
    throw ToDatabaseError(exception);
  }
}

// GuardedCall for a call that uses SQLiteCpp.
template <typename Call>
auto GuardedSqliteCall(std::string_view act, Call&& call) -> decltype(call()) {
  return GuardedCall(act, [&]() { return Translated(std::forward<Call>(call)); });
}

}  // namespace comity::store
