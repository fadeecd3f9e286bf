// SPDX-License-Identifier: Apache-2.0
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/store/crash_run.h"

namespace comity::store {
namespace {

using testing::IsOk;

void ExpectIntact(const std::filesystem::path& directory) {
  SQLite::Database database((directory / "comity.db").string(), SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM pragma_foreign_key_check").getInt(), 0);
}

TEST(SqliteStoreCrash, LosesNothingAcknowledgedWhenKilledAtAnyMoment) {
  const testing::TemporaryDirectory directory;
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  std::vector<Acknowledged> all;
  for (int kill = 0; kill < Kills(); ++kill) {
    const std::chrono::microseconds life(random() % 150'000);
    const auto now = RunAndKill(directory.path(), std::to_string(kill), life);
    all.insert(all.end(), now.begin(), now.end());
    {
      auto store = OpenSqliteStore(directory.path());
      ASSERT_THAT(store, IsOk()) << "after kill " << kill;
      ExpectWhole(**store, all);
    }
    ExpectIntact(directory.path());
    if (HasFailure()) FAIL() << "kill " << kill << " after " << life.count() << " us";
  }
  std::printf("%d kills, %zu units acknowledged\n", Kills(), all.size());
  EXPECT_GT(all.size(), 0U);
}

}  // namespace
}  // namespace comity::store
