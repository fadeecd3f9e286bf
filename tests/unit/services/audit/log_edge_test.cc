// SPDX-License-Identifier: Apache-2.0
#include "services/audit/log_edge.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/entry_bundle.h"
#include "tests/support/result_matchers.h"

namespace comity::audit {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;

using Files = std::map<std::string, Bytes>;

std::vector<store::AuditEntryRecord> Entries(std::uint64_t from, std::uint64_t count) {
  std::vector<store::AuditEntryRecord> entries;
  for (std::uint64_t i = from; i < from + count; ++i) {
    entries.push_back({.index = i, .entry = ToBytes("entry " + std::to_string(i))});
  }
  return entries;
}

// The files of a log, from the definition in C2SP tlog-tiles, all at once.
Files NaiveFiles(std::uint64_t size) {
  Files files;
  std::vector<Digest> hashes;
  for (const auto& record : Entries(0, size)) {
    const std::uint64_t tile = record.index / 256;
    const auto width = static_cast<unsigned>(std::min<std::uint64_t>(256, size - 256 * tile));
    Bytes& bundle = files[tlog::EncodeTilePath({.entries = true, .index = tile, .width = width})];
    EXPECT_THAT(tlog::AppendToBundle(bundle, record.entry), IsOk());
    hashes.push_back(merkle::LeafHash(record.entry));
  }
  for (unsigned level = 0; !hashes.empty(); ++level) {
    std::vector<Digest> roots;
    for (std::size_t begin = 0; begin < hashes.size(); begin += 256) {
      const std::size_t end = std::min(begin + 256, hashes.size());
      const auto width = static_cast<unsigned>(end - begin);
      Bytes& tile =
          files[tlog::EncodeTilePath({.level = level, .index = begin / 256, .width = width})];
      merkle::CompactTree tree;
      for (std::size_t i = begin; i < end; ++i) {
        tile.insert(tile.end(), hashes[i].bytes.begin(), hashes[i].bytes.end());
        tree.Append(hashes[i]);
      }
      if (width == 256) roots.push_back(tree.Root());
    }
    hashes = std::move(roots);
  }
  return files;
}

// The files an edge gives when entries come in batches of `batch`.
Files EdgeFiles(std::uint64_t size, std::uint64_t batch) {
  Files files;
  const TileSink sink = [&](const tlog::TilePath& tile, ByteView content) -> Status {
    EXPECT_TRUE(files.emplace(tlog::EncodeTilePath(tile), ToBytes(content)).second);
    return {};
  };
  LogEdge edge;
  while (edge.size() < size) {
    const std::uint64_t count = std::min(batch, size - edge.size());
    EXPECT_THAT(edge.Append(Entries(edge.size(), count), sink), IsOk());
  }
  EXPECT_THAT(edge.VisitPartials(sink), IsOk());
  return files;
}

TEST(LogEdge, GivesTheFilesOfTheDefinitionHoweverEntriesArrive) {
  for (const std::uint64_t size : {0U, 1U, 255U, 256U, 257U, 600U, 1024U, 1300U}) {
    const Files expected = NaiveFiles(size);
    for (const std::uint64_t batch : {1U, 7U, 256U, 1000U}) {
      EXPECT_EQ(EdgeFiles(size, batch), expected) << size << " in batches of " << batch;
    }
  }
}

TEST(LogEdge, GivesTheFilesOfTheDefinitionWithThreeLevels) {
  constexpr std::uint64_t kSize = 65'536 + 300;
  EXPECT_EQ(EdgeFiles(kSize, 1024), NaiveFiles(kSize));
}

TEST(LogEdge, RefusesAnEntryOutOfPlace) {
  LogEdge edge;
  const TileSink ignore = [](const tlog::TilePath&, ByteView) -> Status { return {}; };
  EXPECT_THAT(edge.Append(Entries(1, 1), ignore), FailsWith(ErrorCode::kCorrupt));
}

TEST(LogEdge, PassesTheSinksErrorOn) {
  LogEdge edge;
  const TileSink full_disk = [](const tlog::TilePath&, ByteView) -> Status {
    return Fail(ErrorCode::kUnavailable, "disk full");
  };
  EXPECT_THAT(edge.Append(Entries(0, 256), full_disk), FailsWith(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace comity::audit
