// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/sealed_copy_store.h"

#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

Result<SealedCopyRecord> ReadSealedCopy(const Query& row) {
  SealedCopyRecord copy;
  COMITY_ASSIGN_OR_RETURN(copy.header, ReadDigest(row, 0));
  COMITY_ASSIGN_OR_RETURN(copy.holder, ReadId<policy::AgencyId>(row, 1));
  copy.header_envelope = ReadOctets(row, 2);
  copy.sequence = row.Unsigned(3);
  COMITY_ASSIGN_OR_RETURN(copy.state, ReadDigest(row, 4));
  copy.state_envelope = ReadOctets(row, 5);
  copy.received_at = row.Time(6);
  return copy;
}

}  // namespace

Status SqlSealedCopyStore::Put(const SealedCopyRecord& copy) {
  COMITY_ASSIGN_OR_RETURN(const std::int64_t sequence, ToStored(copy.sequence));
  if (sequence == 0) return Fail(ErrorCode::kInvalidArgument, "states count from 1");
  return GuardedStep(connection_, "store the sealed copy", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_,
              "INSERT INTO sealed_copy (header, holder, header_envelope, sequence, state,"
              " state_envelope, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
              " ON CONFLICT (header) DO UPDATE SET holder = excluded.holder,"
              " header_envelope = excluded.header_envelope, sequence = excluded.sequence,"
              " state = excluded.state, state_envelope = excluded.state_envelope,"
              " received_at = excluded.received_at WHERE sealed_copy.sequence <= excluded.sequence",
              copy.header.view(), copy.holder.text(), AsBytes(copy.header_envelope), sequence,
              copy.state.view(), AsBytes(copy.state_envelope), copy.received_at)
            .Run();
    if (changed == 1) return {};
    return Fail(ErrorCode::kConflict, "a later state of the sealed list is stored");
  });
}

Status SqlSealedCopyStore::Remove(const Digest& header) {
  return GuardedStep(connection_, "remove the sealed copy", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_, "DELETE FROM sealed_copy WHERE header = ?", header.view()).Run();
    if (changed == 1) return {};
    return Fail(ErrorCode::kNotFound, "there is no copy of this sealed list");
  });
}

Result<std::vector<SealedCopyRecord>> SqlSealedCopyStore::All() const {
  using Copies = std::vector<SealedCopyRecord>;
  return GuardedStep(connection_, "read the sealed copies", [&]() -> Result<Copies> {
    Copies copies;
    Query row(connection_,
              "SELECT header, holder, header_envelope, sequence, state, state_envelope,"
              " received_at FROM sealed_copy ORDER BY header");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto copy, ReadSealedCopy(row));
      copies.push_back(std::move(copy));
    }
    return copies;
  });
}

}  // namespace comity::store
