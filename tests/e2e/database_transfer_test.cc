// SPDX-License-Identifier: Apache-2.0
// A node that worked over SQLite is carried over to PostgreSQL, row by row, and goes on; its backup
// is a SQLite file again, with the same rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "crypto/base/encoding.h"
#include "services/gateway/database.h"
#include "services/gateway/database_import.h"
#include "services/runtime/config.h"
#include "services/runtime/file.h"
#include "services/store/sql/query.h"
#include "services/store/sqlite/sqlite_connection.h"
#include "services/store/transfer/table_shape.h"
#include "services/store/transfer/transfer.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using store::TableShape;
using ::testing::HasSubstr;
using ::testing::Not;

// By table: its rows, in words.
using Rows = std::map<std::string, std::multiset<std::string>>;

std::string Value(const store::Query& row, int column, TableShape::Kind kind) {
  if (row.IsNull(column)) return "NULL";
  switch (kind) {
    case TableShape::Kind::kInteger:
      return std::to_string(row.Integer(column));
    case TableShape::Kind::kText:
      return "'" + row.Text(column) + "'";
    case TableShape::Kind::kOctets:
      return EncodeHex(row.Blob(column));
  }
  return {};
}

Rows RowsOf(const std::filesystem::path& file) {
  std::deque<std::string> texts;
  const auto opened = store::SqliteConnection::Open(file, store::SqliteConnection::Mode::kReadOnly);
  EXPECT_THAT(opened, IsOk());
  Rows rows;
  for (const TableShape& table : store::TablesOf(**opened)) {
    texts.push_back("SELECT " + table.ColumnList() + " FROM " + table.name);
    store::Query row(**opened, texts.back());
    auto& of_table = rows[table.name];
    while (row.Next()) {
      std::string text;
      for (std::size_t i = 0; i < table.columns.size(); ++i) {
        text += Value(row, static_cast<int>(i), table.columns[i].kind) + " ";
      }
      of_table.insert(text);
    }
  }
  return rows;
}

class DatabaseTransfer : public ::testing::Test {
 protected:
  DatabaseTransfer() {
    agencies_.ImportEntries(1200);  // more than a cursor gives at a time
    agencies_.CreateDeployment();
    agencies_.police().Stop();
    agencies_.council().Stop();
  }
  LiveAgency& police() { return agencies_.police(); }
  std::filesystem::path file() { return police().data() / "comity.db"; }

  std::string Table() {
    return "[store]\nurl = \"" + database_.Url("comity_gateway") + "\"\nmigration_url = \"" +
           database_.Url("comity_migration") + "\"\n";
  }
  // The configuration of the node over PostgreSQL, as its operator would write it.
  runtime::Config Config() {
    const auto text = runtime::ReadFile(police().config_file(), 1 << 20);
    EXPECT_THAT(text, IsOk());
    const auto config =
        runtime::ParseConfig(std::string(AsText(*text)) + Table(), police().config_file());
    EXPECT_TRUE(config.has_value());
    return *config;
  }

  std::unique_ptr<PostgresServer> server_ = *PostgresServer::Start({true, {}, {}});
  TestDatabase database_{*server_};
  TwoAgencies agencies_{128};
};

