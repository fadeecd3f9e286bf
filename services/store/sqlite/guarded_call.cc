// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/guarded_call.h"

#include <sqlite3.h>

#include <string>

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

Error ToError(std::string_view act, const SQLite::Exception& exception) {
  const int extended = exception.getExtendedErrorCode();
  const ErrorCode code = CodeOf(extended >= 0 ? extended : exception.getErrorCode());
  return {code, "cannot " + std::string(act) + ": " + exception.what()};
}

}  // namespace comity::store
