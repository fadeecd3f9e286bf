// SPDX-License-Identifier: Apache-2.0
#include "services/audit/prove.h"

#include <utility>

#include "crypto/merkle/proof.h"
#include "crypto/merkle/prove.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/proof_text.h"
#include "crypto/tlog/tile_hash.h"

namespace comity::audit {
namespace {

Result<EntryProof> Prove(const Log& log, const Checkpoint& checkpoint,
                         store::AuditEntryRecord record) {
  const merkle::TreeSize size{checkpoint.size};
  const auto read = [&](const tlog::TilePath& tile) { return log.files().Read(tile); };
  COMITY_ASSIGN_OR_RETURN(
      const merkle::InclusionProof proof,
      merkle::ProveInclusion({record.index}, size, tlog::SubtreesFromTiles(size, read)));
  const Digest leaf = merkle::LeafHash(record.entry);
  if (const Status holds = merkle::VerifyInclusion(leaf, proof, checkpoint.root); !holds) {
    return Fail(
        ErrorCode::kCorrupt,
        "tiles or entry " + std::to_string(record.index) +
            " do not match the signed root; a restart repairs tiles: " + holds.error().detail);
  }
  std::string text = tlog::EncodeTlogProof(
      {.extra = {}, .index = {record.index}, .path = proof.path, .checkpoint = checkpoint.note});
  return EntryProof{
      .index = record.index, .entry = std::move(record.entry), .proof = std::move(text)};
}

}  // namespace

Result<EntryProof> ProveIndex(Log& log, std::uint64_t index) {
  COMITY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, log.Flush());
  if (index >= checkpoint.size) {
    return Fail(ErrorCode::kNotFound, "the log has no entry " + std::to_string(index) +
                                          "; its size is " + std::to_string(checkpoint.size));
  }
  std::vector<store::AuditEntryRecord> entries;
  COMITY_RETURN_IF_ERROR(log.store().Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(entries, tx.audit().Read(index, 1));
    return {};
  }));
  if (entries.size() != 1) {
    return Fail(ErrorCode::kCorrupt, "the store lost entry " + std::to_string(index));
  }
  return Prove(log, checkpoint, std::move(entries.front()));
}

Result<std::vector<EntryProof>> ProveExchange(Log& log, std::string_view exchange) {
  if (exchange.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "an exchange id must not be empty");
  }
  // Entries first: those found are then surely under the checkpoint.
  std::vector<store::AuditEntryRecord> entries;
  COMITY_RETURN_IF_ERROR(log.store().Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(entries, tx.audit().OfExchange(exchange, kMaxProofs + 1));
    return {};
  }));
  if (entries.empty()) return Fail(ErrorCode::kNotFound, "no entry names this exchange");
  if (entries.size() > kMaxProofs) {
    return Fail(ErrorCode::kExhausted, "more than " + std::to_string(kMaxProofs) +
                                           " entries name this exchange: prove them by index");
  }
  COMITY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, log.Flush());
  std::vector<EntryProof> proofs;
  for (store::AuditEntryRecord& entry : entries) {
    COMITY_ASSIGN_OR_RETURN(EntryProof proof, Prove(log, checkpoint, std::move(entry)));
    proofs.push_back(std::move(proof));
  }
  return proofs;
}

}  // namespace comity::audit
