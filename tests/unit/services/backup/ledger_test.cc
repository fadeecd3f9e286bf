// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "services/backup/ledger_file.h"
#include "services/backup/ledger_line.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::backup {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

SecretBytes Key(std::uint8_t octet = 7) {
  return DeriveLedgerKey(SecretBytes::CopyOf(Bytes(32, octet)));
}

LedgerLine Line(std::string about, std::uint64_t log_size = 0) {
  LedgerLine line;
  line.time = policy::ParseInstant("2026-11-25T08:00:00Z").value();
  line.kind = line_kind::kMark;
  line.about = std::move(about);
  line.log_size = log_size;
  return line;
}

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}
void PutText(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

TEST(LedgerLine, ReadsBackWhatItWrote) {
  LedgerLine line = Line("northshire-police", 12);
  line.sequence = 3;
  line.previous.bytes.fill(9);
  line.kind = line_kind::kErased;
  line.groups = {{"alert", "expired", {CommitRecord(Key(), "alert", "a-1")}}};
  const std::string text = EncodeLedgerLine(line, Key());
  ASSERT_TRUE(text.ends_with('\n'));
  const auto read = ParseLedgerLine(text.substr(0, text.size() - 1), Key());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->sequence, 3U);
  EXPECT_EQ(read->previous, line.previous);
  EXPECT_EQ(read->log_size, 12U);
  ASSERT_EQ(read->groups.size(), 1U);
  EXPECT_EQ(read->groups[0].reason, "expired");
  EXPECT_THAT(read->groups[0].ids, ElementsAre(CommitRecord(Key(), "alert", "a-1")));
}

TEST(LedgerLine, RefusesEveryFlippedOctetAndAnotherKey) {
  LedgerLine line = Line("northshire-police", 12);
  line.sequence = 1;
  const std::string text = EncodeLedgerLine(line, Key());
  const std::string body = text.substr(0, text.size() - 1);
  EXPECT_THAT(ParseLedgerLine(body, Key(8)), FailsWith(ErrorCode::kCorrupt));
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string bad = body;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_THAT(ParseLedgerLine(bad, Key()), FailsWith(ErrorCode::kCorrupt)) << i;
  }
}

TEST(LedgerLine, NamesARecordOnlyToWhoHoldsTheKey) {
  EXPECT_EQ(CommitRecord(Key(), "entry", "list/ref-1"), CommitRecord(Key(), "entry", "list/ref-1"));
  EXPECT_NE(CommitRecord(Key(), "entry", "list/ref-1"),
            CommitRecord(Key(8), "entry", "list/ref-1"));
  EXPECT_NE(CommitRecord(Key(), "entry", "list/ref-1"), CommitRecord(Key(), "alert", "list/ref-1"));
}

class LedgerFilesTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<LedgerFiles>> Open() { return LedgerFiles::Open({own_, copy_}, Key()); }
  // Opens, appends so many lines, closes.
  void Append(int lines) {
    auto ledger = Open();
    ASSERT_THAT(ledger, IsOk());
    for (int i = 0; i < lines; ++i) ASSERT_THAT((*ledger)->Append(Line("x", 10)), IsOk());
  }

  const testing::TemporaryDirectory directory_;
  const fs::path own_ = directory_.path() / "data" / "erasure";
  const fs::path copy_ = directory_.path() / "elsewhere";
};

TEST_F(LedgerFilesTest, KeepsTwoEqualCopiesWithAChain) {
  Append(3);
  EXPECT_EQ(TextOf(LedgerFileIn(own_)), TextOf(LedgerFileIn(copy_)));
  const auto survey = ReadLedger(LedgerFileIn(copy_), Key());
  ASSERT_THAT(survey, IsOk());
  EXPECT_EQ(survey->head.sequence, 3U);
  EXPECT_EQ(survey->largest_log_size, 10U);
}

TEST_F(LedgerFilesTest, MakesFilesThatOnlyItsUserReads) {
  Append(1);
  struct stat status{};
  ASSERT_EQ(::stat(LedgerFileIn(copy_).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(LedgerFilesTest, BringsALostCopyBack) {
  Append(3);
  fs::remove_all(own_);
  Append(1);
  EXPECT_EQ(TextOf(LedgerFileIn(own_)), TextOf(LedgerFileIn(copy_)));
  EXPECT_EQ(ReadLedger(LedgerFileIn(own_), Key())->head.sequence, 4U);
}

TEST_F(LedgerFilesTest, BringsACopyThatIsBehindUpToDate) {
  Append(2);
  const std::string old = TextOf(LedgerFileIn(copy_));
  Append(2);
  PutText(LedgerFileIn(copy_), old);
  Append(0);
  EXPECT_EQ(ReadLedger(LedgerFileIn(copy_), Key())->head.sequence, 4U);
}

TEST_F(LedgerFilesTest, CutsALineThatACrashLeftUnfinished) {
  Append(2);
  const std::string whole = TextOf(LedgerFileIn(own_));
  PutText(LedgerFileIn(own_), whole + "{\"about\":\"x\",\"erased\"");
  Append(1);
  EXPECT_EQ(ReadLedger(LedgerFileIn(own_), Key())->head.sequence, 3U);
  EXPECT_TRUE(TextOf(LedgerFileIn(own_)).starts_with(whole));
}

TEST_F(LedgerFilesTest, RefusesCopiesThatDiffer) {
  Append(1);
  const std::string first = TextOf(LedgerFileIn(own_));
  Append(1);
  const std::string branch = TextOf(LedgerFileIn(own_));
  fs::remove_all(copy_);
  PutText(LedgerFileIn(own_), first);
  auto ledger = LedgerFiles::Open({own_}, Key());
  ASSERT_THAT((*ledger)->Append(Line("another")), IsOk());
  fs::create_directories(copy_);
  PutText(LedgerFileIn(copy_), branch);
  EXPECT_THAT(Open(), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(LedgerFilesTest, FindsALineThatWasChangedLeftOutOrMoved) {
  Append(4);
  const std::string text = TextOf(LedgerFileIn(own_));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  const auto read = [&](const std::string& content) {
    PutText(LedgerFileIn(own_), content);
    return ReadLedger(LedgerFileIn(own_), Key());
  };
  EXPECT_THAT(read(lines[0] + lines[2] + lines[3]), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(read(lines[1] + lines[0] + lines[2] + lines[3]), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(read(lines[0] + lines[0]), FailsWith(ErrorCode::kCorrupt));
  const auto bad = read(lines[0] + "not json\n" + lines[2]);
  ASSERT_THAT(bad, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(bad.error().detail, HasSubstr("line 2"));
}

TEST_F(LedgerFilesTest, WritesNothingWhenACopyIsGoneAndSaysSo) {
  auto ledger = Open();
  ASSERT_THAT((*ledger)->Append(Line("one")), IsOk());
  fs::remove(LedgerFileIn(copy_));
  EXPECT_THAT((*ledger)->Append(Line("two")), FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE((*ledger)->behind());
  // Until the copy is there again nothing further is written: at most one line is open.
  EXPECT_THAT((*ledger)->Append(Line("three")), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ((*ledger)->survey().head.sequence, 2U);
  ledger->reset();
  Append(1);
  EXPECT_EQ(TextOf(LedgerFileIn(own_)), TextOf(LedgerFileIn(copy_)));
  EXPECT_EQ(ReadLedger(LedgerFileIn(copy_), Key())->head.sequence, 3U);
}

}  // namespace
}  // namespace comity::backup
