// SPDX-License-Identifier: Apache-2.0
#include "services/audit/recover.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace comity::audit {
namespace {

struct Found {
  std::uint64_t log_size = 0;
  std::optional<Checkpoint> stored;     // in the store: what binds
  std::optional<Checkpoint> published;  // in the file: outlives a database that was put back
};

Result<Found> Look(const RecoverOptions& options) {
  Found found;
  std::optional<store::CheckpointRecord> record;
  COMITY_RETURN_IF_ERROR(options.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(found.log_size, tx.audit().Size());
    COMITY_ASSIGN_OR_RETURN(record, tx.checkpoints().Latest());
    return {};
  }));
  if (record) {
    COMITY_ASSIGN_OR_RETURN(found.stored, OpenOwnCheckpoint(record->note, options.key));
  }
  const auto file = options.files.ReadCheckpoint();
  if (!file) {
    if (file.error().code == ErrorCode::kUnavailable) return Fail(file.error());
    return found;
  }
  auto published = OpenOwnCheckpoint(*file, options.key);
  if (!published) {
    return Fail(ErrorCode::kCorrupt,
                "the published file checkpoint is " + published.error().detail +
                    ". Look at it; to publish the stored checkpoint again, move the file away");
  }
  found.published = std::move(published).value();
  return found;
}

Status CheckLength(const Found& found) {
  for (const auto& signed_head : {found.stored, found.published}) {
    if (!signed_head || signed_head->size <= found.log_size) continue;
    return Fail(ErrorCode::kCorrupt,
                "the stored log has " + std::to_string(found.log_size) +
                    " entries, but a checkpoint over " + std::to_string(signed_head->size) +
                    " was signed: the database is older than the log, as after a restored backup. "
                    "Signing on would fork the log; bring back the newest database");
  }
  return {};
}

Status CheckRoot(const LogEdge& edge, const std::optional<Checkpoint>& signed_head) {
  if (!signed_head || edge.Root() == signed_head->root) return {};
  return Fail(ErrorCode::kCorrupt,
              "the first " + std::to_string(signed_head->size) +
                  " stored entries do not have the root that was signed for them: an entry was "
                  "changed, or another log was signed. Signing on would fork the log");
}

// Appends up to the size of `signed_head`, if it lies ahead, and compares the root there.
Status AdvanceTo(const std::optional<Checkpoint>& signed_head, const store::Store& store,
                 LogEdge& edge, const TileSink& full) {
  if (!signed_head) return {};
  COMITY_RETURN_IF_ERROR(AppendStored(store, signed_head->size, edge, full));
  return CheckRoot(edge, signed_head);
}

// What the stored entries give, and whether the files agree with it.
struct Verified {
  LogEdge edge;  // of the stored checkpoint's size
  bool files_agree = true;
};

Result<Verified> Verify(const RecoverOptions& options, const Found& found) {
  std::array heads{found.stored, found.published};
  const auto size = [](const std::optional<Checkpoint>& head) { return head ? head->size : 0; };
  std::ranges::sort(heads, {}, size);
  Verified verified;
  const TileSink compare = [&](const tlog::TilePath& tile, ByteView content) -> Status {
    verified.files_agree = verified.files_agree && options.files.Holds(tile, content);
    return {};
  };
  LogEdge edge;
  for (const auto& head : heads) {
    COMITY_RETURN_IF_ERROR(AdvanceTo(head, options.store, edge, compare));
    if (found.stored && edge.size() == found.stored->size) verified.edge = edge;
  }
  COMITY_RETURN_IF_ERROR(verified.edge.VisitPartials(compare));
  return verified;
}

// A second pass, so that nothing is written before the root is known to be right.
Status RepairTiles(const RecoverOptions& options, std::uint64_t size) {
  std::uint64_t repaired = 0;
  const TileSink repair = [&](const tlog::TilePath& tile, ByteView content) -> Status {
    if (options.files.Holds(tile, content)) return {};
    COMITY_RETURN_IF_ERROR(options.files.Write(tile, content));
    if (tile.width == tlog::kTileWidth) options.files.RemovePartials(tile);
    ++repaired;
    return {};
  };
  LogEdge edge;
  COMITY_RETURN_IF_ERROR(AppendStored(options.store, size, edge, repair));
  COMITY_RETURN_IF_ERROR(edge.VisitPartials(repair));
  options.logger.Warn("audit-tiles-repaired", {{"files", repaired}});
  return {};
}

}  // namespace

Result<RecoveredLog> Recover(const RecoverOptions& options) {
  COMITY_ASSIGN_OR_RETURN(Found found, Look(options));
  COMITY_RETURN_IF_ERROR(CheckLength(found));
  COMITY_ASSIGN_OR_RETURN(Verified verified, Verify(options, found));
  if (!verified.files_agree) {
    COMITY_RETURN_IF_ERROR(RepairTiles(options, verified.edge.size()));
  }
  return RecoveredLog{.edge = std::move(verified.edge), .last = std::move(found.stored)};
}

}  // namespace comity::audit
