// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/sqlite_error.h"

#include <sqlite3.h>

namespace comity::store {
namespace {

constexpr int kPrimaryMask = 0xFF;  // an extended result code has its primary code in the low octet

ErrorCode CodeOf(int extended) {
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return ErrorCode::kConflict;
  }
  switch (extended & kPrimaryMask) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

DatabaseError ToDatabaseError(const SQLite::Exception& exception) {
  const int extended = exception.getExtendedErrorCode();
  return {CodeOf(extended >= 0 ? extended : exception.getErrorCode()), exception.what()};
}

}  // namespace comity::store
