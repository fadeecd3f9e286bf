// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "crypto/tlog/note_key.h"

namespace comity::tlog {

// Room for a checkpoint with 64 post-quantum cosignatures (3.3 KiB each); a peer cannot make us
// hold more.
inline constexpr std::size_t kMaxNoteSize = 256 * 1024;
inline constexpr std::size_t kMaxNoteSignatures = 64;  // the specification asks for >= 16

// One line `— <name> <base64(key id || octets)>`.
struct NoteSignature {
  std::string name;
  NoteKeyId key_id{};
  Bytes octets;  // of type 0x01: 64 octets; of 0x04: uint64_be time || 64 octets
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;  // ends in '\n'
  std::vector<NoteSignature> signatures;
};

// A signature that was checked: `key` is the position in the span of known keys.
struct VerifiedSignature {
  std::size_t key = 0;
  std::optional<std::uint64_t> timestamp;  // POSIX seconds; cosignatures only
};

// In:     text  untrusted; at most 256 KiB, 1..64 signature lines, UTF-8, no control character but
// \n Errors: kInvalidArgument  not a signed note. Nothing is verified yet. Source: C2SP
// signed-note; vectors in tests/vectors/tlog/notes.json
Result<Note> ParseNote(std::string_view text);
std::string EncodeNote(const Note& note);

// One signature line with its final '\n', as a witness answers it.
std::string EncodeSignatureLine(const NoteSignature& signature);
Result<NoteSignature> ParseSignatureLine(std::string_view line);

// Type 0x01. In: text  ends in '\n'
NoteSignature SignNote(const std::string& name, const sign::SigningKey& key, std::string_view text);
// Type 0x04. In: text  the whole checkpoint body; time  POSIX seconds, <= 2^63 - 1
NoteSignature Cosign(const std::string& name, const sign::SigningKey& key, std::string_view text,
                     std::uint64_t time);

// Checks every signature that is by one of `keys` (same name and key id); others are ignored.
//
// Errors: kCorrupt  a signature by a known key is wrong (the whole note is refused), or there is
//                   none by a known key
// Source: C2SP signed-note, tlog-cosignature
Result<std::vector<VerifiedSignature>> VerifyNote(const Note& note,
                                                  std::span<const VerifierKey> keys);
// One signature by one key over one text. Errors: kCorrupt
Result<VerifiedSignature> VerifyNoteSignature(std::string_view text, const NoteSignature& signature,
                                              const VerifierKey& key);

}  // namespace comity::tlog
