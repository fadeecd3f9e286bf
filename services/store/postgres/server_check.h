// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/postgres/session.h"

namespace comity::store {

struct ServerRules {
  bool owner_may_write = false;  // the operator gave one role for migration and for work
  bool unsafe_is_fine = false;
};

// Looks at a server before a gateway works with it: what the role may do, how durable a commit is,
// that text is UTF-8 and that the schema is the program's. Throws DatabaseError with what to do.
void CheckServer(Session& session, const ServerRules& rules);

// Whether the server's own log says more of an error than its first line: the row that it refuses,
// the values that a statement had.
bool LogShowsRows(Session& session);

// The part of it that also holds for a role that only migrates.
void CheckRole(Session& session);

}  // namespace comity::store
