// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/log_verifier.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/quote.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/entry.h"
#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/export_files.h"
#include "crypto/tlog/tile.h"
#include "crypto/tlog/tile_hash.h"

namespace comity::tlog {
namespace {

constexpr std::uint64_t kTilesAStep = 256;  // 65,536 entries between two reports of progress
constexpr std::size_t kMaxVerifierKeys = 64;

Result<std::vector<VerifierKey>> ParseKeys(std::string_view text) {
  std::vector<VerifierKey> keys;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || keys.size() == kMaxVerifierKeys) {
      return Fail(ErrorCode::kInvalidArgument,
                  "log.vkey: at most 64 lines, each with its end, are expected");
    }
    COMITY_ASSIGN_OR_RETURN(VerifierKey key, ParseVerifierKey(text.substr(0, end)));
    keys.push_back(std::move(key));
    text.remove_prefix(end + 1);
  }
  if (keys.empty()) return Fail(ErrorCode::kInvalidArgument, "log.vkey holds no key");
  return keys;
}

Status RequireContent(const LogExport& log, const std::string& path, std::string_view expected) {
  COMITY_ASSIGN_OR_RETURN(const Bytes content, log.read(path));
  if (AsText(content) != expected) {
    return Fail(ErrorCode::kCorrupt, path + " differs from the one to verify against");
  }
  return {};
}

void CountType(EntryCounts& counts, const std::string& type, std::uint64_t number) {
  counts.by_type[type] += number;
}

Status CountEntry(const EntryFacts& facts, EntryCounts& counts) {
  ++counts.entries;
  if (!counts.first || facts.time < *counts.first) counts.first = facts.time;
  if (!counts.last || facts.time > *counts.last) counts.last = facts.time;
  CountType(counts, facts.type, 1);
  if (counts.by_type.size() > kMaxEntryTypes) {
    return Fail(ErrorCode::kCorrupt, "the log has more than 1,024 types of entries");
  }
  return {};
}

Status Merge(const EntryCounts& part, EntryCounts& whole) {
  whole.entries += part.entries;
  if (part.first && (!whole.first || *part.first < *whole.first)) whole.first = part.first;
  if (part.last && (!whole.last || *part.last > *whole.last)) whole.last = part.last;
  for (const auto& [type, number] : part.by_type) CountType(whole, type, number);
  if (whole.by_type.size() > kMaxEntryTypes) {
    return Fail(ErrorCode::kCorrupt, "the log has more than 1,024 types of entries");
  }
  return {};
}

// Reads a hash tile that must hold exactly `hashes`.
Status RequireTile(const LogExport& log, const TilePath& tile, std::span<const Digest> hashes) {
  const std::string path = EncodeTilePath(tile);
  COMITY_ASSIGN_OR_RETURN(const Bytes content, log.read(path));
  if (content.size() != hashes.size() * Digest::kSize) {
    return Fail(ErrorCode::kCorrupt, path + " has " + std::to_string(content.size()) +
                                         " octets instead of " +
                                         std::to_string(hashes.size() * Digest::kSize));
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const ByteView hash = ByteView(content).subspan(i * Digest::kSize, Digest::kSize);
    if (std::equal(hash.begin(), hash.end(), hashes[i].bytes.begin())) continue;
    return Fail(ErrorCode::kCorrupt, path + ": hash " + std::to_string(i) + " is wrong");
  }
  return {};
}

// Checks and hashes the entries of one bundle and compares with its level-0 tile.
Result<std::vector<Digest>> VerifyBundle(const LogExport& log, TilePath tile, EntryCounts& counts) {
  const std::uint64_t first = tile.index * kTileWidth;
  tile.entries = true;
  const std::string path = EncodeTilePath(tile);
  COMITY_ASSIGN_OR_RETURN(const Bytes bundle, log.read(path));
  std::vector<Digest> hashes;
  hashes.reserve(tile.width);
  EntryFacts facts;
  const auto verify_entry = [&](ByteView entry) -> Status {
    if (Status valid = CheckEntry(AsText(entry), facts); !valid) {
      return Fail(ErrorCode::kCorrupt,
                  "entry " + std::to_string(first + hashes.size()) + ": " + valid.error().detail);
    }
    hashes.push_back(merkle::LeafHash(entry));
    return CountEntry(facts, counts);
  };
  if (Status status = ForEachEntry(bundle, tile.width, verify_entry); !status) {
    return Fail(status.error().code, path + ": " + status.error().detail);
  }
  tile.entries = false;
  COMITY_RETURN_IF_ERROR(RequireTile(log, tile, hashes));
  return hashes;
}

// Adds the perfect subtrees of a partial tile's hashes, largest first.
void AddEdge(std::span<const Digest> hashes, std::vector<Digest>& edge) {
  for (std::size_t width = kTileWidth / 2; width != 0; width /= 2) {
    if ((hashes.size() & width) == 0) continue;
    edge.push_back(TileRoot(hashes.first(width)));
    hashes = hashes.subspan(width);
  }
}

// Verifies the tiles of one level above 0, which hold `hashes`; gives the hashes of the next level
// and leaves in `hashes` those of the partial tile.
Result<std::vector<Digest>> VerifyLevel(const LogExport& log, unsigned level,
                                        std::vector<Digest>& hashes) {
  std::vector<Digest> roots;
  std::span<const Digest> rest = hashes;
  TilePath tile{.level = level};
  for (; rest.size() >= kTileWidth; rest = rest.subspan(kTileWidth), ++tile.index) {
    const std::span<const Digest> full = rest.first(kTileWidth);
    COMITY_RETURN_IF_ERROR(RequireTile(log, tile, full));
    roots.push_back(TileRoot(full));
  }
  tile.width = static_cast<unsigned>(rest.size());
  if (!rest.empty()) COMITY_RETURN_IF_ERROR(RequireTile(log, tile, rest));
  hashes = std::vector<Digest>(rest.begin(), rest.end());
  return roots;
}

