// SPDX-License-Identifier: Apache-2.0
#include "services/backup/log_part.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/support/result_matchers.h"

namespace comity::backup {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::IsOk;
using ::testing::Pair;

using Files = std::vector<std::pair<std::string, std::string>>;

Status Read(const std::string& stream, std::size_t piece, Files& files) {
  LogPartReader reader([&](const std::string& path, ByteView content) -> Status {
    files.emplace_back(path, std::string(AsText(content)));
    return {};
  });
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    COMITY_RETURN_IF_ERROR(
        reader.Feed(AsBytes(stream).subspan(at, std::min(piece, stream.size() - at))));
  }
  return reader.Finish();
}

const std::string kStream = "checkpoint 5\nhellolog.vkey 0\ntile/0/000.p/2 3\na\nb";

TEST(LogPart, TakesTheFilesApartInPiecesOfAnyLength) {
  for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
    Files files;
    ASSERT_THAT(Read(kStream, piece, files), IsOk()) << piece;
    EXPECT_THAT(files, ElementsAre(Pair("checkpoint", "hello"), Pair("log.vkey", ""),
                                   Pair("tile/0/000.p/2", "a\nb")));
  }
}

TEST(LogPart, WritesOnlyTheFilesOfALog) {
  Files files;
  for (const char* bad : {"../../etc/passwd 1\nx", "tile/../x 1\nx", "checkpoint\nx", "x 1\nx",
                          "checkpoint 99999999\nx", "checkpoint -1\nx", "checkpoint 1x\nx",
                          "checkpoint 123456789\nx", " 1\nx"}) {
    EXPECT_THAT(Read(bad, 1000, files), FailsWith(ErrorCode::kCorrupt)) << bad;
  }
  EXPECT_TRUE(files.empty());
}

TEST(LogPart, FindsAStreamThatEndsInsideAFile) {
  Files files;
  EXPECT_THAT(Read("checkpoint 5\nhell", 1000, files), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Read("checkpo", 1000, files), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::backup
