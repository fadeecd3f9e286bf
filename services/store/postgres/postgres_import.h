// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  // What counts itself goes on after the largest number that was copied. In: table  as above
  void SetCounters(const std::string& table);

 private:
  PostgresImport() = default;
};

}  // namespace comity::store