// Verifies all higher tiles and gives the root. `partial` are the leaf hashes of the last tile,
// `roots` the hashes of level 1.
Result<Digest> VerifyUpperTiles(const LogExport& log, merkle::TreeSize size,
                                std::vector<Digest> partial, std::vector<Digest> roots) {
  std::vector<std::vector<Digest>> partials = {std::move(partial)};
  for (unsigned level = 1; !roots.empty(); ++level) {
    COMITY_ASSIGN_OR_RETURN(std::vector<Digest> above, VerifyLevel(log, level, roots));
    partials.push_back(std::exchange(roots, std::move(above)));
  }
  std::vector<Digest> edge;
  for (auto level = partials.rbegin(); level != partials.rend(); ++level) AddEdge(*level, edge);
  COMITY_ASSIGN_OR_RETURN(const auto tree, merkle::CompactTree::FromRightEdge(size, edge));
  return tree.Root();
}

}  // namespace

Result<LogSummary> OpenLog(const LogExport& log) {
  LogSummary opened;
  COMITY_ASSIGN_OR_RETURN(std::vector<VerifierKey> keys, ParseKeys(log.vkeys));
  opened.witnesses.assign(keys.begin() + 1, keys.end());
  COMITY_ASSIGN_OR_RETURN(opened.head,
                          OpenCheckpoint(log.checkpoint, keys.front(), opened.witnesses));
  // An octet of a signature nobody can check could change unseen.
  if (!opened.head.unknown_signers.empty()) {
    return Fail(ErrorCode::kCorrupt, "the checkpoint is signed by " +
                                         Quote(opened.head.unknown_signers.front()) +
                                         ", whose key is not in log.vkey: add its vkey");
  }
  COMITY_RETURN_IF_ERROR(CheckExportFiles(log.paths, opened.head.checkpoint.size));
  COMITY_RETURN_IF_ERROR(RequireContent(log, "log.vkey", log.vkeys));
  COMITY_RETURN_IF_ERROR(RequireContent(log, "checkpoint", log.checkpoint));
  return opened;
}

std::uint64_t TileCount(const LogSummary& opened) {
  const merkle::TreeSize size = opened.head.checkpoint.size;
  return FullTiles(size, 0) + (PartialWidth(size, 0) != 0 ? 1 : 0);
}

Result<VerifiedRange> VerifyTileRange(const LogExport& log, const LogSummary& opened,
                                      TileRange range) {
  COMITY_CHECK(range.begin <= range.end && range.end <= TileCount(opened));
  const merkle::TreeSize size = opened.head.checkpoint.size;
  VerifiedRange verified;
  verified.range = range;
  for (std::uint64_t index = range.begin; index < range.end; ++index) {
    TilePath tile{.index = index};
    const bool full = index < FullTiles(size, 0);
    if (!full) tile.width = PartialWidth(size, 0);
    COMITY_ASSIGN_OR_RETURN(std::vector<Digest> hashes, VerifyBundle(log, tile, verified.counts));
    if (full) {
      verified.full_tile_roots.push_back(TileRoot(hashes));
    } else {
      verified.partial = std::move(hashes);
    }
  }
  return verified;
}

Result<LogSummary> FinishLog(const LogExport& log, LogSummary opened,
                             std::span<const VerifiedRange> ranges) {
  std::vector<Digest> roots;
  std::vector<Digest> partial;
  std::uint64_t next = 0;
  for (const VerifiedRange& part : ranges) {
    COMITY_CHECK(part.range.begin == next);
    next = part.range.end;
    roots.insert(roots.end(), part.full_tile_roots.begin(), part.full_tile_roots.end());
    if (!part.partial.empty()) partial = part.partial;
    COMITY_RETURN_IF_ERROR(Merge(part.counts, opened.counts));
  }
  COMITY_CHECK(next == TileCount(opened));
  const Checkpoint& checkpoint = opened.head.checkpoint;
  COMITY_ASSIGN_OR_RETURN(const Digest root,
                          VerifyUpperTiles(log, checkpoint.size, partial, std::move(roots)));
  if (root != checkpoint.root) {
    return Fail(ErrorCode::kCorrupt, "the entries and tiles have another root than the checkpoint");
  }
  return opened;
}

Result<LogSummary> VerifyLog(const LogExport& log, const Progress& progress) {
  COMITY_ASSIGN_OR_RETURN(LogSummary opened, OpenLog(log));
  const std::uint64_t all = opened.head.checkpoint.size.value;
  const std::uint64_t tiles = TileCount(opened);
  std::vector<VerifiedRange> ranges;
  for (std::uint64_t begin = 0; begin < tiles; begin += kTilesAStep) {
    const TileRange range{begin, std::min(begin + kTilesAStep, tiles)};
    COMITY_ASSIGN_OR_RETURN(VerifiedRange verified, VerifyTileRange(log, opened, range));
    ranges.push_back(std::move(verified));
    if (progress) progress(std::min(range.end * kTileWidth, all), all);
  }
  return FinishLog(log, std::move(opened), ranges);
}

}  // namespace comity::tlog
