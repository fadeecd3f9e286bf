// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/log_verifier.h"

#include <gtest/gtest.h>

#include <thread>

#include "crypto/tlog/tile.h"
#include "tests/support/result_matchers.h"
#include "tests/support/sample_log.h"

namespace comity::tlog {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::MakeSampleLog;
using testing::SampleLog;

// The verdict on what lies in the folder, keys included: what an auditor without other sources
// does.
Result<LogSummary> Verify(const SampleLog& sample) {
  LogExport log = sample.AsExport();
  log.vkeys = std::string(AsText(sample.files.at("log.vkey")));
  return VerifyLog(log);
}

void ExpectNames(const Result<LogSummary>& verdict, ErrorCode code, const std::string& name) {
  ASSERT_THAT(verdict, FailsWith(code));
  EXPECT_NE(verdict.error().detail.find(name), std::string::npos) << verdict.error().detail;
}

class VerifyLogOfSize : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(VerifyLogOfSize, Succeeds) {
  const SampleLog sample = MakeSampleLog(GetParam());
  const auto summary = Verify(sample);
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->counts.entries, GetParam());
  EXPECT_EQ(summary->head.checkpoint.size.value, GetParam());
  EXPECT_EQ(summary->head.cosignatures.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, VerifyLogOfSize,
                         ::testing::Values(0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 65'535,
                                           65'536, 65'537, 70'000));

TEST(VerifyLog, CountsTypesAndTimes) {
  const auto summary = Verify(MakeSampleLog(300));
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->counts.by_type.at("search.permitted"), 100U);
  EXPECT_EQ(summary->counts.by_type.at("search.answered"), 200U);
  EXPECT_EQ(EncodeEntryTime(*summary->counts.first), "2026-11-25T00:00:00Z");
  EXPECT_EQ(EncodeEntryTime(*summary->counts.last), "2026-11-25T00:00:00.299Z");
}

TEST(VerifyLog, ReportsProgress) {
  const SampleLog sample = MakeSampleLog(70'000);
  std::vector<std::uint64_t> done;
  ASSERT_THAT(VerifyLog(sample.AsExport(),
                        [&](std::uint64_t now, std::uint64_t all) {
                          done.push_back(now);
                          EXPECT_EQ(all, 70'000U);
                        }),
              IsOk());
  EXPECT_EQ(done, std::vector<std::uint64_t>({65'536, 70'000}));
}

// Each octet once, with another bit from octet to octet.
TEST(VerifyLog, RefusesEveryChangedOctetOfEveryFile) {
  SampleLog sample = MakeSampleLog(3);
  ASSERT_EQ(sample.files.size(), 4U);
  for (auto& [path, content] : sample.files) {
    for (std::size_t at = 0; at < content.size(); ++at) {
      const std::uint8_t original = content[at];
      content[at] = static_cast<std::uint8_t>(original ^ (1 << at % 8));
      EXPECT_FALSE(Verify(sample).has_value()) << path << " octet " << at;
      content[at] = original;
    }
  }
  EXPECT_THAT(Verify(sample), IsOk());
}

TEST(VerifyLog, RefusesAFlippedOctetInEveryTileOfALargerLog) {
  SampleLog sample = MakeSampleLog(513);
  for (auto& [path, content] : sample.files) {
    for (std::size_t at = 0; at < content.size(); at += content.size() / 40 + 1) {
      content[at] ^= 1U;
      EXPECT_FALSE(Verify(sample).has_value()) << path << " octet " << at;
      content[at] ^= 1U;
    }
  }
}

TEST(VerifyLog, RefusesEveryFileMissingCutOrLonger) {
  const SampleLog sample = MakeSampleLog(300);
  for (const auto& [path, content] : sample.files) {
    SampleLog cut = sample;
    cut.files[path].pop_back();
    EXPECT_FALSE(Verify(cut).has_value()) << path;
    SampleLog longer = sample;
    longer.files[path].push_back('\n');
    EXPECT_FALSE(Verify(longer).has_value()) << path;
    LogExport missing = sample.AsExport();
    std::erase(missing.paths, path);
    ExpectNames(VerifyLog(missing), ErrorCode::kNotFound, path);
  }
}

TEST(VerifyLog, RefusesUnknownFiles) {
  const SampleLog sample = MakeSampleLog(300);
  for (const std::string path :
       {"README", "tile/0/000.p/44", "tile/0/001.p/43", "tile/entries/000.p/255", "tile/0/002",
        "tile/1/000.p/2", "tile/2/000.p/1", "checkpoint.bak", "../x", "tile/0/000/"}) {
    LogExport log = sample.AsExport();
    log.paths.push_back(path);
    ExpectNames(VerifyLog(log), ErrorCode::kConflict, path);
  }
}

TEST(VerifyLog, RefusesAFileListedTwice) {
  const SampleLog sample = MakeSampleLog(3);
  LogExport log = sample.AsExport();
  log.paths.push_back("checkpoint");
  ExpectNames(VerifyLog(log), ErrorCode::kConflict, "checkpoint");
}

TEST(VerifyLog, EscapesTheNamesOfUnknownFiles) {
  const SampleLog sample = MakeSampleLog(3);
  LogExport log = sample.AsExport();
  log.paths.push_back("\x1b[2J");
  ExpectNames(VerifyLog(log), ErrorCode::kConflict, "\\x1b[2J");
}

TEST(VerifyLog, RefusesALogOfAnotherKey) {
  const SampleLog sample = MakeSampleLog(3);
  LogExport log = sample.AsExport();
  log.vkeys = EncodeVerifierKey({"log.example/audit", NoteKeyType::kEd25519,
                                 testing::SampleKey(9).public_key()}) +
              "\n";
  EXPECT_THAT(VerifyLog(log), FailsWith(ErrorCode::kCorrupt));
}

TEST(VerifyLog, RefusesACosignatureThatNobodyCanCheck) {
  SampleLog sample = MakeSampleLog(3);
  sample.vkeys = sample.vkeys.substr(0, sample.vkeys.find('\n') + 1);
  sample.files["log.vkey"] = ToBytes(sample.vkeys);
  ExpectNames(Verify(sample), ErrorCode::kCorrupt, "witness.example/w");
}

TEST(VerifyLog, RefusesKeysThatAreNotKeys) {
  const SampleLog sample = MakeSampleLog(3);
  for (const std::string& vkeys : {std::string(), std::string("x\n"), sample.vkeys + "x",
                                   std::string(100, '\n'), sample.vkeys + "\n"}) {
    LogExport log = sample.AsExport();
    log.vkeys = vkeys;
    EXPECT_THAT(VerifyLog(log), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(VerifyLog, NamesAnEntryThatIsNotOne) {
  const SampleLog sample = MakeSampleLog(
      300, [](std::uint64_t i) { return i == 257 ? "{}" : *EncodeEntry(testing::SampleEntry(i)); });
  ExpectNames(Verify(sample), ErrorCode::kCorrupt, "tile/entries/001.p/44: entry 257");
}

TEST(VerifyLog, RefusesASizeThatNoFolderHolds) {
  SampleLog sample = MakeSampleLog(3);
  testing::SignSampleLog(sample, (std::uint64_t{1} << 63) - 1, Digest());
  EXPECT_THAT(Verify(sample), FailsWith(ErrorCode::kNotFound));
}

TEST(VerifyLog, RefusesTilesUnderAnotherRoot) {
  SampleLog sample = MakeSampleLog(3);
  testing::SignSampleLog(sample, 3, Digest());
  ExpectNames(Verify(sample), ErrorCode::kCorrupt, "another root");
}

TEST(VerifyLog, BoundsTheNumberOfTypes) {
  const SampleLog sample = MakeSampleLog(1025, [](std::uint64_t i) {
    LogEntry entry = testing::SampleEntry(i);
    entry.type = "type." + std::to_string(i);
    return *EncodeEntry(entry);
  });
  ExpectNames(Verify(sample), ErrorCode::kCorrupt, "1,024 types");
}

TEST(VerifyLog, PassesOnTheReadersError) {
  const SampleLog sample = MakeSampleLog(3);
  LogExport log = sample.AsExport();
  log.read = [](const std::string&) -> Result<Bytes> {
    return Fail(ErrorCode::kUnavailable, "disk");
  };
  EXPECT_THAT(VerifyLog(log), FailsWith(ErrorCode::kUnavailable));
}

TEST(VerifyTileRange, RunsOnTwoThreads) {
  const SampleLog sample = MakeSampleLog(2000);
  const LogExport log = sample.AsExport();
  const auto opened = OpenLog(log);
  ASSERT_THAT(opened, IsOk());
  ASSERT_EQ(TileCount(*opened), 8U);
  std::vector<Result<VerifiedRange>> parts(2);
  {
    std::jthread first([&] { parts[0] = VerifyTileRange(log, *opened, {0, 4}); });
    std::jthread second([&] { parts[1] = VerifyTileRange(log, *opened, {4, 8}); });
  }
  ASSERT_THAT(parts[0], IsOk());
  ASSERT_THAT(parts[1], IsOk());
  const auto summary = FinishLog(log, *opened, std::vector{*parts[0], *parts[1]});
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->counts.entries, 2000U);
}

}  // namespace
}  // namespace comity::tlog
