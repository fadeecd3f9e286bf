// SPDX-License-Identifier: Apache-2.0
// A machine that goes silent between the writer and its server, without a reset: the server frees
// the writer's lock within a bound, and the old writer writes nothing any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/line_cutter.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"

namespace comity::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::FailsWith;
using testing::IsOk;
using testing::LineCutter;

// By the settings of postgres_url.cc: a line that carries nothing is given up after 5 + 3 * 2 s,
// one with octets under way after 10 s; on a machine that has other work.
constexpr seconds kNoticed{20};
constexpr seconds kPatience{5};
constexpr seconds kTcpTimeout{10};
constexpr seconds kConnecting{5};  // one attempt, which may have begun when the patience ended

double Seconds(steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

Status Append(Store& store, const std::string& text) {
  return store.Write([&](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes(text), "", {ToBytes("key"), ToBytes("x")}));
    return {};
  });
}

std::set<std::string> Entries(const Store& store) {
  std::set<std::string> texts;
  EXPECT_THAT(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, size));
    for (const AuditEntryRecord& entry : entries) texts.emplace(AsText(entry.entry));
    return {};
  }),
              IsOk());
  return texts;
}

class PostgresSilence : public ::testing::Test {
 protected:
  void SetUp() override {
    auto cutter = LineCutter::Start(database_.server().port());
    ASSERT_THAT(cutter, IsOk());
    cutter_ = *std::move(cutter);
    PostgresOptions options = database_.options();
    options.url = database_.server().UrlOfPort("comity_gateway", database_.name(), cutter_->port());
    options.patience = kPatience;
    auto store = OpenPostgresStore(options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
    ASSERT_THAT(Append(*store_, "first"), IsOk());
  }
  // As a gateway at another machine that waits.
  std::unique_ptr<PostgresStore> AwaitLock() {
    const auto began = steady_clock::now();
    PostgresOptions options = database_.options();
    options.wait_for_writer = true;
    auto store = OpenPostgresStore(options);
    EXPECT_THAT(store, IsOk());
    const auto took = steady_clock::now() - began;
    std::printf("the lock is free %.1f s after the silence\n", Seconds(took));
    EXPECT_LT(took, kNoticed);
    EXPECT_GT(took, seconds(2)) << "something else than the silence freed it";
    return *std::move(store);
  }

  const testing::TestDatabase database_;
  std::unique_ptr<LineCutter> cutter_;
  std::unique_ptr<PostgresStore> store_;
};

TEST_F(PostgresSilence, FreesTheLockOfAWriterThatDoesNothing) {
  cutter_->Silence();
  const auto other = AwaitLock();
  EXPECT_THAT(Append(*other, "of the other"), IsOk());
  const auto began = steady_clock::now();
  EXPECT_THAT(Append(*store_, "too late"), FailsWith(ErrorCode::kUnavailable));
  const auto took = steady_clock::now() - began;
  std::printf("the old writer gave up %.1f s after it was asked\n", Seconds(took));
  EXPECT_LT(took, kTcpTimeout + kPatience + kConnecting + seconds(5));
  EXPECT_EQ(Entries(*other), (std::set<std::string>{"first", "of the other"}));
}

// Both ends have octets under way that nobody acknowledges.
TEST_F(PostgresSilence, FreesTheLockOfAWriterAtWorkAndKeepsNothingOfItAfterwards) {
  std::set<std::string> kept = {"first"};
  std::atomic<int> told{0};
  steady_clock::time_point last_kept;
  steady_clock::time_point first_failed;
  std::jthread writer([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      const std::string text = std::to_string(i);
      if (Append(*store_, text)) {
        kept.insert(text);
        last_kept = steady_clock::now();
        ++told;
      } else {
        first_failed = steady_clock::now();
        return;
      }
    }
  });
  while (told < 20) std::this_thread::sleep_for(milliseconds(5));
  cutter_->Silence();
  const auto silent = steady_clock::now();
  const auto other = AwaitLock();
  const auto taken_over = steady_clock::now();
  writer.join();
  EXPECT_LT(last_kept, silent + seconds(1)) << "acknowledged by a server that was not reached";
  EXPECT_LT(last_kept, taken_over);
  std::printf("the old writer gave up %.1f s after the silence\n", Seconds(first_failed - silent));
  EXPECT_LT(first_failed - silent, kTcpTimeout + kPatience + kConnecting + seconds(5));
  EXPECT_THAT(Append(*other, "of the other"), IsOk());
  EXPECT_THAT(Append(*store_, "too late"), FailsWith(ErrorCode::kUnavailable));
  // What was acknowledged, and at most the unit whose answer the silence took.
  const std::set<std::string> entries = Entries(*other);
  for (const std::string& text : kept) EXPECT_TRUE(entries.contains(text)) << text << " is lost";
  EXPECT_LE(entries.size(), kept.size() + 2);
  EXPECT_FALSE(entries.contains("too late"));
}

}  // namespace
}  // namespace comity::store
