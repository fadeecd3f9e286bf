// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "services/store/bound_tables.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Whether the table is as the gateway wrote it last. Without a key: always. Throws DatabaseError.
// Errors: kCorrupt  it is not; names the table and what to do
Status CheckBound(Connection& connection, BoundTable table);
// Binds what the table holds now, one generation on. Throws DatabaseError.
Status BindAnew(Connection& connection, BoundTable table);

// A write to a bound table: never of one that was changed by somebody else, which would bind that
// too.
template <typename Write>
auto WriteBound(Connection& connection, BoundTable table, Write&& write) -> decltype(write()) {
  COMITY_RETURN_IF_ERROR(CheckBound(connection, table));
  auto written = std::forward<Write>(write)();
  if (written) COMITY_RETURN_IF_ERROR(BindAnew(connection, table));
  return written;
}

}  // namespace comity::store
