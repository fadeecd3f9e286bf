// SPDX-License-Identifier: Apache-2.0
#include "services/audit/log_edge.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/tile_hash.h"

namespace comity::audit {
namespace {

// One read of the store: at most 8 MiB of entries in memory, and long enough to cost little.
constexpr std::uint64_t kBatch = 1024;

}  // namespace

Status LogEdge::Append(std::span<const store::AuditEntryRecord> entries, const TileSink& full) {
  std::vector<Digest> leaves;
  leaves.reserve(entries.size());
  for (const store::AuditEntryRecord& record : entries) {
    if (record.index != size() + leaves.size()) {
      return Fail(ErrorCode::kCorrupt, "the stored log has entry " + std::to_string(record.index) +
                                           " where entry " +
                                           std::to_string(size() + leaves.size()) + " must be");
    }
    leaves.push_back(merkle::LeafHash(record.entry));
  }
  COMITY_RETURN_IF_ERROR(AppendToBundles(entries, full));
  COMITY_RETURN_IF_ERROR(AppendToTiles(leaves, full));
  for (const Digest& leaf : leaves) tree_.Append(leaf);
  return {};
}

Status LogEdge::AppendToBundles(std::span<const store::AuditEntryRecord> entries,
                                const TileSink& full) {
  for (const store::AuditEntryRecord& record : entries) {
    if (auto added = tlog::AppendToBundle(partial_bundle_, record.entry); !added) {
      return Fail(ErrorCode::kCorrupt, "stored log, entry " + std::to_string(record.index) + ": " +
                                           added.error().detail);
    }
    if ((record.index + 1) % tlog::kTileWidth != 0) continue;
    COMITY_RETURN_IF_ERROR(
        full({.entries = true, .index = record.index / tlog::kTileWidth}, partial_bundle_));
    partial_bundle_.clear();
  }
  return {};
}

Status LogEdge::AppendToTiles(std::span<const Digest> leaves, const TileSink& full) {
  const auto read = [this](const tlog::TilePath& path) -> Result<Bytes> {
    return partial_tiles_[path.level];
  };
  COMITY_ASSIGN_OR_RETURN(const std::vector<tlog::TileFile> files,
                          tlog::AppendTiles(tree_.size(), leaves, read));
  const merkle::TreeSize grown{size() + leaves.size()};
  std::erase_if(partial_tiles_,
                [&](const auto& tile) { return tlog::PartialWidth(grown, tile.first) == 0; });
  for (const tlog::TileFile& file : files) {
    if (file.path.width < tlog::kTileWidth) {
      partial_tiles_[file.path.level] = file.content;
    } else {
      COMITY_RETURN_IF_ERROR(full(file.path, file.content));
    }
  }
  return {};
}

Status LogEdge::VisitPartials(const TileSink& partial) const {
  for (const auto& [level, content] : partial_tiles_) {
    COMITY_RETURN_IF_ERROR(partial({.level = level,
                                    .index = tlog::FullTiles(tree_.size(), level),
                                    .width = tlog::PartialWidth(tree_.size(), level)},
                                   content));
  }
  const unsigned width = tlog::PartialWidth(tree_.size(), 0);
  if (width == 0) return {};
  return partial({.entries = true, .index = size() / tlog::kTileWidth, .width = width},
                 partial_bundle_);
}

Status AppendStored(const store::Store& store, std::uint64_t until, LogEdge& edge,
                    const TileSink& full) {
  while (edge.size() < until) {
    std::vector<store::AuditEntryRecord> batch;
    const std::uint64_t count = std::min(kBatch, until - edge.size());
    COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(batch, tx.audit().Read(edge.size(), count));
      return {};
    }));
    if (batch.size() != count) {
      return Fail(ErrorCode::kCorrupt, "the stored log ends at entry " +
                                           std::to_string(edge.size() + batch.size()) +
                                           ", before its size " + std::to_string(until));
    }
    COMITY_RETURN_IF_ERROR(edge.Append(batch, full));
  }
  return {};
}

}  // namespace comity::audit
