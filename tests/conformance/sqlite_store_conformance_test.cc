// SPDX-License-Identifier: Apache-2.0
#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <utility>

#include "services/store/sqlite/sqlite_store.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/temporary_directory.h"

namespace comity::store {
namespace {

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest() { Reopen(); }
  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    store_ = OpenSqliteStore(directory_.path(), nullptr, kek()).value();
  }
  void Execute(const std::string& sql) override {
    SQLite::Database(directory_.path() / "comity.db", SQLite::OPEN_READWRITE).exec(sql);
  }

 private:
  testing::TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

const auto kSqlite =
    ::testing::Values(Backend{"Sqlite", [] { return std::make_unique<SqliteUnderTest>(); }});

INSTANTIATE_TEST_SUITE_P(Sqlite, UnitOfWorkConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, AgreementStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, AgreementLifeStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, WatchlistStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, DeploymentStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, AlertStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, AuditStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, CheckpointStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, CapacityStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, ReplayStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, PersonStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, ApprovalStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, NoticeStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, SettingStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, OutboxStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, PeerStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, StopStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, HitStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, HoldingStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, RetentionStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, SealedCopyStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, SealedListStoreConformance, kSqlite);
INSTANTIATE_TEST_SUITE_P(Sqlite, BoundTablesConformance, kSqlite);

}  // namespace
}  // namespace comity::store
