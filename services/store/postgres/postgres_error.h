// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pqxx/except>
#include <string_view>

#include "services/store/sql/database_error.h"

namespace comity::store {

// What the server's error means. Class 08, 40, 53, 55, 57, 58 and a read-only server: kUnavailable;
// XX001, XX002: kCorrupt; a key that is taken: kConflict; text that is no UTF-8: kInvalidArgument;
// a missing privilege: kPermissionDenied; anything else: kInternal. Source: PostgreSQL 15, appendix
// A
ErrorCode CodeOfSqlState(std::string_view state);

DatabaseError ToDatabaseError(const pqxx::sql_error& error);

// The server's or libpq's words on one line, without the blank that ends them.
std::string OneLine(std::string_view words);

}  // namespace comity::store
