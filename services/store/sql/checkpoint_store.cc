// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/aggregates.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {

Result<std::optional<CheckpointRecord>> SqlCheckpointStore::Latest() const {
  using Found = std::optional<CheckpointRecord>;
  return GuardedStep(connection_, "read the checkpoint", [&]() -> Result<Found> {
    Query row(connection_, "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1");
    if (!row.Next()) return Found();
    return Found(CheckpointRecord{row.Unsigned(0), std::string(AsText(row.Blob(1)))});
  });
}

Status SqlCheckpointStore::Save(const CheckpointRecord& checkpoint) {
  return GuardedStep(connection_, "store the checkpoint", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t size, ToStored(checkpoint.size));
    COMITY_ASSIGN_OR_RETURN(const std::optional<CheckpointRecord> latest, Latest());
    if (latest && latest->size >= checkpoint.size) {
      return Fail(ErrorCode::kConflict,
                  "a checkpoint of size " + std::to_string(latest->size) + " is signed already");
    }
    Query(connection_, "INSERT INTO checkpoint (size, note) VALUES (?, ?)", size,
          AsBytes(checkpoint.note))
        .Run();
    Query(connection_, "DELETE FROM checkpoint WHERE size < ?", size).Run();
    return {};
  });
}

}  // namespace comity::store
