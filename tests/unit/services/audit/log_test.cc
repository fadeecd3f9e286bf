// SPDX-License-Identifier: Apache-2.0
#include "services/audit/log.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "crypto/merkle/proof.h"
#include "crypto/merkle/prove.h"
#include "crypto/tlog/entry.h"
#include "crypto/tlog/tile_hash.h"
#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;
using ::testing::HasSubstr;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// True once `condition` holds; false after 20 s. How fast it is, tests/bench/audit_log_bench.cc
// says.
bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_F(LogTest, FreshLogPublishesTheEmptyCheckpoint) {
  Open();
  EXPECT_EQ(log_->Latest().size, 0U);
  EXPECT_EQ(ReadAll(files() / "checkpoint"), log_->Latest().note);
  EXPECT_EQ(ReadAll(files() / "log.vkey"), log_->VerifierKeyFile());
}

TEST_F(LogTest, EntryComesUnderASignedCheckpointUnasked) {
  Open();
  Append(0, 1);
  EXPECT_TRUE(Eventually([&] { return log_->Latest().size == 1; }));
}

TEST_F(LogTest, FlushCoversEveryDurableEntry) {
  Open();
  for (int i = 0; i < 5; ++i) {
    Append(i, 1);
    const auto checkpoint = log_->Flush();
    ASSERT_THAT(checkpoint, IsOk());
    EXPECT_EQ(checkpoint->size, static_cast<std::uint64_t>(i) + 1);
    EXPECT_EQ(ReadAll(files() / "checkpoint"), checkpoint->note);
  }
}

TEST_F(LogTest, EffectAndEntryStandOrFallTogether) {
  Open();
  const Status committed = log_->Commit([](store::Transaction&, Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(recorder.Record(TestEvent(1)));
    return Fail(ErrorCode::kConflict, "the effect failed");
  });
  EXPECT_THAT(committed, FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(log_->Flush()->size, 0U);
}

TEST_F(LogTest, WorkThatOverlooksAFailedRecordDoesNotCommit) {
  Open();
  const Status committed = log_->Commit([](store::Transaction&, Recorder& recorder) -> Status {
    Event undeclared = TestEvent(1);
    undeclared.type = "face-seen";
    EXPECT_FALSE(recorder.Record(undeclared).has_value());
    EXPECT_TRUE(recorder.Record(TestEvent(2)).has_value());
    return {};
  });
  EXPECT_THAT(committed, FailsWith(ErrorCode::kInternal));
  EXPECT_EQ(log_->Flush()->size, 0U);
}

TEST_F(LogTest, EventThatDoesNotFitAnEntryIsRefused) {
  Open();
  Event long_text = TestEvent(1);
  long_text.exchange.assign(4096, 'x');
  EXPECT_THAT(log_->Record(long_text), FailsWith(ErrorCode::kInternal));
  Event nobody = TestEvent(1);
  nobody.parties.clear();
  EXPECT_THAT(log_->Record(nobody), FailsWith(ErrorCode::kInternal));
  EXPECT_EQ(log_->Flush()->size, 0U);
}

TEST_F(LogTest, EventWithoutATimeGetsTheClocks) {
  Open();
  Event event = TestEvent(0);
  event.time = {};
  clock_.Set(kTestTime + std::chrono::minutes(5));
  ASSERT_THAT(log_->Record(event), IsOk());
  const auto files = ExportFiles();
  EXPECT_THAT(std::string(AsText(files.at("tile/entries/000.p/1"))),
              HasSubstr("2026-11-25T08:05:00Z"));
}

TEST_F(LogTest, ManyWritersAtOnceLoseNothing) {
  Open();
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 50; ++i) EXPECT_THAT(log_->Record(TestEvent(writer * 50 + i)), IsOk());
    });
  }
  writers.clear();
  EXPECT_EQ(log_->Flush()->size, 200U);
}

TEST_F(LogTest, PartialTilesGoWhenTheTileIsFull) {
  Open();
  Append(0, 200);
  ASSERT_THAT(log_->Flush(), IsOk());
  EXPECT_TRUE(exists(files() / "tile/0/000.p/200"));
  EXPECT_TRUE(exists(files() / "tile/entries/000.p/200"));
  Append(200, 100);
  ASSERT_THAT(log_->Flush(), IsOk());
  EXPECT_TRUE(exists(files() / "tile/0/000"));
  EXPECT_TRUE(exists(files() / "tile/0/001.p/44"));
  EXPECT_TRUE(exists(files() / "tile/1/000.p/1"));
  EXPECT_FALSE(exists(files() / "tile/0/000.p"));
  EXPECT_FALSE(exists(files() / "tile/entries/000.p"));
}

