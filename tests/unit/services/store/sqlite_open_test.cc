// SPDX-License-Identifier: Apache-2.0
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "services/store/sqlite/migrations.h"
#include "services/store/sqlite/sqlite_connection.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

class SqliteOpen : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "comity.db"; }
  Result<std::unique_ptr<Store>> Open() { return OpenSqliteStore(directory_.path()); }
  SQLite::Database Raw() {
    return SQLite::Database(file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  }
  mode_t ModeOf(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(SqliteOpen, MakesADirectoryThatOnlyItsOwnerCanEnter) {
  const auto inner = directory_.path() / "data";
  const auto store = OpenSqliteStore(inner);
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ(ModeOf(inner), 0700U);
  EXPECT_EQ(ModeOf(inner / "comity.db"), 0600U);
  EXPECT_EQ(ModeOf(inner / "comity.db-wal"), 0600U);
}

TEST_F(SqliteOpen, RefusesADirectoryThatIsOpenAlready) {
  const auto first = Open();
  ASSERT_THAT(first, IsOk());
  const auto second = Open();
  ASSERT_THAT(second, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(second.error().detail, HasSubstr("another process has the data directory"));
}

TEST_F(SqliteOpen, GivesTheDirectoryFreeWhenClosed) {
  ASSERT_THAT(Open(), IsOk());
  EXPECT_THAT(Open(), IsOk());
}

// What a process holds open must not rise with its load: it is what operators watch.
TEST_F(SqliteOpen, OpensNoFurtherFileForReadersAtOnce) {
  constexpr int kReaders = 16;
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto store = Open();
  ASSERT_THAT(store, IsOk());
  const auto at_start = descriptors();
  std::barrier together(kReaders + 1);
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      const auto read = [&](const Transaction& transaction) -> Status {
        COMITY_RETURN_IF_ERROR(transaction.watchlists().Lists());
        together.arrive_and_wait();  // all of them read now
        together.arrive_and_wait();
        return {};
      };
      EXPECT_THAT((*store)->Read(read), IsOk());
    });
  }
  together.arrive_and_wait();
  EXPECT_EQ(descriptors(), at_start);
  together.arrive_and_wait();
}

TEST_F(SqliteOpen, RefusesANewerSchema) {
  ASSERT_THAT(Open(), IsOk());
  Raw().exec("INSERT INTO schema_version (version) VALUES (999)");
  const auto store = Open();
  ASSERT_THAT(store, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(store.error().detail, HasSubstr("schema 999"));
}

// A node that is brought up to date in the middle of a day gives nobody a second day's capacity.
TEST_F(SqliteOpen, KeepsCapacityThatWasCountedBeforeItsKeyHadASubject) {
  constexpr int kWithSubject = 8;
  {
    SQLite::Database raw = Raw();
    for (const Migration& migration : EmbeddedMigrations()) {
      if (migration.version >= kWithSubject) continue;
      raw.exec(migration.sql);
      raw.exec("INSERT INTO schema_version (version) VALUES (" + std::to_string(migration.version) +
               ")");
    }
    raw.exec("PRAGMA application_id = 1129141337");  // CMTY
    raw.exec("INSERT INTO capacity VALUES ('fan', 'p1', 'eastvale-council', '2026-11-25', 42)");
  }
  const auto store = Open();
  ASSERT_THAT(store, IsOk());
  const CapacityStore::Key key{policy::AgreementId::Parse("fan").value(), "p1",
                               policy::AgencyId::Parse("eastvale-council").value(), "2026-11-25"};
  std::uint64_t reserved = 0;
  ASSERT_THAT((*store)->Read([&](const Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(reserved, transaction.capacity().Reserved(key));
    return {};
  }),
              IsOk());
  EXPECT_EQ(reserved, 42U);
}

TEST_F(SqliteOpen, RefusesTheDatabaseOfAnotherProgramAndLeavesItAlone) {
  Raw().exec("CREATE TABLE bookmarks (url TEXT)");
  EXPECT_THAT(Open(), FailsWith(ErrorCode::kCorrupt));
  EXPECT_EQ(Raw().execAndGet("SELECT count(*) FROM sqlite_master").getInt(), 1);
  EXPECT_EQ(Raw().execAndGet("PRAGMA journal_mode").getString(), "delete");
}

TEST_F(SqliteOpen, RefusesAFileThatIsNoDatabase) {
  std::ofstream(file()) << std::string(10'000, 'x');
  EXPECT_THAT(Open(), FailsWith(ErrorCode::kCorrupt));
}

// A view that somebody put into the file calls a function of the program: it is not let to.
TEST_F(SqliteOpen, RunsNoFunctionForTheSchemaOfAFile) {
  Raw().exec("CREATE VIEW harmless AS SELECT harm()");
  for (const auto mode : {SqliteConnection::Mode::kReadOnly, SqliteConnection::Mode::kReadWrite}) {
    const auto connection = SqliteConnection::Open(file(), mode);
    ASSERT_THAT(connection, IsOk());
    SQLite::Database& database = (*connection)->database();
    database.createFunction(
        "harm", 0, true, nullptr,
        [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_int(context, 1); },
        nullptr, nullptr, nullptr);
    EXPECT_EQ(database.execAndGet("SELECT harm()").getInt(), 1);
    std::string said;
    try {
      database.execAndGet("SELECT * FROM harmless");
    } catch (const SQLite::Exception& refused) {
      said = refused.what();
    }
    EXPECT_THAT(said, HasSubstr("unsafe use of harm"));
  }
}

TEST_F(SqliteOpen, ReportsADamagedPage) {
  {
    const auto store = Open();
    ASSERT_THAT((*store)->Write([](Transaction& t) -> Status {
      for (int i = 0; i < 2000; ++i) {
        COMITY_RETURN_IF_ERROR(t.audit().Append(Bytes(500, 1), "", {Bytes(60, 2), Bytes(500, 3)}));
      }
      return {};
    }),
                IsOk());
  }
  const auto size = std::filesystem::file_size(file());
  std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(size / 4));
  stream << std::string(size / 2, '\xFF');
  stream.close();
  const auto store = Open();
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT((*store)->Read([](const Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.audit().Read(0, 2000));
    return {};
  }),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SqliteOpen, NamesTheDirectoryItCannotMake) {
  std::ofstream(directory_.path() / "file") << "x";
  const auto store = OpenSqliteStore(directory_.path() / "file" / "data");
  ASSERT_THAT(store, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(store.error().detail, HasSubstr("file/data"));
}

// Root may write anywhere; the test then acts as another user for the moment.
TEST_F(SqliteOpen, RefusesADirectoryItMayNotWriteTo) {
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const auto store = Open();
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_THAT(store, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(store.error().detail, HasSubstr("Permission denied"));
}

TEST_F(SqliteOpen, UsesWriteAheadLogging) {
  const auto store = Open();
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ(Raw().execAndGet("PRAGMA journal_mode").getString(), "wal");
}

TEST_F(SqliteOpen, KeepsLogEntriesFromBeingChangedByAnyone) {
  {
    const auto store = Open();
    ASSERT_THAT((*store)->Write([](Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes("entry"), "", {}));
      return {};
    }),
                IsOk());
  }
  SQLite::Database raw = Raw();
  EXPECT_THROW(raw.exec("UPDATE audit_entry SET entry = x'00'"), SQLite::Exception);
  EXPECT_THROW(raw.exec("DELETE FROM audit_entry"), SQLite::Exception);
  EXPECT_THROW(raw.exec("INSERT INTO audit_entry VALUES (2, x'00', '')"), SQLite::Exception);
}

}  // namespace
}  // namespace comity::store
