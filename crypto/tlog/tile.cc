// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/tile.h"

#include <charconv>
#include <optional>

#include "crypto/base/check.h"
#include "crypto/base/quote.h"

namespace comity::tlog {
namespace {

constexpr std::string_view kRoot = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::string_view kPartial = ".p/";
constexpr std::size_t kMaxPath = 64;  // 20 digits in groups of three, a level and a width

// 1234067 as x001/x234/067.
std::string EncodeIndex(std::uint64_t index) {
  std::string digits = std::to_string(index);
  digits.insert(0, (3 - digits.size() % 3) % 3, '0');
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += 3) {
    const bool last = at + 3 == digits.size();
    text += (last ? "" : "x") + digits.substr(at, 3) + (last ? "" : "/");
  }
  return text;
}

template <typename Number>
std::optional<Number> ReadNumber(std::string_view digits) {
  Number value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// Digits of the groups; the spelling of the groups is checked by encoding again.
std::optional<std::uint64_t> ReadIndex(std::string_view groups) {
  std::string digits;
  for (const char c : groups) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return ReadNumber<std::uint64_t>(digits);
}

// What the path says if it is spelled right; the caller checks that it is.
std::optional<TilePath> ReadPath(std::string_view path) {
  if (path.size() > kMaxPath || !path.starts_with(kRoot)) return std::nullopt;
  path.remove_prefix(kRoot.size());
  TilePath tile;
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  tile.entries = path.substr(0, slash) == kEntries;
  if (!tile.entries) {
    const auto level = ReadNumber<unsigned>(path.substr(0, slash));
    if (!level || *level > kMaxTileLevel) return std::nullopt;
    tile.level = *level;
  }
  path.remove_prefix(slash + 1);
  if (const std::size_t dot = path.find(kPartial); dot != std::string_view::npos) {
    const auto width = ReadNumber<unsigned>(path.substr(dot + kPartial.size()));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    tile.width = *width;
    path = path.substr(0, dot);
  }
  const auto index = ReadIndex(path);
  if (!index) return std::nullopt;
  tile.index = *index;
  return tile;
}

// floor(size / 256^level).
std::uint64_t HashesAt(merkle::TreeSize size, unsigned level) {
  const unsigned shift = kTileHeight * level;
  return shift >= 64 ? 0 : size.value >> shift;
}

void AddLevel(std::vector<TilePath>& tiles, TilePath tile, std::uint64_t hashes) {
  tile.width = kTileWidth;
  for (tile.index = 0; tile.index < hashes / kTileWidth; ++tile.index) tiles.push_back(tile);
  tile.width = static_cast<unsigned>(hashes % kTileWidth);
  if (tile.width != 0) tiles.push_back(tile);
}

}  // namespace

std::string EncodeTilePath(const TilePath& tile) {
  COMITY_CHECK(tile.level <= kMaxTileLevel && tile.width >= 1 && tile.width <= kTileWidth);
  COMITY_CHECK(!tile.entries || tile.level == 0);
  std::string path(kRoot);
  path += tile.entries ? std::string(kEntries) : std::to_string(tile.level);
  path += '/';
  path += EncodeIndex(tile.index);
  if (tile.width != kTileWidth) path += std::string(kPartial) + std::to_string(tile.width);
  return path;
}

Result<TilePath> ParseTilePath(std::string_view path) {
  const auto tile = ReadPath(path);
  if (!tile || EncodeTilePath(*tile) != path) {
    return Fail(ErrorCode::kInvalidArgument,
                Quote(path) +
                    " is not a tile: tile/<level>/<index>[.p/<width>] or tile/entries/... is "
                    "expected");
  }
  return *tile;
}

unsigned PartialWidth(merkle::TreeSize size, unsigned level) {
  return static_cast<unsigned>(HashesAt(size, level) % kTileWidth);
}

std::uint64_t FullTiles(merkle::TreeSize size, unsigned level) {
  return HashesAt(size, level) / kTileWidth;
}

std::vector<TilePath> HashTiles(merkle::TreeSize size) {
  std::vector<TilePath> tiles;
  for (unsigned level = 0; HashesAt(size, level) != 0; ++level) {
    AddLevel(tiles, {.level = level}, HashesAt(size, level));
  }
  return tiles;
}

std::vector<TilePath> EntryBundles(merkle::TreeSize size) {
  std::vector<TilePath> bundles;
  AddLevel(bundles, {.entries = true}, size.value);
  return bundles;
}

}  // namespace comity::tlog