TEST_F(LogTest, ReopenedLogGoesOnFromItsCheckpoint) {
  Open();
  Append(0, 300);
  const Checkpoint before = log_->Flush().value();
  Close();
  Open();
  EXPECT_EQ(log_->Latest().note, before.note);
  Append(300, 300);
  const Checkpoint after = log_->Flush().value();
  EXPECT_EQ(after.size, 600U);
  const auto read = [&](const tlog::TilePath& tile) { return log_->files().Read(tile); };
  const auto proof = merkle::ProveConsistency({before.size}, {after.size},
                                              tlog::SubtreesFromTiles({after.size}, read));
  ASSERT_THAT(proof, IsOk());
  EXPECT_THAT(merkle::VerifyConsistency(*proof, before.root, after.root), IsOk());
}

TEST_F(LogTest, StartRepairsMissingAndChangedFiles) {
  Open();
  Append(0, 600);
  ASSERT_THAT(log_->Flush(), IsOk());
  const std::string bundle = ReadAll(files() / "tile/entries/001");
  Close();
  std::filesystem::remove(files() / "tile/0/000");
  std::ofstream(files() / "tile/entries/001") << "something else";
  std::filesystem::remove(files() / "checkpoint");
  Open();
  EXPECT_TRUE(exists(files() / "tile/0/000"));
  EXPECT_EQ(ReadAll(files() / "tile/entries/001"), bundle);
  EXPECT_EQ(ReadAll(files() / "checkpoint"), log_->Latest().note);
  EXPECT_THAT(lines_.str(), HasSubstr("audit-tiles-repaired"));
}

TEST_F(LogTest, DurableEntriesWithoutCheckpointArePublishedAtStart) {
  Open();
  Append(0, 10);
  Close();  // perhaps before the publisher ran
  Open();
  EXPECT_EQ(log_->Latest().size, 10U);
}

TEST_F(LogTest, FailedPublishingShowsInHealthRefusesNothingAndRecovers) {
  Open();
  std::filesystem::remove_all(files() / "tile");
  std::ofstream(files() / "tile") << "a file where a folder must be";
  Append(0, 1);
  ASSERT_TRUE(Eventually([&] { return !log_->Health().publishing; }));
  const auto flushed = log_->Flush(std::chrono::milliseconds(1));
  ASSERT_THAT(flushed, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(flushed.error().detail, HasSubstr("cannot write"));
  Append(1, 1);  // still durable, still acknowledged
  std::filesystem::remove(files() / "tile");
  EXPECT_EQ(log_->Flush(std::chrono::seconds(20))->size, 2U);
  // The state follows the checkpoint by a moment.
  EXPECT_TRUE(Eventually([&] { return log_->Health().publishing; }));
  const LogHealth health = log_->Health();
  EXPECT_EQ(health.problem, "");
  EXPECT_EQ(health.signed_size, 2U);
}

TEST_F(LogTest, AnotherSignerOfTheSameLogStopsIt) {
  Open();
  const Checkpoint foreign = SignCheckpoint(kTestOrigin, key_, 50, Digest{});
  ASSERT_THAT(store_->Write([&](store::Transaction& tx) {
    return tx.checkpoints().Save({.size = foreign.size, .note = foreign.note});
  }),
              IsOk());
  Append(0, 1);
  ASSERT_TRUE(Eventually([&] { return log_->Health().stopped; }));
  EXPECT_THAT(log_->Flush(std::chrono::milliseconds(1)), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(log_->Record(TestEvent(1)), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(LogTest, RefusesAnOriginOrKeyOfTheWrongForm) {
  OpenStore();
  const Log::Options good{.store = *store_,
                          .log_key = key_,
                          .origin = "not a name",
                          .kek = kek_,
                          .directory = folder_.path(),
                          .clock = clock_,
                          .logger = *logger_,
                          .random = random_};
  EXPECT_THAT(Log::Open(good), FailsWith(ErrorCode::kInvalidArgument));
  kek_ = SecretBytes(16);
  EXPECT_THAT(TryOpen(), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::audit
