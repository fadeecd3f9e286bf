// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "crypto/base/result.h"
#include "crypto/tlog/note_key.h"
#include "services/audit/checkpoint.h"
#include "services/audit/log_edge.h"
#include "services/audit/tile_files.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::audit {

// What a log goes on from at start.
struct RecoveredLog {
  LogEdge edge;                    // of the size that `last` signed; empty without one
  std::optional<Checkpoint> last;  // the checkpoint saved last
};

struct RecoverOptions {
  const store::Store& store;
  const TileFiles& files;
  const tlog::VerifierKey& key;
  runtime::Logger& logger;
};

// Recomputes the tree up to the last signed checkpoint from the stored entries, compares its root,
// and only then writes the tiles that are missing or differ: a log that must not go on is left as
// found.
//
// Errors: kCorrupt  the stored log is shorter than a signed checkpoint (of the store or of the
// file),
//                   or has another root at its size, or the checkpoint is not by `key`
//         kUnavailable  the store cannot be read, or a tile cannot be written
Result<RecoveredLog> Recover(const RecoverOptions& options);

}  // namespace comity::audit