TEST_F(DatabaseTransfer, CarriesEveryRowOverAndTheNodeGoesOn) {
  const Rows before = RowsOf(file());
  EXPECT_GE(before.at("watchlist_entry").size(), 1200U);
  EXPECT_GT(before.at("audit_entry").size(), 20U);
  const auto imported = gateway::ImportDatabase(Config());
  ASSERT_THAT(imported, IsOk());
  std::size_t rows = 0;
  for (const auto& [table, of_table] : before) rows += of_table.size();
  EXPECT_EQ(imported->rows, rows);
  EXPECT_EQ(imported->tables, before.size());
  EXPECT_FALSE(std::filesystem::exists(file()));

  // Back again, as a backup has it: only what a copy may not hold is different.
  store::PostgresOptions options;
  options.url = database_.Url("comity_gateway");
  const auto copy = police().data() / "copy.db";
  store::RestorationRecord restoration;
  restoration.backup = "a-backup";
  ASSERT_THAT(store::CopyPostgresStore(options, copy, restoration), IsOk());
  Rows after = RowsOf(copy);
  Rows expected = before;
  for (const char* table : {"checkpoint", "restoration", "restoration_reached", "sealed_list"}) {
    after.erase(table);
    expected.erase(table);
  }
  EXPECT_EQ(after, expected);
  std::filesystem::remove(copy);

  police().Configure(Table());
  police().Start({&agencies_.council()});
  agencies_.council().Start({&police()});
  const auto log = WholeLog::Of(police());
  ASSERT_THAT(log, IsOk());
  EXPECT_GT(log->entries().size(), before.at("audit_entry").size());
  // Authenticators of tables are carried over as they are.
  EXPECT_THAT(police().log_text(), Not(HasSubstr("tamper-found")));
  EXPECT_EQ(database_.Ask("SELECT count(*) FROM comity.table_binding"), "4");
  // What counts itself goes on after what was carried over.
  agencies_.CreateDeployment();
}

// The newest messages are often those of a partner that was removed: they are deleted, and what
// names their numbers is kept.
TEST_F(DatabaseTransfer, NoNumberOfAMessageThatIsGoneComesAgain) {
  using store::Query;
  using store::SqliteConnection;
  constexpr const char* kInto =
      "INSERT INTO outbox (number, peer, id, kind, content, created_at, refused, told, receipt)"
      " VALUES (900, 'eastvale-council', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 'k', x'01', 1, '', 0, x'')";
  constexpr const char* kAnew =
      "INSERT INTO outbox (peer, id, kind, content, created_at, refused, told, receipt)"
      " VALUES ('eastvale-council', 'bbbbbbbbbbbbbbbbbbbbbbbbbb', 'k', x'01', 1, '', 0, x'')";
  {
    const auto sqlite = SqliteConnection::Open(file(), SqliteConnection::Mode::kReadWrite);
    ASSERT_THAT(sqlite, IsOk());
    Query(**sqlite, kInto).Run();
    Query(**sqlite, "DELETE FROM outbox").Run();
  }
  ASSERT_THAT(gateway::ImportDatabase(Config()), IsOk());
  EXPECT_EQ(database_.Ask("INSERT INTO comity.outbox (peer, id, kind, content, created_at, refused,"
                          " told, receipt) VALUES ('eastvale-council',"
                          " 'cccccccccccccccccccccccccc', 'k', '\\x01', 1, '', 0, '')"
                          " RETURNING number"),
            "901");
  database_.Ask("DELETE FROM comity.outbox");

  store::PostgresOptions options;
  options.url = database_.Url("comity_gateway");
  const auto copy = police().data() / "copy.db";
  store::RestorationRecord restoration;
  restoration.backup = "a-backup";
  ASSERT_THAT(store::CopyPostgresStore(options, copy, restoration), IsOk());
  const auto sqlite = SqliteConnection::Open(copy, SqliteConnection::Mode::kReadWrite);
  ASSERT_THAT(sqlite, IsOk());
  Query(**sqlite, kAnew).Run();
  Query row(**sqlite, "SELECT number FROM outbox");
  ASSERT_TRUE(row.Next());
  EXPECT_EQ(row.Integer(0), 902);
}

TEST_F(DatabaseTransfer, ADatabaseWithRecordsIsNotTouched) {
  ASSERT_THAT(gateway::ImportDatabase(Config()), IsOk());
  const std::string count = database_.Ask("SELECT count(*) FROM comity.audit_entry");
  std::filesystem::rename(police().data() / "comity.db.imported", file());
  const auto again = gateway::ImportDatabase(Config());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_THAT(again.error().detail, HasSubstr("name an empty one"));
  EXPECT_TRUE(std::filesystem::exists(file()));
  EXPECT_EQ(database_.Ask("SELECT count(*) FROM comity.audit_entry"), count);
}

TEST_F(DatabaseTransfer, ANodeWithTwoDatabasesDoesNotStart) {
  const auto opened = gateway::OpenDatabase(Config());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
  EXPECT_THAT(opened.error().detail, HasSubstr("--import-database"));
}

}  // namespace
}  // namespace comity::testing
