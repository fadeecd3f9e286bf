// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/merkle/tree_position.h"

namespace comity::tlog {

inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kTileWidth = 256;  // hashes (or entries) of a full tile
inline constexpr unsigned kMaxTileLevel = 63;

// Names one file of a tlog-tiles log: `tile/<level>/<index>[.p/<width>]` holds hashes,
// `tile/entries/<index>[.p/<width>]` the entries themselves.
struct TilePath {
  bool entries = false;
  unsigned level = 0;  // 0..63; always 0 for entries
  std::uint64_t index = 0;
  unsigned width = kTileWidth;  // 1..256; below 256 the tile is partial (".p/<width>")
  auto operator<=>(const TilePath&) const = default;
};

// In: tile  level, index and width in range
std::string EncodeTilePath(const TilePath& tile);
// In:     path  untrusted (a URL path without the leading slash, a file name)
// Errors: kInvalidArgument  anything but the one spelling that EncodeTilePath gives
// Source: C2SP tlog-tiles; vectors in tests/vectors/tlog/tile_paths.json
Result<TilePath> ParseTilePath(std::string_view path);

// Width of the last, partial tile of `level`: floor(size / 256^level) mod 256; 0 if there is none.
unsigned PartialWidth(merkle::TreeSize size, unsigned level);
// Full tiles of `level`: floor(size / 256^(level + 1)).
std::uint64_t FullTiles(merkle::TreeSize size, unsigned level);

// Every hash tile of a tree (full ones and the last partial of each level), level by level; no
// empty tile, no partial tile that a full one replaces.
std::vector<TilePath> HashTiles(merkle::TreeSize size);
// Every entry bundle of a tree, in order.
std::vector<TilePath> EntryBundles(merkle::TreeSize size);

}  // namespace comity::tlog
