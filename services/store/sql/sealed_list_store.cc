// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/sealed_list_store.h"

#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

tl::unexpected<Error> NoSealedList() {
  return Fail(ErrorCode::kNotFound, "there is no such sealed list");
}

Result<SealedListState> ReadSealedState(const Query& row, int column) {
  using enum SealedListState;
  return ReadEnum<SealedListState>(row, column, {kInForce, kSuperseded, kEnded});
}

// Reads the columns in the order in which Get and All name them.
Result<SealedListRecord> ReadSealedList(const Query& row) {
  SealedListRecord list;
  COMITY_ASSIGN_OR_RETURN(list.header, ReadDigest(row, 0));
  COMITY_ASSIGN_OR_RETURN(list.list, ReadId<policy::WatchlistId>(row, 1));
  COMITY_ASSIGN_OR_RETURN(list.requester, ReadId<policy::AgencyId>(row, 2));
  COMITY_ASSIGN_OR_RETURN(list.agreement, ReadId<policy::AgreementId>(row, 3));
  COMITY_ASSIGN_OR_RETURN(list.agreement_version, ReadUint32(row, 4));
  COMITY_ASSIGN_OR_RETURN(list.agreement_sha256, ReadDigest(row, 5));
  COMITY_ASSIGN_OR_RETURN(list.purpose, ReadId<policy::PurposeCode>(row, 6));
  list.epoch = row.Unsigned(7);
  COMITY_ASSIGN_OR_RETURN(list.state, ReadSealedState(row, 8));
  list.sealed_at = row.Time(9);
  list.valid_until = row.Time(10);
  list.sequence = row.Unsigned(11);
  list.held_sequence = row.Unsigned(12);
  list.held_at = row.TimeOrNull(13);
  list.erased_at = row.TimeOrNull(14);
  list.ended_at = row.TimeOrNull(15);
  list.end_reason = row.Text(16);
  list.wrapped_key = row.Blob(17);
  list.sealed_header = row.Blob(18);
  list.sealed_state = row.Blob(19);
  return list;
}

Result<SealedBlockRecord> ReadSealedBlock(const Query& row) {
  SealedBlockRecord block;
  COMITY_ASSIGN_OR_RETURN(block.number, ReadUint32(row, 0));
  COMITY_ASSIGN_OR_RETURN(block.hash, ReadDigest(row, 1));
  COMITY_ASSIGN_OR_RETURN(block.count, ReadUint32(row, 2));
  COMITY_ASSIGN_OR_RETURN(block.released, ReadUint32(row, 3));
  block.resealed = row.Unsigned(4);
  block.sealed_root = row.Blob(5);
  block.sealed_handles = row.Blob(6);
  return block;
}

Result<SealedBlockRelease> ReadRelease(const Query& row) {
  SealedBlockRelease release;
  COMITY_ASSIGN_OR_RETURN(release.number, ReadUint32(row, 0));
  COMITY_ASSIGN_OR_RETURN(release.released, ReadUint32(row, 1));
  release.resealed = row.Unsigned(2);
  return release;
}

}  // namespace

Result<SealedListState> SqlSealedListStore::StateOf(const Digest& header) const {
  Query row(connection_, "SELECT state FROM sealed_list WHERE header = ?", header.view());
  if (!row.Next()) return NoSealedList();
  return ReadSealedState(row, 0);
}

