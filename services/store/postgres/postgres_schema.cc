// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/store/postgres/postgres_url.h"
#include "services/store/postgres/postgres_writer.h"
#include "services/store/postgres/server_check.h"
#include "services/store/sql/database_error.h"
#include "services/store/sql/guarded_call.h"

namespace comity::store {
namespace {

constexpr std::chrono::milliseconds kWaitForWriter{200};
constexpr std::chrono::minutes kStepLimit{30};  // an index over a large table takes its time

std::int64_t Number(Session& session, const std::string& sql) {
  return session.Execute(sql)[0][0].as<std::int64_t>();
}

void Apply(Session& session, int version) {
  session.Execute("BEGIN");
  // Where the administrator made it, the role needs no right to make one.
  session.Execute(
      "DO $$ BEGIN IF to_regnamespace('comity') IS NULL THEN CREATE SCHEMA comity; END IF; END $$");
  for (const PostgresStep& step : PostgresSteps()) {
    if (step.version > version) session.Execute(step.sql, kStepLimit);
  }
  for (const PostgresStep& step : PostgresSteps()) {
    if (step.version <= version) continue;
    session.Execute(fmt::format(
        "INSERT INTO comity.schema_version (version) VALUES ({}) ON CONFLICT DO NOTHING",
        step.version));
  }
  session.Execute(PostgresGrants());
  session.Execute("COMMIT");
}

// No gateway writes while the schema changes under it.
Status TakeLock(Session& session, const PostgresOptions& options, LineWatch& watch) {
  while (Number(session, fmt::format("SELECT pg_try_advisory_lock({})::int", kWriterLock)) == 0) {
    if (!options.wait_for_writer) {
      return Fail(ErrorCode::kUnavailable,
                  "another gateway writes to this database; stop it before its schema is changed");
    }
    if (!watch.Wait(std::chrono::steady_clock::now() + kWaitForWriter)) {
      return Fail(ErrorCode::kUnavailable, "stopped while another gateway writes");
    }
  }
  return {};
}

Status Migrate(Session& session, const PostgresOptions& options, LineWatch& watch) {
  CheckRole(session);
  COMITY_ASSIGN_OR_RETURN(int version, PostgresVersionOf(session));
  if (version >= PostgresSchemaVersion()) return {};  // too new: the gateway's own look says so
  COMITY_RETURN_IF_ERROR(TakeLock(session, options, watch));
  COMITY_ASSIGN_OR_RETURN(version, PostgresVersionOf(session));
  if (version < PostgresSchemaVersion()) Apply(session, version);
  return {};
}

}  // namespace

int PostgresSchemaVersion() {
  return PostgresSteps().back().version;
}

Result<int> PostgresVersionOf(Session& session) {
  const pqxx::result state = session.Execute(
      "SELECT to_regnamespace('comity') IS NOT NULL,"
      " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.nspname = 'comity'),"
      " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.nspname = 'comity' AND c.relname IN ('schema_version', 'writer_commit')),"
      " CASE WHEN to_regnamespace('comity') IS NULL THEN true"
      " ELSE has_schema_privilege('comity', 'USAGE') END");
  if (!state[0][0].as<bool>() || state[0][1].as<int>() == 0) return 0;
  if (state[0][2].as<int>() != 2) {
    return Fail(ErrorCode::kCorrupt,
                "the schema comity in this database is that of another program");
  }
  if (!state[0][3].as<bool>()) {
    return Fail(ErrorCode::kPermissionDenied,
                "the role may not use the schema comity; run schema/postgres/grants.sql as its "
                "owner");
  }
  return static_cast<int>(
      Number(session, "SELECT coalesce(max(version), 0) FROM comity.schema_version"));
}

Status MigratePostgres(const PostgresOptions& options, LineWatch& watch) {
  COMITY_ASSIGN_OR_RETURN(
      const PostgresUrl url,
      PostgresUrl::Parse(options.migration_url, options.migration_password_file));
  COMITY_ASSIGN_OR_RETURN(const std::string target, url.ConnectionString("comity migration"));
  return GuardedCall("bring the database's schema up to date", [&]() -> Status {
    Session session(target, watch, options.call_timeout);
    return Migrate(session, options, watch);
  });
}

}  // namespace comity::store
