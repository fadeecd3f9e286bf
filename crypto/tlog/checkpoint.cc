// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/checkpoint.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "crypto/base/encoding.h"
#include "crypto/base/quote.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/decimal.h"

namespace comity::tlog {
namespace {

constexpr std::size_t kMaxExtensions = 16;
constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();

tl::unexpected<Error> NotACheckpoint(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, "not a checkpoint: " + why);
}

// Lines without their ends; nothing if the text does not end with one or there are too many.
std::optional<std::vector<std::string_view>> Lines(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() <= 3 + kMaxExtensions) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) return std::nullopt;
  return lines;
}

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.size.value) + "\n" +
                     EncodeBase64(checkpoint.root.view()) + "\n";
  for (const std::string& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> ParseCheckpoint(std::string_view text) {
  if (text.size() > kMaxNoteSize) return NotACheckpoint("more than 256 KiB");
  const auto lines = Lines(text);
  if (!lines || lines->size() < 3 || lines->size() > 3 + kMaxExtensions) {
    return NotACheckpoint("3 to 19 lines, each with its end, are expected");
  }
  const bool has_empty_line =
      std::any_of(lines->begin(), lines->end(), [](std::string_view line) { return line.empty(); });
  if (has_empty_line) return NotACheckpoint("an empty line");
  const auto size = ReadDecimal((*lines)[1]);
  if (!size || *size > kMaxSize) {
    return NotACheckpoint("line 2: the size is a decimal below 2^63 without leading zeros");
  }
  const auto root = ParseBase64Digest((*lines)[2]);
  if (!root) return NotACheckpoint("line 3: the root is the base64 of 32 octets");
  if (*size == 0 && *root != merkle::EmptyRoot()) {
    return NotACheckpoint("line 3: the root of an empty tree is SHA-256 of nothing");
  }
  return Checkpoint{std::string((*lines)[0]), {*size}, *root, {lines->begin() + 3, lines->end()}};
}

Result<VerifiedCheckpoint> OpenCheckpoint(std::string_view note_text, const VerifierKey& log_key,
                                          std::span<const VerifierKey> witnesses) {
  VerifiedCheckpoint opened;
  COMITY_ASSIGN_OR_RETURN(opened.note, ParseNote(note_text));
  COMITY_ASSIGN_OR_RETURN(opened.checkpoint, ParseCheckpoint(opened.note.text));
  if (opened.checkpoint.origin != log_key.name) {
    return Fail(ErrorCode::kInvalidArgument, "the checkpoint is of " +
                                                 Quote(opened.checkpoint.origin) + ", not of " +
                                                 Quote(log_key.name));
  }
  std::vector<VerifierKey> keys = {log_key};
  keys.insert(keys.end(), witnesses.begin(), witnesses.end());
  COMITY_ASSIGN_OR_RETURN(const auto verified, VerifyNote(opened.note, keys));
  bool by_log = false;
  for (VerifiedSignature signature : verified) {
    by_log = by_log || signature.key == 0;
    if (signature.key == 0) continue;
    --signature.key;
    opened.cosignatures.push_back(signature);
  }
  if (!by_log) {
    return Fail(ErrorCode::kCorrupt, "the checkpoint is not signed by " + Quote(log_key.name));
  }
  for (const NoteSignature& signature : opened.note.signatures) {
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const VerifierKey& key) {
      return key.name == signature.name && KeyIdOf(key) == signature.key_id;
    });
    if (!known) opened.unknown_signers.push_back(signature.name);
  }
  return opened;
}

}  // namespace comity::tlog