Status SqlSealedListStore::Add(const SealedListRecord& list) {
  return GuardedStep(connection_, "store the sealed list", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t epoch, ToStored(list.epoch));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t sequence, ToStored(list.sequence));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t held, ToStored(list.held_sequence));
    const std::uint64_t added =
        Query(
            connection_,
            "INSERT INTO sealed_list (header, list, requester, agreement, agreement_version,"
            " agreement_sha256, purpose, epoch, state, sealed_at, valid_until, sequence,"
            " held_sequence, held_at, erased_at, ended_at, end_reason, wrapped_key, sealed_header,"
            " sealed_state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            list.header.view(), list.list.text(), list.requester.text(), list.agreement.text(),
            list.agreement_version, list.agreement_sha256.view(), list.purpose.text(), epoch,
            static_cast<std::int64_t>(list.state), list.sealed_at, list.valid_until, sequence, held,
            list.held_at, list.erased_at, list.ended_at, list.end_reason,
            ByteView(list.wrapped_key), ByteView(list.sealed_header), ByteView(list.sealed_state))
            .Run();
    return IfAdded(added, "this sealed list is stored already");
  });
}

Status SqlSealedListStore::ChangeState(const Digest& header, std::uint64_t sequence,
                                       ByteView state) {
  return GuardedStep(connection_, "store the sealed list's state", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t number, ToStored(sequence));
    const std::uint64_t changed = Query(connection_,
                                        "UPDATE sealed_list SET sequence = ?, sealed_state = ?"
                                        " WHERE header = ? AND state <> 3 AND sequence < ?",
                                        number, state, header.view(), number)
                                      .Run();
    if (changed == 1) return {};
    COMITY_RETURN_IF_ERROR(StateOf(header));
    return Fail(ErrorCode::kConflict, "the sealed list has ended, or has a newer state");
  });
}

Status SqlSealedListStore::Supersede(const Digest& header) {
  return GuardedStep(connection_, "supersede the sealed list", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_, "UPDATE sealed_list SET state = 2 WHERE header = ? AND state = 1",
              header.view())
            .Run();
    if (changed == 1) return {};
    COMITY_RETURN_IF_ERROR(StateOf(header));
    return Fail(ErrorCode::kConflict, "the sealed list is not in force");
  });
}

Status SqlSealedListStore::End(const Digest& header, std::string_view reason, policy::Instant at) {
  return GuardedStep(connection_, "end the sealed list", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const SealedListState state, StateOf(header));
    if (state == SealedListState::kEnded) {
      return Fail(ErrorCode::kConflict, "the sealed list has ended already");
    }
    Query(connection_,
          "UPDATE sealed_list SET state = 3, ended_at = ?, end_reason = ?, wrapped_key = x'',"
          " sealed_header = x'', sealed_state = x'' WHERE header = ?",
          at, reason, header.view())
        .Run();
    Query(connection_, "DELETE FROM sealed_block WHERE header = ?", header.view()).Run();
    return {};
  });
}

Status SqlSealedListStore::NoteHeld(const Digest& header, std::uint64_t sequence,
                                    policy::Instant at) {
  return GuardedStep(connection_, "note who holds the sealed list", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t number, ToStored(sequence));
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE sealed_list SET held_sequence = CASE WHEN held_sequence > ?"
              " THEN held_sequence ELSE ? END, held_at = ? WHERE header = ?",
              number, number, at, header.view())
            .Run();
    return changed == 1 ? Status() : NoSealedList();
  });
}

Status SqlSealedListStore::NoteErased(const Digest& header, policy::Instant at) {
  return GuardedStep(connection_, "note who erased the sealed list", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_, "UPDATE sealed_list SET erased_at = ? WHERE header = ?", at,
              header.view())
            .Run();
    return changed == 1 ? Status() : NoSealedList();
  });
}

Result<std::uint64_t> SqlSealedListStore::Forget(policy::Instant ended_before) {
  return GuardedStep(connection_, "forget sealed lists", [&]() -> Result<std::uint64_t> {
    return Query(connection_, "DELETE FROM sealed_list WHERE state = 3 AND ended_at < ?",
                 ended_before)
        .Run();
  });
}

