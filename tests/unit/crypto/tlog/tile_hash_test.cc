// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/tile_hash.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "crypto/merkle/prove.h"
#include "tests/support/naive_tree.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::tlog {
namespace {

using testing::FailsWith;
using testing::IsOk;

// Tiles by path, as a log keeps them.
class TileFolder {
 public:
  TileReader Reader() const {
    return [this](const TilePath& tile) -> Result<Bytes> {
      const auto found = files_.find(EncodeTilePath(tile));
      if (found == files_.end()) return Fail(ErrorCode::kNotFound, EncodeTilePath(tile));
      return found->second;
    };
  }
  void Append(std::uint64_t old_size, std::span<const Digest> hashes) {
    const auto tiles = AppendTiles({old_size}, hashes, Reader());
    ASSERT_THAT(tiles, IsOk());
    for (const TileFile& tile : *tiles) files_[EncodeTilePath(tile.path)] = tile.content;
  }
  std::map<std::string, Bytes>& files() { return files_; }

 private:
  std::map<std::string, Bytes> files_;
};

TEST(AppendTiles, MatchesEveryTileOfTheVectors) {
  std::size_t compared = 0;
  const auto vectors = testing::ReadJsonVector("tlog/tree_entries.json");
  for (const auto& tree : vectors["big"]) {
    if (!tree.contains("tiles")) continue;
    TileFolder folder;
    folder.Append(0, testing::EntryLeaves(tree["size"].get<std::size_t>()));
    EXPECT_EQ(folder.files().size(), tree["tiles"].size());
    for (const auto& tile : tree["tiles"]) {
      const Bytes& content = folder.files()[tile["path"].get<std::string>()];
      EXPECT_EQ(content.size(), tile["bytes"].get<std::size_t>());
      EXPECT_EQ(EncodeHex(hash::Sha256(content).view()), tile["sha256"].get<std::string>());
      ++compared;
    }
  }
  EXPECT_EQ(compared, 2U + 5U + 277U);
}

TEST(AppendTiles, GivesTheSameTilesInAnySteps) {
  const std::vector<Digest> leaves = testing::EntryLeaves(70'000);
  TileFolder at_once;
  at_once.Append(0, leaves);
  TileFolder in_steps;
  std::size_t size = 0;
  for (const std::size_t step : {1U, 254U, 1U, 1U, 300U, 65'000U, 0U, 4'443U}) {
    in_steps.Append(size, std::span(leaves).subspan(size, step));
    size += step;
  }
  ASSERT_EQ(size, leaves.size());
  for (const auto& [path, content] : at_once.files()) {
    EXPECT_EQ(in_steps.files()[path], content) << path;
  }
}

TEST(AppendTiles, RefusesAPartialTileOfTheWrongLength) {
  TileFolder folder;
  folder.Append(0, testing::EntryLeaves(5));
  folder.files()["tile/0/000.p/5"].pop_back();
  EXPECT_THAT(AppendTiles({5}, testing::EntryLeaves(1), folder.Reader()),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(SubtreesFromTiles, ProveAndRootAsTheDefinition) {
  const std::vector<Digest> leaves = testing::EntryLeaves(1000);
  TileFolder folder;
  folder.Append(0, leaves);
  const auto read = SubtreesFromTiles({1000}, folder.Reader());
  EXPECT_EQ(*merkle::ReadRoot({1000}, read), testing::NaiveRoot(leaves));
  for (const std::size_t index : {0U, 1U, 255U, 256U, 511U, 767U, 768U, 998U, 999U}) {
    const auto proof = merkle::ProveInclusion({index}, {1000}, read);
    ASSERT_THAT(proof, IsOk());
    EXPECT_EQ(proof->path, testing::NaivePath(index, leaves));
  }
  for (const std::size_t old_size : {1U, 255U, 256U, 257U, 512U, 513U, 999U, 1000U}) {
    const auto proof = merkle::ProveConsistency({old_size}, {1000}, read);
    ASSERT_THAT(proof, IsOk());
    EXPECT_EQ(proof->path, testing::NaiveSubProof(old_size, leaves, true));
  }
}

TEST(SubtreesFromTiles, ProveAcrossThreeLevels) {
  const std::vector<Digest> leaves = testing::EntryLeaves(70'000);
  TileFolder folder;
  folder.Append(0, leaves);
  const auto read = SubtreesFromTiles({70'000}, folder.Reader());
  const Digest root = *merkle::ReadRoot({70'000}, read);
  EXPECT_EQ(root, testing::NaiveRoot(leaves));
  for (std::size_t index = 0; index < leaves.size(); index += 1237) {
    const auto proof = merkle::ProveInclusion({index}, {70'000}, read);
    ASSERT_THAT(proof, IsOk());
    EXPECT_THAT(merkle::VerifyInclusion(leaves[index], *proof, root), IsOk());
  }
}

TEST(SubtreesFromTiles, RefusesWhatIsNotInTheTree) {
  TileFolder folder;
  folder.Append(0, testing::EntryLeaves(5));
  const auto read = SubtreesFromTiles({5}, folder.Reader());
  EXPECT_THAT(read({0, 5}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(read({2, 1}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(read({64, 0}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(SubtreesFromTiles, RefusesATileOfTheWrongLength) {
  TileFolder folder;
  folder.Append(0, testing::EntryLeaves(5));
  folder.files()["tile/0/000.p/5"].push_back(0);
  EXPECT_THAT(SubtreesFromTiles({5}, folder.Reader())({0, 0}), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::tlog
