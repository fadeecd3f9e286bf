// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/tile.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::tlog {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOkAnd;

TEST(TilePath, MatchesTheVectors) {
  const auto vectors = testing::ReadJsonVector("tlog/tile_paths.json");
  ASSERT_EQ(vectors["paths"].size(), 13U);
  for (const auto& one : vectors["paths"]) {
    const TilePath tile{one["entries"].get<bool>(), one["level"].get<unsigned>(),
                        one["index"].get<std::uint64_t>(), one["width"].get<unsigned>()};
    const auto path = one["path"].get<std::string>();
    EXPECT_EQ(EncodeTilePath(tile), path);
    EXPECT_THAT(ParseTilePath(path), IsOkAnd(Eq(tile)));
  }
}

TEST(TilePath, RefusesTheInvalidVectors) {
  const auto vectors = testing::ReadJsonVector("tlog/tile_paths.json");
  ASSERT_EQ(vectors["invalid"].size(), 13U);
  for (const auto& path : vectors["invalid"]) {
    EXPECT_THAT(ParseTilePath(path.get<std::string>()), FailsWith(ErrorCode::kInvalidArgument))
        << path;
  }
}

TEST(TilePath, RefusesFurtherSpellings) {
  for (const std::string path : {"",
                                 "tile",
                                 "tile/",
                                 "tile/0",
                                 "tile/0/",
                                 "/tile/0/000",
                                 "tile/0/000/",
                                 "tile/0/000 ",
                                 "tile//000",
                                 "tile/00/000",
                                 "tile/+1/000",
                                 "tile/0/000.p/",
                                 "tile/0/000.p/1/",
                                 "tile/0/000.p/1.p/1",
                                 "tile/entries",
                                 "tile/entries/000.p/256",
                                 "tile/Entries/000",
                                 "tile/0/x000/x000/000",
                                 "tile/0/x18446744073709551616",
                                 "tile/0/000.P/1",
                                 "tile/18446744073709551616/000",
                                 "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999"}) {
    EXPECT_THAT(ParseTilePath(path), FailsWith(ErrorCode::kInvalidArgument)) << path;
  }
}

TEST(TilePath, RoundTripsEveryWidthAndTheLargestIndex) {
  for (unsigned width = 1; width <= kTileWidth; ++width) {
    const TilePath tile{
        .level = 63, .index = std::numeric_limits<std::uint64_t>::max(), .width = width};
    EXPECT_THAT(ParseTilePath(EncodeTilePath(tile)), IsOkAnd(Eq(tile)));
  }
}

TEST(TilesOfATree, AreThoseOfTheSpecificationsExample) {
  const merkle::TreeSize size{70'000};
  EXPECT_EQ(FullTiles(size, 0), 273U);
  EXPECT_EQ(PartialWidth(size, 0), 112U);
  EXPECT_EQ(FullTiles(size, 1), 1U);
  EXPECT_EQ(PartialWidth(size, 1), 17U);
  EXPECT_EQ(FullTiles(size, 2), 0U);
  EXPECT_EQ(PartialWidth(size, 2), 1U);
  EXPECT_EQ(HashTiles(size).size(), 277U);
  EXPECT_EQ(EntryBundles(size).size(), 274U);
}

TEST(TilesOfATree, HaveThePathsOfTheVectors) {
  const auto vectors = testing::ReadJsonVector("tlog/tree_entries.json");
  std::size_t compared = 0;
  for (const auto& tree : vectors["big"]) {
    if (!tree.contains("tiles")) continue;
    std::set<std::string> expected;
    for (const auto& tile : tree["tiles"]) expected.insert(tile["path"].get<std::string>());
    std::set<std::string> paths;
    for (const TilePath& tile : HashTiles({tree["size"].get<std::uint64_t>()})) {
      paths.insert(EncodeTilePath(tile));
    }
    EXPECT_EQ(paths, expected);
    ++compared;
  }
  EXPECT_EQ(compared, 3U);
}

TEST(TilesOfATree, OfNothingAreNone) {
  EXPECT_TRUE(HashTiles({0}).empty());
  EXPECT_TRUE(EntryBundles({0}).empty());
}

TEST(TilesOfATree, AreCountedUpToTheLargestSize) {
  const merkle::TreeSize max{std::numeric_limits<std::uint64_t>::max()};
  EXPECT_EQ(PartialWidth(max, 7), 255U);
  EXPECT_EQ(FullTiles(max, 7), 0U);
  EXPECT_EQ(PartialWidth(max, 8), 0U);
  EXPECT_EQ(PartialWidth(max, 63), 0U);
}

}  // namespace
}  // namespace comity::tlog
