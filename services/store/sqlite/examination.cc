// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/examination.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "services/runtime/descriptor.h"
#include "services/store/sql/unit_of_work.h"
#include "services/store/sqlite/migrations.h"
#include "services/store/sqlite/sqlite_connection.h"
#include "services/store/sqlite/sqlite_error.h"

namespace comity::store {
namespace {

constexpr std::int64_t kFirstWithPeers = 3;  // schema/0003_peers.sql
constexpr std::int64_t kFirstWithBoundTables = 16;
constexpr const char* kSound = "ok";  // all that quick_check says of a sound database

std::vector<std::string> DamageOf(SqliteConnection& connection) {
  std::vector<std::string> damage;
  SQLite::Statement check(connection.database(), "PRAGMA quick_check(10)");
  while (check.executeStep()) {
    std::string line = check.getColumn(0).getString();
    if (line != kSound) damage.push_back(std::move(line));
  }
  return damage;
}

Result<std::vector<PeerRecord>> PeersOf(SqliteConnection& connection) {
  std::vector<PeerRecord> peers;
  SQLite::Statement rows(connection.database(),
                         "SELECT agency, state, vouched, changed_at FROM peer ORDER BY agency");
  while (rows.executeStep()) {
    PeerRecord peer;
    COMITY_ASSIGN_OR_RETURN(peer.agency, policy::AgencyId::Parse(rows.getColumn(0).getString()));
    peer.state = static_cast<PeerState>(rows.getColumn(1).getInt());  // the schema bounds it
    peer.vouched = rows.getColumn(2).getString();
    peer.changed_at = policy::Instant(std::chrono::microseconds(rows.getColumn(3).getInt64()));
    peers.push_back(std::move(peer));
  }
  return peers;
}

}  // namespace

bool IsSqliteStoreInUse(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "comity.lock";
  const runtime::Descriptor lock(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock.valid()) return false;
  // Held for no longer than this function: a gateway that starts in that instant would be refused.
  return ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Result<DatabaseExamination> ExamineSqliteStore(const std::filesystem::path& directory,
                                               const SecretBytes* kek) {
  const std::filesystem::path file = directory / "comity.db";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return Fail(ErrorCode::kNotFound, "there is no " + file.string());
  }
  COMITY_ASSIGN_OR_RETURN(const auto connection,
                          SqliteConnection::Open(file, SqliteConnection::Mode::kReadOnly));
  DatabaseExamination found;
  COMITY_ASSIGN_OR_RETURN(found.schema, SchemaOf(*connection, EmbeddedMigrations()));
  return GuardedSqliteCall("look at comity.db", [&]() -> Result<DatabaseExamination> {
    found.damage = DamageOf(*connection);
    if (!found.damage.empty() || found.schema < kFirstWithPeers) return std::move(found);
    COMITY_ASSIGN_OR_RETURN(found.peers, PeersOf(*connection));
    if (kek == nullptr || found.schema < kFirstWithBoundTables) return std::move(found);
    connection->set_table_key(std::make_shared<TableKey>(*kek));
    connection->BeginRead();
    COMITY_ASSIGN_OR_RETURN(found.bound, UnitOfWork(*connection).bound_tables().Look());
    connection->Abandon();
    return std::move(found);
  });
}

}  // namespace comity::store
