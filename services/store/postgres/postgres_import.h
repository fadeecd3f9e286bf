// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "crypto/base/result.h"
#include "services/store/postgres/postgres_connection.h"
#include "services/store/postgres/postgres_store.h"

namespace comity::store {

// A connection of the owner of the tables that fills an empty database, while no gateway works on
// it.
//
// Threads: thread-compatible.
class PostgresImport final : public PostgresConnection {
 public:
  // Brings the schema up to date and takes the lock of the one writer.
  // Errors: kInvalidArgument  no migration_url; kUnavailable  a gateway writes; those of
  //         OpenPostgresStore
  static Result<std::unique_ptr<PostgresImport>> Open(const PostgresOptions& options,
                                                      LineWatch& watch);

  // Throw DatabaseError.
  void Begin() override;
  void BeginRead() override { Begin(); }
  void Commit() override;
  // Errors: kConflict  the table has a row. In: table  of the schema; trusted
  Status ExpectEmpty(const std::string& table);
  // What counts itself goes on after the largest number that was copied, or was given before.
  // In: table  as above; given  0: no more than was copied
  void SetCounters(const std::string& table, std::int64_t given);

 private:
  PostgresImport() = default;
};

}  // namespace comity::store
