// SPDX-License-Identifier: Apache-2.0
#include "services/audit/checkpoint.h"

#include <utility>

#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/note.h"

namespace comity::audit {

tlog::VerifierKey VerifierKeyOf(const std::string& origin, const sign::SigningKey& log_key) {
  return {.name = origin, .type = tlog::NoteKeyType::kEd25519, .key = log_key.public_key()};
}

std::string VerifierKeyFile(const std::string& origin, const sign::SigningKey& log_key) {
  return tlog::EncodeVerifierKey(VerifierKeyOf(origin, log_key)) + '\n';
}

Checkpoint SignCheckpoint(const std::string& origin, const sign::SigningKey& log_key,
                          std::uint64_t size, const Digest& root) {
  tlog::Note note;
  note.text =
      tlog::EncodeCheckpoint({.origin = origin, .size = {size}, .root = root, .extensions = {}});
  note.signatures.push_back(tlog::SignNote(origin, log_key, note.text));
  return {.size = size, .root = root, .note = tlog::EncodeNote(note)};
}

Result<Checkpoint> OpenOwnCheckpoint(const std::string& note, const tlog::VerifierKey& key) {
  const auto verified = tlog::OpenCheckpoint(note, key);
  if (!verified) {
    return Fail(ErrorCode::kCorrupt, "not a checkpoint of the log " + key.name +
                                         " by its key: " + verified.error().detail);
  }
  return Checkpoint{
      .size = verified->checkpoint.size.value, .root = verified->checkpoint.root, .note = note};
}

}  // namespace comity::audit
