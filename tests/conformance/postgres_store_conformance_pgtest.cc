// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>

#include "services/store/postgres/postgres_store.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/postgres/test_database.h"

namespace comity::store {
namespace {

class PostgresUnderTest final : public StoreUnderTest {
 public:
  PostgresUnderTest() { Reopen(); }
  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    store_ = OpenPostgresStore(database_.options(), nullptr, kek()).value();
  }
  void Execute(const std::string& sql) override {
    database_.Ask("SET search_path TO comity; " + sql);
  }

 private:
  testing::TestDatabase database_;
  std::unique_ptr<Store> store_;
};

const auto kPostgres =
    ::testing::Values(Backend{"Postgres", [] { return std::make_unique<PostgresUnderTest>(); }});

INSTANTIATE_TEST_SUITE_P(Postgres, UnitOfWorkConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, AgreementStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, AgreementLifeStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, WatchlistStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, DeploymentStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, AlertStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, AuditStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, CheckpointStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, CapacityStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, ReplayStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, PersonStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, ApprovalStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, NoticeStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, SettingStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, OutboxStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, PeerStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, StopStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, HitStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, HoldingStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, RetentionStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, SealedCopyStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, SealedListStoreConformance, kPostgres);
INSTANTIATE_TEST_SUITE_P(Postgres, BoundTablesConformance, kPostgres);

}  // namespace
}  // namespace comity::store