Result<SealedListRecord> SqlSealedListStore::Get(const Digest& header) const {
  return GuardedStep(connection_, "read the sealed list", [&]() -> Result<SealedListRecord> {
    Query row(connection_,
              "SELECT header, list, requester, agreement, agreement_version, agreement_sha256,"
              " purpose, epoch, state, sealed_at, valid_until, sequence, held_sequence, held_at,"
              " erased_at, ended_at, end_reason, wrapped_key, sealed_header, sealed_state"
              " FROM sealed_list WHERE header = ?",
              header.view());
    if (row.Next()) return ReadSealedList(row);
    return NoSealedList();
  });
}

Result<std::vector<SealedListRecord>> SqlSealedListStore::All() const {
  using Lists = std::vector<SealedListRecord>;
  return GuardedStep(connection_, "read the sealed lists", [&]() -> Result<Lists> {
    Query row(connection_,
              "SELECT header, list, requester, agreement, agreement_version, agreement_sha256,"
              " purpose, epoch, state, sealed_at, valid_until, sequence, held_sequence, held_at,"
              " erased_at, ended_at, end_reason, wrapped_key, sealed_header, sealed_state"
              " FROM sealed_list ORDER BY position");
    Lists lists;
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto list, ReadSealedList(row));
      lists.push_back(std::move(list));
    }
    return lists;
  });
}

Status SqlSealedListStore::PutBlock(const Digest& header, const SealedBlockRecord& block) {
  return GuardedStep(connection_, "store the sealed block", [&]() -> Status {
    COMITY_RETURN_IF_ERROR(StateOf(header));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t resealed, ToStored(block.resealed));
    Query(
        connection_,
        "INSERT INTO sealed_block (header, number, hash, count, released, resealed, root, handles)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (header, number) DO UPDATE SET"
        " hash = excluded.hash, count = excluded.count, released = excluded.released,"
        " resealed = excluded.resealed, root = excluded.root, handles = excluded.handles",
        header.view(), block.number, block.hash.view(), block.count, block.released, resealed,
        ByteView(block.sealed_root), ByteView(block.sealed_handles))
        .Run();
    return {};
  });
}

Status SqlSealedListStore::RemoveBlock(const Digest& header, std::uint32_t number) {
  return GuardedStep(connection_, "remove the sealed block", [&]() -> Status {
    const std::uint64_t removed =
        Query(connection_, "DELETE FROM sealed_block WHERE header = ? AND number = ?",
              header.view(), number)
            .Run();
    if (removed == 1) return {};
    return Fail(ErrorCode::kNotFound, "the sealed list has no such block");
  });
}

Result<std::vector<SealedBlockRecord>> SqlSealedListStore::Blocks(const Digest& header) const {
  using Blocks = std::vector<SealedBlockRecord>;
  return GuardedStep(connection_, "read the sealed blocks", [&]() -> Result<Blocks> {
    Query row(connection_,
              "SELECT number, hash, count, released, resealed, root, handles FROM sealed_block"
              " WHERE header = ? ORDER BY number",
              header.view());
    Blocks blocks;
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto block, ReadSealedBlock(row));
      blocks.push_back(std::move(block));
    }
    return blocks;
  });
}

Result<std::vector<SealedBlockRelease>> SqlSealedListStore::Released(const Digest& header) const {
  using Releases = std::vector<SealedBlockRelease>;
  return GuardedStep(connection_, "read the release budget", [&]() -> Result<Releases> {
    Query row(connection_,
              "SELECT number, released, resealed FROM sealed_block WHERE header = ?"
              " ORDER BY number",
              header.view());
    Releases releases;
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto release, ReadRelease(row));
      releases.push_back(release);
    }
    return releases;
  });
}

Status SqlSealedListStore::SetReleased(const Digest& header, std::uint32_t number,
                                       std::uint32_t released) {
  return GuardedStep(connection_, "count what was released", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_, "UPDATE sealed_block SET released = ? WHERE header = ? AND number = ?",
              released, header.view(), number)
            .Run();
    if (changed == 1) return {};
    return Fail(ErrorCode::kNotFound, "the sealed list has no such block");
  });
}

}  // namespace comity::store
