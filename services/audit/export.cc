// SPDX-License-Identifier: Apache-2.0
#include "services/audit/export.h"

#include "services/audit/log_edge.h"

namespace comity::audit {

Result<Checkpoint> Export(Log& log, const FileSink& sink) {
  COMITY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, log.Flush());
  COMITY_RETURN_IF_ERROR(sink("checkpoint", AsBytes(checkpoint.note)));
  COMITY_RETURN_IF_ERROR(sink("log.vkey", AsBytes(log.VerifierKeyFile())));
  const TileSink give = [&](const tlog::TilePath& tile, ByteView content) {
    return sink(tlog::EncodeTilePath(tile), content);
  };
  LogEdge edge;
  COMITY_RETURN_IF_ERROR(AppendStored(log.store(), checkpoint.size, edge, give));
  COMITY_RETURN_IF_ERROR(edge.VisitPartials(give));
  if (edge.Root() != checkpoint.root) {
    return Fail(ErrorCode::kCorrupt, "the stored entries do not have the signed root");
  }
  return checkpoint;
}

}  // namespace comity::audit
