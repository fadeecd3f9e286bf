// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/server_check.h"

#include <fmt/format.h>

#include <string>

#include "services/store/postgres/postgres_schema.h"
#include "services/store/sql/database_error.h"

namespace comity::store {
namespace {

constexpr int kOldestServer = 150000;

std::string Setting(Session& session, const char* name) {
  return session.Execute(fmt::format("SHOW {}", name))[0][0].as<std::string>();
}

// Whoever owns a table can take its triggers off and change the log.
void CheckNotOwner(Session& session) {
  const pqxx::result row = session.Execute(
      "SELECT current_user, EXISTS (SELECT 1 FROM pg_namespace n LEFT JOIN pg_class c"
      " ON n.oid = c.relnamespace WHERE n.nspname = 'comity'"
      " AND (pg_has_role(n.nspowner, 'MEMBER') OR pg_has_role(c.relowner, 'MEMBER'))),"
      " has_table_privilege('comity.audit_entry', 'UPDATE, DELETE, TRUNCATE, TRIGGER'),"
      " has_table_privilege('comity.audit_entry', 'SELECT')"
      " AND has_table_privilege('comity.audit_entry', 'INSERT')"
      " AND has_table_privilege('comity.writer_commit', 'UPDATE')");
  const auto role = row[0][0].as<std::string>();
  if (row[0][1].as<bool>()) {
    throw DatabaseError(ErrorCode::kPermissionDenied,
                        fmt::format("the role {} owns the tables, so it could change the log; give "
                                    "the url of comity_gateway (schema/postgres/roles.sql)",
                                    role));
  }
  if (row[0][2].as<bool>()) {
    throw DatabaseError(
        ErrorCode::kPermissionDenied,
        fmt::format("the role {} may change or delete log entries; take that away: "
                    "REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON comity.audit_entry "
                    "FROM {}",
                    role, role));
  }
  if (!row[0][3].as<bool>()) {
    throw DatabaseError(ErrorCode::kPermissionDenied,
                        fmt::format("the role {} may not write the log; run "
                                    "schema/postgres/grants.sql as the owner of the schema",
                                    role));
  }
}

void CheckDurable(Session& session) {
  if (Setting(session, "fsync") == "off" || Setting(session, "full_page_writes") == "off") {
    // Not kUnavailable: it does not pass by itself, and whoever waits for it would never say so.
    throw DatabaseError(ErrorCode::kInvalidArgument,
                        "the database server has fsync or full_page_writes off: what it "
                        "acknowledges is lost with its machine; turn both on");
  }
  // With remote_write, a replica that takes over may have lost what only its memory held.
  const std::string wait = Setting(session, "synchronous_commit");
  if (wait != "on" && wait != "remote_apply") session.Execute("SET synchronous_commit = on");
}

void CheckVersion(Session& session) {
  const Result<int> version = PostgresVersionOf(session);
  if (!version) throw DatabaseError(version.error().code, version.error().detail);
  const int own = PostgresSchemaVersion();
  if (*version == own) return;
  if (*version > own) {
    throw DatabaseError(ErrorCode::kConflict,
                        fmt::format("the database has schema {}, this program knows up to {}; run "
                                    "the program that wrote it, or a later one",
                                    *version, own));
  }
  throw DatabaseError(
      ErrorCode::kConflict,
      fmt::format("the database has schema {}, this program needs {}; start it once "
                  "with migration_url, the url of comity_migration",
                  *version, own));
}

}  // namespace

void CheckRole(Session& session) {
  const pqxx::result row = session.Execute(
      "SELECT current_user, rolsuper, current_setting('server_version_num')::int,"
      " current_setting('server_encoding') FROM pg_roles WHERE rolname = current_user");
  const auto role = row[0][0].as<std::string>();
  if (row[0][1].as<bool>()) {
    throw DatabaseError(ErrorCode::kPermissionDenied,
                        fmt::format("the role {} is a superuser, which nothing in the database can "
                                    "hold back; make the roles of schema/postgres/roles.sql",
                                    role));
  }
  if (row[0][2].as<int>() < kOldestServer) {
    throw DatabaseError(ErrorCode::kInvalidArgument, "the server is older than PostgreSQL 15");
  }
  const auto encoding = row[0][3].as<std::string>();
  if (encoding != "UTF8") {
    throw DatabaseError(ErrorCode::kInvalidArgument,
                        fmt::format("the database is in {}; make one in UTF8: CREATE DATABASE ... "
                                    "TEMPLATE template0 ENCODING 'UTF8'",
                                    encoding));
  }
}

bool LogShowsRows(Session& session) {
  return Setting(session, "log_error_verbosity") != "terse";
}

void CheckServer(Session& session, const ServerRules& rules) {
  CheckRole(session);
  if (!rules.unsafe_is_fine) CheckDurable(session);
  CheckVersion(session);
  if (!rules.owner_may_write) CheckNotOwner(session);
}

}  // namespace comity::store
