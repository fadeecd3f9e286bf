// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/store/crash_run.h"

namespace comity::store {
namespace {

using testing::IsOk;

class PostgresStoreCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::Start({.durable = true});
    ASSERT_THAT(started, IsOk());
    server_ = *std::move(started);
    database_ = std::make_unique<testing::TestDatabase>(*server_);
    std::printf("seed %u\n", seed_);
  }
  PostgresOptions Options() const {
    PostgresOptions options = database_->options();
    options.accept_unsafe_server = false;
    options.wait_for_writer = true;
    return options;
  }
  // Pages and indexes agree, by the server's own check.
  void ExpectIntact() const {
    database_->Ask("CREATE EXTENSION IF NOT EXISTS amcheck");
    database_->Ask(
        "SELECT count(bt_index_check(c.oid, true)) FROM pg_index i JOIN pg_class c"
        " ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'comity'");
  }

  const unsigned seed_ = std::random_device()();
  std::mt19937 random_{seed_};
  std::unique_ptr<testing::PostgresServer> server_;
  std::unique_ptr<testing::TestDatabase> database_;
};

TEST_F(PostgresStoreCrash, LosesNothingAcknowledgedWhenTheWriterIsKilledAtAnyMoment) {
  std::vector<Acknowledged> all;
  for (int kill = 0; kill < Kills(); ++kill) {
    const std::chrono::microseconds life(50'000 + random_() % 150'000);  // it connects first
    const auto now = RunAndKill(database_->Url("comity_gateway"), std::to_string(kill), life);
    all.insert(all.end(), now.begin(), now.end());
    const auto store = OpenPostgresStore(Options());
    ASSERT_THAT(store, IsOk()) << "after kill " << kill;
    ExpectThere(**store, now);
    if (HasFailure()) FAIL() << "kill " << kill << " after " << life.count() << " us";
  }
  ExpectWhole(*OpenPostgresStore(Options()).value(), all);
  ExpectIntact();
  std::printf("%d kills, %zu units acknowledged\n", Kills(), all.size());
  EXPECT_GT(all.size(), 0U);
}

// What a writer said that lived through it all.
struct Said {
  std::vector<Acknowledged> kept;
  std::set<std::string> failed;
};

Said Parse(const std::filesystem::path& log) {
  Said said;
  std::ifstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t space = line.find(' ');
    const std::string word = line.substr(0, space);
    const std::string id = space == std::string::npos ? "" : line.substr(space + 1);
    if (word == "failed") {
      said.failed.insert(id);
    } else if (word.find_first_not_of("0123456789") == std::string::npos) {
      said.kept.push_back({std::stoull(word), id});
    }  // else a warning of the server that dies, which libpq prints
  }
  return said;
}

void ExpectNoneOf(Store& store, const std::set<std::string>& failed) {
  EXPECT_THAT(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, size));
    for (const AuditEntryRecord& entry : entries) {
      EXPECT_FALSE(failed.contains(std::string(AsText(entry.entry)))) << AsText(entry.entry);
    }
    return {};
  }),
              IsOk());
}

TEST_F(PostgresStoreCrash, LosesAndDoublesNothingWhenTheServerIsKilledAtAnyMoment) {
  const testing::TemporaryDirectory directory;
  const auto log = directory.path() / "said";
  const int kills = (Kills() + 2) / 3;
  auto writer = testing::Process::Start(
      {COMITY_CRASH_WRITER, database_->Url("comity_gateway"), "server"}, log);
  ASSERT_THAT(writer, IsOk());
  for (int kill = 0; kill < kills; ++kill) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + random_() % 300));
    ASSERT_TRUE(writer->IsRunning()) << "at kill " << kill;
    server_->Kill();
    ASSERT_THAT(server_->StartAgain(), IsOk());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_TRUE(writer->IsRunning());
  writer->Kill();
  const Said said = Parse(log);
  const auto store = OpenPostgresStore(Options());
  ASSERT_THAT(store, IsOk());
  ExpectWhole(**store, said.kept);
  ExpectNoneOf(**store, said.failed);
  ExpectIntact();
  std::printf("%d kills, %zu units acknowledged, %zu failed\n", kills, said.kept.size(),
              said.failed.size());
  EXPECT_GT(said.kept.size(), 0U);
}

}  // namespace
}  // namespace comity::store
