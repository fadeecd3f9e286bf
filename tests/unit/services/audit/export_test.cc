// SPDX-License-Identifier: Apache-2.0
#include "services/audit/export.h"

#include <atomic>
#include <cstdio>
#include <fstream>
#include <thread>

#include "crypto/tlog/log_verifier.h"
#include "tests/unit/services/audit/log_fixture.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

using Files = std::map<std::string, Bytes>;

// Verifies `files` as an auditor does who has the log's key from elsewhere.
Result<tlog::LogSummary> VerifyFiles(const Files& files, const std::string& vkey) {
  tlog::LogExport log;
  log.vkeys = vkey;
  log.checkpoint = AsText(files.at("checkpoint"));
  log.read = [&](const std::string& path) -> Result<Bytes> {
    const auto file = files.find(path);
    if (file == files.end()) return Fail(ErrorCode::kNotFound, path);
    return file->second;
  };
  for (const auto& [path, content] : files) log.paths.push_back(path);
  return tlog::VerifyLog(log);
}

// Exit status and output of verify_export.py over `folder`.
std::pair<int, std::string> RunIndependentVerifier(const std::filesystem::path& folder) {
  const std::string command = "python3 -B " COMITY_SOURCE_DIR
                              "/tests/unit/services/audit/verify_export.py '" +
                              folder.string() + "' 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, "python3 does not start"};
  std::string said;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
  return {::pclose(pipe), said};
}

class ExportTest : public LogTest {
 protected:
  void SetUp() override { Open(); }
  // Flips one bit of every `step`th octet of `path`; each time verification must fail.
  void ExpectEveryFlipFound(const std::string& path, std::size_t step) {
    const Files good = ExportFiles();
    ASSERT_THAT(good, Contains(Key(path)));
    ASSERT_THAT(VerifyFiles(good, log_->VerifierKeyFile()), IsOk());
    Files files = good;
    for (std::size_t i = 0; i < files.at(path).size(); i += step) {
      const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
      files.at(path)[i] ^= bit;
      EXPECT_FALSE(VerifyFiles(files, log_->VerifierKeyFile()).has_value())
          << path << " octet " << i;
      files.at(path)[i] ^= bit;
    }
  }
};

TEST_F(ExportTest, EmptyLogVerifies) {
  const Files files = ExportFiles();
  EXPECT_THAT(files, ElementsAre(Key("checkpoint"), Key("log.vkey")));
  EXPECT_THAT(VerifyFiles(files, log_->VerifierKeyFile()), IsOk());
}

TEST_F(ExportTest, HoldsExactlyTheFilesOfItsSize) {
  Append(0, 300);
  EXPECT_THAT(ExportFiles(), ElementsAre(Key("checkpoint"), Key("log.vkey"), Key("tile/0/000"),
                                         Key("tile/0/001.p/44"), Key("tile/1/000.p/1"),
                                         Key("tile/entries/000"), Key("tile/entries/001.p/44")));
}

TEST_F(ExportTest, VerifiesAtEverySizeAroundATile) {
  int size = 0;
  for (const int target : {1, 2, 255, 256, 257, 511, 512, 513}) {
    Append(size, target - size);
    size = target;
    const auto summary = VerifyFiles(ExportFiles(), log_->VerifierKeyFile());
    ASSERT_THAT(summary, IsOk()) << target;
    EXPECT_EQ(summary->counts.entries, static_cast<std::uint64_t>(target));
    EXPECT_EQ(summary->counts.by_type.at("search-hit"), static_cast<std::uint64_t>(target));
  }
}

TEST_F(ExportTest, PublishedFilesAreTheExportedOnes) {
  Append(0, 300);
  for (const auto& [path, content] : ExportFiles()) {
    std::ifstream file(files() / path, std::ios::binary);
    const std::string published{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(published, AsText(content)) << path;
  }
}

TEST_F(ExportTest, AFlippedBitInTheCheckpointIsFound) {
  Append(0, 260);
  ExpectEveryFlipFound("checkpoint", 1);
}
TEST_F(ExportTest, AFlippedBitInTheKeyFileIsFound) {
  Append(0, 260);
  ExpectEveryFlipFound("log.vkey", 1);
}
TEST_F(ExportTest, AFlippedBitInTheLastBundleIsFound) {
  Append(0, 260);
  ExpectEveryFlipFound("tile/entries/001.p/4", 1);
}
TEST_F(ExportTest, AFlippedBitInAFullBundleIsFound) {
  Append(0, 260);
  ExpectEveryFlipFound("tile/entries/000", 499);
}
TEST_F(ExportTest, AFlippedBitInATileIsFound) {
  Append(0, 260);
  ExpectEveryFlipFound("tile/0/000", 61);
  ExpectEveryFlipFound("tile/0/001.p/4", 1);
  ExpectEveryFlipFound("tile/1/000.p/1", 1);
}

TEST_F(ExportTest, AMissingOrAnAddedFileIsFound) {
  Append(0, 260);
  const Files good = ExportFiles();
  for (const auto& [path, content] : good) {
    if (path == "checkpoint") continue;  // VerifyFiles itself needs it
    Files files = good;
    files.erase(path);
    EXPECT_FALSE(VerifyFiles(files, log_->VerifierKeyFile()).has_value()) << path;
  }
  Files more = good;
  more["tile/0/002"] = Bytes(8192);
  EXPECT_FALSE(VerifyFiles(more, log_->VerifierKeyFile()).has_value());
}

TEST_F(ExportTest, IsOfOneSizeWhileEntriesArrive) {
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    for (int i = 0; !stop; ++i) EXPECT_THAT(log_->Record(TestEvent(i)), IsOk());
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const auto summary = VerifyFiles(ExportFiles(), log_->VerifierKeyFile());
    EXPECT_THAT(summary, IsOk());
    if (!summary) break;
    EXPECT_GE(summary->counts.entries, last);
    last = summary->counts.entries;
  }
  stop = true;
}

TEST_F(ExportTest, StopsAtTheFirstErrorOfTheSink) {
  Append(0, 3);
  int calls = 0;
  const auto sink = [&](std::string_view, ByteView) -> Status {
    ++calls;
    return Fail(ErrorCode::kUnavailable, "the reader went away");
  };
  EXPECT_THAT(Export(*log_, sink), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(calls, 1);
}

TEST_F(ExportTest, AProgramThatSharesNoCodeAgrees) {
  Append(0, 600);
  const std::filesystem::path out = folder_.path() / "export";
  for (const auto& [path, content] : ExportFiles()) {
    create_directories((out / path).parent_path());
    std::ofstream(out / path, std::ios::binary) << AsText(content);
  }
  const auto [good, said] = RunIndependentVerifier(out);
  EXPECT_EQ(good, 0) << said;
  EXPECT_THAT(said, HasSubstr("600 entries"));

  std::fstream bundle(out / "tile/entries/001", std::ios::in | std::ios::out | std::ios::binary);
  bundle.seekp(100);
  bundle.put('~');
  bundle.close();
  EXPECT_NE(RunIndependentVerifier(out).first, 0);
}

}  // namespace
}  // namespace comity::audit
