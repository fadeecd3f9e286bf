// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_import.h"

#include <fmt/format.h>

#include <utility>

#include "services/store/postgres/postgres_schema.h"
#include "services/store/postgres/postgres_url.h"
#include "services/store/postgres/postgres_writer.h"
#include "services/store/sql/guarded_call.h"

namespace comity::store {

Result<std::unique_ptr<PostgresImport>> PostgresImport::Open(const PostgresOptions& options,
                                                             LineWatch& watch) {
  if (options.migration_url.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "store.migration_url is missing: only the owner of the tables can fill them");
  }
  COMITY_RETURN_IF_ERROR(MigratePostgres(options, watch));
  COMITY_ASSIGN_OR_RETURN(
      const PostgresUrl url,
      PostgresUrl::Parse(options.migration_url, options.migration_password_file));
  COMITY_ASSIGN_OR_RETURN(const std::string target, url.ConnectionString("comity import"));
  using Opened = Result<std::unique_ptr<PostgresImport>>;
  return GuardedCall("connect to the database", [&]() -> Opened {
    std::unique_ptr<PostgresImport> import(new PostgresImport());
    import->session_ = std::make_unique<Session>(target, watch, options.call_timeout);
    const auto taken =
        import->session_->Execute(fmt::format("SELECT pg_try_advisory_lock({})::int", kWriterLock));
    if (taken[0][0].as<int>() == 0) {
      return Fail(ErrorCode::kUnavailable, "a gateway writes to this database; stop it first");
    }
    import->session_->Execute("SET search_path = comity; SET synchronous_commit = on");
    return import;
  });
}

void PostgresImport::Begin() {
  session_->Execute("BEGIN");
  set_in_transaction(true);
}

void PostgresImport::Commit() {
  session_->Execute("COMMIT");
  set_in_transaction(false);
}

Status PostgresImport::ExpectEmpty(const std::string& table) {
  const auto rows =
      session_->Execute(fmt::format("SELECT EXISTS (SELECT 1 FROM comity.{})::int", table));
  if (rows[0][0].as<int>() == 0) return {};
  return Fail(ErrorCode::kConflict,
              "the database holds records already (table " + table + "); name an empty one");
}

void PostgresImport::SetCounters(const std::string& table, std::int64_t given) {
  const auto columns =
      session_->Execute(fmt::format("SELECT attname FROM pg_attribute WHERE attrelid = "
                                    "'comity.{}'::regclass AND attidentity <> ''",
                                    table));
  for (const auto& column : columns) {
    session_->Execute(
        fmt::format("SELECT setval(pg_get_serial_sequence('comity.{0}', '{1}'),"
                    " greatest(max({1}), {2})) FROM comity.{0} HAVING greatest(max({1}), {2}) > 0",
                    table, column[0].as<std::string>(), given));
  }
}

}  // namespace comity::store
