// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/tile_hash.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/merkle/tree_hash.h"

namespace comity::tlog {
namespace {

Result<Bytes> ReadTile(const TileReader& read, const TilePath& tile) {
  COMITY_ASSIGN_OR_RETURN(Bytes content, read(tile));
  if (content.size() != tile.width * Digest::kSize) {
    return Fail(ErrorCode::kCorrupt, EncodeTilePath(tile) + " has " +
                                         std::to_string(content.size()) + " octets instead of " +
                                         std::to_string(tile.width * Digest::kSize));
  }
  return content;
}

void AddHash(Bytes& content, const Digest& hash) {
  content.insert(content.end(), hash.bytes.begin(), hash.bytes.end());
}

Digest HashAt(ByteView content, std::size_t index) {
  Digest hash;
  const ByteView octets = content.subspan(index * Digest::kSize, Digest::kSize);
  std::copy(octets.begin(), octets.end(), hash.bytes.begin());
  return hash;
}

std::vector<Digest> HashesOf(ByteView content) {
  std::vector<Digest> hashes(content.size() / Digest::kSize);
  for (std::size_t i = 0; i < hashes.size(); ++i) hashes[i] = HashAt(content, i);
  return hashes;
}

// Appends `hashes` to one level; gives the roots of the tiles that became full, which are what the
// level above appends.
Result<std::vector<Digest>> AppendLevel(TilePath last, std::span<const Digest> hashes,
                                        const TileReader& read, std::vector<TileFile>& files) {
  Bytes content;
  if (last.width != 0) {
    COMITY_ASSIGN_OR_RETURN(content, ReadTile(read, last));
  }
  std::vector<Digest> roots;
  for (const Digest& hash : hashes) {
    AddHash(content, hash);
    last.width = static_cast<unsigned>(content.size() / Digest::kSize);
    if (last.width != kTileWidth) continue;
    roots.push_back(TileRoot(HashesOf(content)));
    files.push_back({last, std::exchange(content, {})});
    ++last.index;
  }
  if (!content.empty()) files.push_back({last, std::move(content)});
  return roots;
}

// The tile that holds all hashes of `level` around `subtree`'s level-aligned descendants.
struct Place {
  TilePath tile;
  std::size_t first;  // hashes [first, first + count) of the tile lie under the subtree
  std::size_t count;
};

Place PlaceOf(const merkle::Subtree& subtree, merkle::TreeSize size) {
  const unsigned level = subtree.level / kTileHeight;
  const unsigned height = subtree.level % kTileHeight;
  const std::uint64_t first = subtree.index << height;
  TilePath tile{.level = level, .index = first / kTileWidth};
  if (tile.index >= FullTiles(size, level)) tile.width = PartialWidth(size, level);
  return {tile, static_cast<std::size_t>(first % kTileWidth), std::size_t{1} << height};
}

bool IsInside(const merkle::Subtree& subtree, merkle::TreeSize size) {
  return subtree.level < 64 && subtree.index < size.value >> subtree.level;
}

}  // namespace

Digest TileRoot(std::span<const Digest> hashes) {
  COMITY_CHECK(std::has_single_bit(hashes.size()) && hashes.size() <= kTileWidth);
  std::array<Digest, kTileWidth> nodes;
  std::copy(hashes.begin(), hashes.end(), nodes.begin());
  for (std::size_t width = hashes.size(); width > 1; width /= 2) {
    for (std::size_t i = 0; i < width / 2; ++i) {
      nodes[i] = merkle::NodeHash(nodes[2 * i], nodes[2 * i + 1]);
    }
  }
  return nodes[0];
}

Result<std::vector<TileFile>> AppendTiles(merkle::TreeSize old_size,
                                          std::span<const Digest> new_leaf_hashes,
                                          const TileReader& read) {
  std::vector<TileFile> files;
  std::vector<Digest> hashes(new_leaf_hashes.begin(), new_leaf_hashes.end());
  for (unsigned level = 0; !hashes.empty(); ++level) {
    const TilePath last{.level = level,
                        .index = FullTiles(old_size, level),
                        .width = PartialWidth(old_size, level)};
    COMITY_ASSIGN_OR_RETURN(hashes, AppendLevel(last, hashes, read, files));
  }
  return files;
}

merkle::SubtreeReader SubtreesFromTiles(merkle::TreeSize size, TileReader read) {
  return [size, read = std::move(read)](const merkle::Subtree& subtree) -> Result<Digest> {
    if (!IsInside(subtree, size)) {
      return Fail(ErrorCode::kInvalidArgument, "the subtree is not inside the tree");
    }
    const Place place = PlaceOf(subtree, size);
    COMITY_ASSIGN_OR_RETURN(const Bytes content, ReadTile(read, place.tile));
    const ByteView part =
        ByteView(content).subspan(place.first * Digest::kSize, place.count * Digest::kSize);
    return TileRoot(HashesOf(part));
  };
}

}  // namespace comity::tlog
