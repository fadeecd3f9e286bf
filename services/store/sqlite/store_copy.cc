// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "services/store/sql/aggregates.h"
#include "services/store/sql/retention_store.h"
#include "services/store/sqlite/migrations.h"
#include "services/store/sqlite/sqlite_connection.h"
#include "services/store/sqlite/sqlite_error.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::store {
namespace {

// A long read beside the writer: it holds up neither commits nor other readers. Compact: nothing of
// what was deleted is in the copy.
Status WriteCopy(const std::filesystem::path& database, const std::filesystem::path& copy) {
  COMITY_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteConnection> source,
                          SqliteConnection::Open(database, SqliteConnection::Mode::kReadOnly));
  return GuardedSqliteCall("copy comity.db", [&]() -> Status {
    source->database().exec(
        "PRAGMA query_only = OFF");  // the file it was opened for stays read-only
    SQLite::Statement vacuum(source->database(), "VACUUM INTO ?");
    vacuum.bind(1, copy.string());
    vacuum.exec();
    return {};
  });
}

// A restored node does not know what left after the copy was made: neither which slots were
// withdrawn nor how much of a release budget was used. So no key of a sealed list is in a copy;
// lists are sealed anew.
constexpr const char* kWithoutSealedLists =
    "DELETE FROM sealed_block;"
    "UPDATE sealed_list SET state = 3, ended_at = unixepoch() * 1000000, end_reason = 'restored',"
    " wrapped_key = x'', sealed_header = x'', sealed_state = x'' WHERE state <> 3;";

}  // namespace

// Checkpoints of the log that was are not taken over: the copy's log goes on under another name.
Result<RestorationRecord> MarkSqliteCopy(const std::filesystem::path& copy,
                                         RestorationRecord restoration) {
  COMITY_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteConnection> target,
                          SqliteConnection::Open(copy, SqliteConnection::Mode::kReadWrite));
  return GuardedSqliteCall("mark the copy", [&]() -> Result<RestorationRecord> {
    SQLite::Transaction transaction(target->database());
    const SqlAuditStore log(*target);
    COMITY_ASSIGN_OR_RETURN(restoration.log_size, log.Size());
    restoration.state = RestorationState::kCopy;
    COMITY_RETURN_IF_ERROR(SqlRetentionStore(*target).PutRestoration(restoration));
    target->database().exec("DELETE FROM checkpoint; DELETE FROM restoration_reached;");
    target->database().exec(kWithoutSealedLists);
    transaction.commit();
    return restoration;
  });
}

Result<RestorationRecord> CopySqliteStore(const std::filesystem::path& directory,
                                          const std::filesystem::path& copy,
                                          RestorationRecord restoration) {
  std::error_code ignored;
  if (std::filesystem::exists(copy, ignored)) {
    return Fail(ErrorCode::kUnavailable, copy.string() + " is there already");
  }
  COMITY_RETURN_IF_ERROR(WriteCopy(directory / "comity.db", copy));
  return MarkSqliteCopy(copy, std::move(restoration));
}

int SqliteSchemaVersion() {
  return EmbeddedMigrations().back().version;
}

}  // namespace comity::store
