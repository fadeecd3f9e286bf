// SPDX-License-Identifier: Apache-2.0
// Whether a database may be opened: its schema, whose it is, what the role may do, who else writes.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <string>
#include <thread>
#include <vector>

#include "services/runtime/file.h"
#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"

namespace comity::store {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

// The words of a refusal; empty if there was none.
std::string Words(const PostgresOptions& options, ErrorCode code) {
  const auto store = OpenPostgresStore(options);
  EXPECT_THAT(store, FailsWith(code));
  return store ? std::string() : store.error().detail;
}

class PostgresOpen : public ::testing::Test {
 protected:
  PostgresOptions As(std::string_view role) const {
    PostgresOptions options = database_.options();
    options.url = database_.Url(role);
    return options;
  }
  PostgresOptions WithMigration() const {
    PostgresOptions options = database_.options();
    options.migration_url = database_.Url("comity_migration");
    return options;
  }
  // Throws what the server answers to a role.
  void Try(std::string_view role, const std::string& sql) const {
    pqxx::connection connection(database_.Url(role));
    pqxx::nontransaction(connection).exec(sql);
  }

  const testing::TestDatabase database_;
};

TEST_F(PostgresOpen, SaysWhatToDoWithAnEmptyDatabase) {
  database_.Ask("DROP SCHEMA comity CASCADE");
  EXPECT_THAT(Words(database_.options(), ErrorCode::kConflict),
              AllOf(HasSubstr("schema 0"), HasSubstr("migration_url")));
}

TEST_F(PostgresOpen, MakesTheSchemaOfAnEmptyDatabaseByTheOwnersUrl) {
  database_.Ask("DROP SCHEMA comity CASCADE; CREATE SCHEMA comity AUTHORIZATION comity_migration");
  EXPECT_THAT(OpenPostgresStore(WithMigration()), IsOk());
  EXPECT_EQ(database_.Ask("SELECT max(version) FROM comity.schema_version"),
            std::to_string(PostgresSchemaVersion()));
  EXPECT_THAT(OpenPostgresStore(database_.options()), IsOk());
}

TEST_F(PostgresOpen, LeavesNothingOfAMigrationThatFails) {
  database_.Ask(
      "DROP SCHEMA comity CASCADE; CREATE SCHEMA comity AUTHORIZATION comity_migration;"
      " CREATE TABLE comity.schema_version (version bigint); ALTER TABLE comity.schema_version"
      " OWNER TO comity_migration; CREATE TABLE comity.writer_commit (id bigint)");
  EXPECT_THAT(Words(WithMigration(), ErrorCode::kInternal), HasSubstr("already exists"));
  EXPECT_EQ(database_.Ask("SELECT to_regclass('comity.audit_entry') IS NULL"), "t");
}

TEST_F(PostgresOpen, RefusesASchemaThatIsNewer) {
  database_.Ask("INSERT INTO comity.schema_version VALUES (99)");
  EXPECT_THAT(Words(database_.options(), ErrorCode::kConflict), HasSubstr("schema 99"));
  EXPECT_THAT(Words(WithMigration(), ErrorCode::kConflict), HasSubstr("schema 99"));
}

TEST_F(PostgresOpen, RefusesASchemaThatIsOlder) {
  database_.Ask("DELETE FROM comity.schema_version WHERE version > 15");
  EXPECT_THAT(Words(database_.options(), ErrorCode::kConflict),
              AllOf(HasSubstr("schema 15"), HasSubstr("migration_url")));
}

TEST_F(PostgresOpen, RefusesTheDatabaseOfAnotherProgram) {
  database_.Ask("DROP SCHEMA comity CASCADE; CREATE SCHEMA comity; CREATE TABLE comity.t (a int)");
  EXPECT_THAT(Words(database_.options(), ErrorCode::kCorrupt), HasSubstr("another program"));
  EXPECT_THAT(Words(WithMigration(), ErrorCode::kCorrupt), HasSubstr("another program"));
}

TEST_F(PostgresOpen, RefusesADatabaseInAnotherEncoding) {
  database_.Ask(
      "CREATE DATABASE in_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
      " LOCALE_PROVIDER libc");
  PostgresOptions options = database_.options();
  options.url = database_.server().Url("comity_gateway", "in_latin1");
  EXPECT_THAT(Words(options, ErrorCode::kInvalidArgument), HasSubstr("LATIN1"));
  database_.Ask("DROP DATABASE in_latin1 WITH (FORCE)");
}

TEST_F(PostgresOpen, RefusesAServerThatLosesWhatItAcknowledges) {
  PostgresOptions options = database_.options();
  options.accept_unsafe_server = false;
  EXPECT_THAT(Words(options, ErrorCode::kInvalidArgument), HasSubstr("fsync"));
}

TEST_F(PostgresOpen, RefusesASuperuser) {
  EXPECT_THAT(Words(As("postgres"), ErrorCode::kPermissionDenied), HasSubstr("superuser"));
  PostgresOptions options = database_.options();
  options.migration_url = database_.Url("postgres");
  EXPECT_THAT(Words(options, ErrorCode::kPermissionDenied), HasSubstr("superuser"));
}

TEST_F(PostgresOpen, RefusesTheOwnerUnlessItIsGivenForBoth) {
  EXPECT_THAT(Words(As("comity_migration"), ErrorCode::kPermissionDenied), HasSubstr("owns"));
  PostgresOptions options = As("comity_migration");
  options.migration_url = options.url;
  EXPECT_THAT(OpenPostgresStore(options), IsOk());
}

TEST_F(PostgresOpen, RefusesARoleThatMayChangeTheLog) {
  for (const std::string right : {"UPDATE", "DELETE", "TRUNCATE", "TRIGGER"}) {
    database_.Ask("GRANT " + right + " ON comity.audit_entry TO comity_gateway");
    EXPECT_THAT(Words(database_.options(), ErrorCode::kPermissionDenied), HasSubstr("REVOKE"));
    database_.Ask("REVOKE " + right + " ON comity.audit_entry FROM comity_gateway");
  }
  EXPECT_THAT(OpenPostgresStore(database_.options()), IsOk());
}

TEST_F(PostgresOpen, RefusesARoleThatMayNotDoWhatItMust) {
  EXPECT_THAT(Words(As("comity_auditor"), ErrorCode::kUnavailable), HasSubstr("read-only"));
  database_.Ask("REVOKE INSERT ON comity.audit_entry FROM comity_gateway");
  EXPECT_THAT(Words(database_.options(), ErrorCode::kPermissionDenied), HasSubstr("grants.sql"));
  database_.Ask("REVOKE USAGE ON SCHEMA comity FROM comity_gateway");
  EXPECT_THAT(Words(database_.options(), ErrorCode::kPermissionDenied), HasSubstr("grants.sql"));
}

TEST_F(PostgresOpen, HoldsTheGatewaysRoleBack) {
  for (const char* sql :
       {"UPDATE comity.audit_entry SET entry = 'x'", "DELETE FROM comity.audit_entry",
        "TRUNCATE comity.audit_entry", "TRUNCATE comity.replay", "DROP TABLE comity.replay",
        "ALTER TABLE comity.audit_entry DISABLE TRIGGER ALL", "CREATE TABLE comity.t (a int)",
        "CREATE TABLE public.t (a int)", "DELETE FROM comity.agreement_document",
        "UPDATE comity.agreement_statement SET envelope = ''", "DELETE FROM comity.erasure",
        "UPDATE comity.schema_version SET version = 1", "DELETE FROM comity.person",
        "CREATE FUNCTION comity.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION comity.audit_entry_stands() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "SET ROLE comity_migration"}) {
    EXPECT_THROW(Try("comity_gateway", sql), pqxx::sql_error) << sql;
  }
  EXPECT_NO_THROW(Try("comity_gateway", "SELECT 1 FROM comity.audit_entry"));
}

TEST_F(PostgresOpen, ShowsAnAuditorTheLogAndNoContent) {
  for (const char* sql :
       {"SELECT entry FROM comity.audit_entry", "SELECT note FROM comity.checkpoint",
        "SELECT id, state FROM comity.alert", "SELECT erase_at FROM comity.audit_payload",
        "SELECT list, state FROM comity.watchlist_entry",
        "SELECT yaml FROM comity.agreement_document"}) {
    EXPECT_NO_THROW(Try("comity_auditor", sql)) << sql;
  }
  for (const char* sql :
       {"SELECT wrapped_key FROM comity.audit_payload",
        "SELECT sealed FROM comity.audit_payload",
        "SELECT wrapped_key FROM comity.watchlist",
        "SELECT wrapped_key FROM comity.watchlist_entry",
        "SELECT sealed_template FROM comity.watchlist_entry",
        "SELECT sealed_fields FROM comity.watchlist_entry",
        "SELECT reference FROM comity.watchlist_entry",
        "SELECT sealed FROM comity.alert",
        "SELECT reference FROM comity.alert",
        "SELECT wrapped_key FROM comity.alert",
        "SELECT content FROM comity.approval",
        "SELECT words FROM comity.notice",
        "SELECT subject FROM comity.capacity",
        "SELECT content FROM comity.outbox",
        "SELECT reference FROM comity.holding",
        "SELECT wrapped_key FROM comity.sealed_list",
        "SELECT root FROM comity.sealed_block",
        "SELECT handles FROM comity.sealed_block",
        "SELECT * FROM comity.sealed_copy",
        "SELECT * FROM comity.replay",
        "SELECT * FROM comity.watched_hit",
        "SELECT value FROM comity.setting",
        "INSERT INTO comity.checkpoint VALUES (1, '')",
        "DELETE FROM comity.erasure",
        "SET default_transaction_read_only = off; UPDATE comity.writer_commit SET number = 0"}) {
    EXPECT_THROW(Try("comity_auditor", sql), pqxx::sql_error) << sql;
  }
}

TEST_F(PostgresOpen, LetsNotEvenTheOwnerChangeTheLog) {
  const std::string insert = "INSERT INTO comity.audit_entry VALUES ";
  Try("comity_migration", insert + "(0, 'a', '')");
  Try("comity_migration", insert + "(1, 'b', ''), (2, 'c', '')");
  for (const std::string& sql :
       {insert + "(4, 'e', '')", insert + "(3, 'd', ''), (5, 'f', '')", insert + "(-1, 'd', '')",
        std::string("UPDATE comity.audit_entry SET exchange = 'x'"),
        std::string("DELETE FROM comity.audit_entry"),
        std::string("TRUNCATE comity.audit_entry CASCADE")}) {
    EXPECT_THROW(Try("comity_migration", sql), pqxx::sql_error) << sql;
  }
  EXPECT_EQ(database_.Ask("SELECT count(*) FROM comity.audit_entry"), "3");
}

TEST_F(PostgresOpen, RefusesASecondWriter) {
  const auto first = OpenPostgresStore(database_.options());
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(Words(database_.options(), ErrorCode::kUnavailable),
              HasSubstr("another gateway writes"));
}

TEST_F(PostgresOpen, ChangesNoSchemaWhileAGatewayWrites) {
  const auto first = OpenPostgresStore(database_.options());
  ASSERT_THAT(first, IsOk());
  database_.Ask("DELETE FROM comity.schema_version WHERE version > 15");
  EXPECT_THAT(Words(WithMigration(), ErrorCode::kUnavailable), HasSubstr("another gateway writes"));
}

TEST_F(PostgresOpen, TakesOverAsAStandbyWhenTheWriterEnds) {
  auto first = OpenPostgresStore(database_.options());
  ASSERT_THAT(first, IsOk());
  PostgresOptions options = database_.options();
  options.wait_for_writer = true;
  std::atomic<bool> open = false;
  std::jthread standby([&] {
    const auto second = OpenPostgresStore(options);
    EXPECT_THAT(second, IsOk());
    open = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(open);
  first->reset();
  standby.join();
  EXPECT_TRUE(open);
}

TEST_F(PostgresOpen, StopsWaitingAsAStandby) {
  const auto first = OpenPostgresStore(database_.options());
  ASSERT_THAT(first, IsOk());
  std::stop_source stop;
  PostgresOptions options = database_.options();
  options.wait_for_writer = true;
  options.stop = stop.get_token();
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop.request_stop();
  });
  EXPECT_THAT(Words(options, ErrorCode::kUnavailable), HasSubstr("stopped"));
}

TEST_F(PostgresOpen, ReadsThePasswordFromAFileThatMayBeReplaced) {
  const testing::TemporaryDirectory directory;
  PostgresOptions options = database_.options();
  const std::string url = options.url;
  options.url = url.substr(0, url.find("&passfile"));
  options.password_file = directory.path() / "password";
  const auto put = [&](const std::string& text, mode_t mode) {
    ASSERT_THAT(runtime::WriteFile(options.password_file, AsBytes(text), mode), IsOk());
  };
  put("wrong\n", 0600);
  EXPECT_THAT(Words(options, ErrorCode::kUnavailable),
              AllOf(HasSubstr("authentication failed"), Not(HasSubstr("wrong"))));
  put(database_.server().password() + "\n", 0600);
  EXPECT_THAT(OpenPostgresStore(options), IsOk());
  put(database_.server().password() + "\n", 0644);
  EXPECT_THAT(Words(options, ErrorCode::kPermissionDenied), HasSubstr("chmod 600"));
  put("two\nlines\n", 0600);
  EXPECT_THAT(Words(options, ErrorCode::kInvalidArgument), HasSubstr("only line"));
}

}  // namespace
}  // namespace comity::store
