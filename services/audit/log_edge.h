// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/tlog/tile.h"
#include "services/store/records.h"
#include "services/store/store.h"

namespace comity::audit {

// Takes one file of a tile log.
using TileSink = std::function<Status(const tlog::TilePath& path, ByteView content)>;

// The growing edge of the log: the last partial tile of each level, the last partial bundle and the
// right edge of the tree. Publishing, start-up and export all go through it, so that there is one
// answer to which octets a tile has. About 70 KiB with entries of 256 octets; copying is cheap.
//
// Threads: thread-compatible.
class LogEdge {
 public:
  std::uint64_t size() const { return tree_.size().value; }
  Digest Root() const { return tree_.Root(); }

  // Appends entries that follow the edge; gives each tile and bundle that becomes full to `full`.
  // After an error the edge is unusable: the caller keeps a copy.
  // Errors: those of `full`; kCorrupt  an entry does not fit into a bundle
  Status Append(std::span<const store::AuditEntryRecord> entries, const TileSink& full);

  // Gives the partial tiles and the partial bundle of exactly this size.
  Status VisitPartials(const TileSink& partial) const;

 private:
  Status AppendToBundles(std::span<const store::AuditEntryRecord> entries, const TileSink& full);
  Status AppendToTiles(std::span<const Digest> leaves, const TileSink& full);

  merkle::CompactTree tree_;
  std::map<unsigned, Bytes> partial_tiles_;  // level -> hashes
  Bytes partial_bundle_;
};

// Appends the stored entries [edge.size(), until) in batches.
// Errors: kCorrupt  the store gives fewer or other indexes; those of the store and of Append
Status AppendStored(const store::Store& store, std::uint64_t until, LogEdge& edge,
                    const TileSink& full);

}  // namespace comity::audit
