// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "crypto/base/result.h"
#include "services/store/postgres/postgres_store.h"

namespace comity::store {

// One numbered step of the schema, or a part of one: services/store/schema/postgres/NNNN_name.sql.
struct PostgresStep {
  int version = 0;
  const char* sql = nullptr;
};

// All steps in ascending order, and what the roles may do after the last; both put into the binary
// when it is built.
std::span<const PostgresStep> PostgresSteps();
const char* PostgresGrants();

class LineWatch;
class Session;

// The schema's number in the database of `session`, 0 if it has none of Comity's. Throws
// DatabaseError.
// Errors: kCorrupt           there is a schema `comity` that is another program's
//         kPermissionDenied  the role may not look
Result<int> PostgresVersionOf(Session& session);

// Brings the database behind `options.migration_url` up to date, all in one transaction and while
// no gateway writes to it. Errors: those of OpenPostgresStore
Status MigratePostgres(const PostgresOptions& options, LineWatch& watch);

}  // namespace comity::store
