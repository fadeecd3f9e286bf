// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/note.h"

#include <algorithm>
#include <limits>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/base/quote.h"
#include "crypto/base/utf8.h"

namespace comity::tlog {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space
constexpr std::size_t kTimeSize = 8;
constexpr std::uint64_t kMaxTime = std::numeric_limits<std::int64_t>::max();

tl::unexpected<Error> NotANote(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, "not a signed note: " + why);
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

std::string CosignedMessage(std::uint64_t time, std::string_view text) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

std::uint64_t ReadTime(ByteView octets) {
  std::uint64_t time = 0;
  for (const std::uint8_t octet : octets.first(kTimeSize)) time = time << 8U | octet;
  return time;
}

Bytes WriteTime(std::uint64_t time) {
  Bytes octets;
  for (unsigned shift = 64; shift != 0; shift -= 8) {
    octets.push_back(static_cast<std::uint8_t>(time >> (shift - 8)));
  }
  return octets;
}

sign::Signature ToSignature(ByteView octets) {
  sign::Signature signature;
  std::copy(octets.begin(), octets.end(), signature.bytes.begin());
  return signature;
}

tl::unexpected<Error> WrongSignature(const NoteSignature& signature) {
  return Fail(ErrorCode::kCorrupt,
              "the note's signature by " + Quote(signature.name) + " is wrong");
}

NoteSignature MakeSignature(const VerifierKey& key, Bytes octets, const sign::Signature& by) {
  octets.insert(octets.end(), by.bytes.begin(), by.bytes.end());
  return {key.name, KeyIdOf(key), std::move(octets)};
}

}  // namespace

std::string EncodeSignatureLine(const NoteSignature& signature) {
  Bytes octets(signature.key_id.begin(), signature.key_id.end());
  octets.insert(octets.end(), signature.octets.begin(), signature.octets.end());
  return std::string(kDash) + signature.name + " " + EncodeBase64(octets) + "\n";
}

Result<NoteSignature> ParseSignatureLine(std::string_view line) {
  if (line.size() > kMaxNoteSize || !line.starts_with(kDash) || !line.ends_with('\n')) {
    return NotANote("a signature line begins with an em dash and ends with a line feed");
  }
  line = line.substr(kDash.size(), line.size() - kDash.size() - 1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !IsKeyName(line.substr(0, space))) {
    return NotANote("a signature line names no key");
  }
  NoteSignature signature;
  signature.name = std::string(line.substr(0, space));
  const auto octets = ParseBase64(line.substr(space + 1));
  if (!octets || octets->size() <= signature.key_id.size()) {
    return NotANote("a signature is not base64 of a key id and a signature");
  }
  const auto middle = octets->begin() + static_cast<std::ptrdiff_t>(signature.key_id.size());
  std::copy(octets->begin(), middle, signature.key_id.begin());
  signature.octets.assign(middle, octets->end());
  return signature;
}

Result<Note> ParseNote(std::string_view text) {
  if (text.size() > kMaxNoteSize) return NotANote("more than 256 KiB");
  if (HasControlCharacter(text) || !IsUtf8(text)) {
    return NotANote("a control character or ill-formed UTF-8");
  }
  const std::size_t blank = text.rfind("\n\n");
  if (blank == std::string_view::npos) return NotANote("no empty line before the signatures");
  Note note;
  note.text = std::string(text.substr(0, blank + 1));
  for (std::string_view rest = text.substr(blank + 2); !rest.empty();) {
    if (note.signatures.size() == kMaxNoteSignatures) return NotANote("more than 64 signatures");
    const std::size_t end = rest.find('\n');
    const std::size_t size = end == std::string_view::npos ? rest.size() : end + 1;
    COMITY_ASSIGN_OR_RETURN(NoteSignature signature, ParseSignatureLine(rest.substr(0, size)));
    note.signatures.push_back(std::move(signature));
    rest.remove_prefix(size);
  }
  if (note.signatures.empty()) return NotANote("no signature");
  return note;
}

std::string EncodeNote(const Note& note) {
  std::string text = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) text += EncodeSignatureLine(signature);
  return text;
}

NoteSignature SignNote(const std::string& name, const sign::SigningKey& key,
                       std::string_view text) {
  COMITY_CHECK(text.ends_with('\n'));
  return MakeSignature({name, NoteKeyType::kEd25519, key.public_key()}, {},
                       key.Sign(AsBytes(text)));
}

NoteSignature Cosign(const std::string& name, const sign::SigningKey& key, std::string_view text,
                     std::uint64_t time) {
  COMITY_CHECK(text.ends_with('\n') && time <= kMaxTime);
  return MakeSignature({name, NoteKeyType::kCosignatureV1, key.public_key()}, WriteTime(time),
                       key.Sign(AsBytes(CosignedMessage(time, text))));
}

Result<VerifiedSignature> VerifyNoteSignature(std::string_view text, const NoteSignature& signature,
                                              const VerifierKey& key) {
  const ByteView octets = signature.octets;
  switch (key.type) {
    case NoteKeyType::kEd25519: {
      if (octets.size() != sign::Signature::kSize ||
          !sign::Verify(key.key, AsBytes(text), ToSignature(octets))) {
        return WrongSignature(signature);
      }
      return VerifiedSignature{};
    }
    case NoteKeyType::kCosignatureV1: {
      if (octets.size() != kTimeSize + sign::Signature::kSize) return WrongSignature(signature);
      const std::uint64_t time = ReadTime(octets);
      if (time > kMaxTime || !sign::Verify(key.key, AsBytes(CosignedMessage(time, text)),
                                           ToSignature(octets.subspan(kTimeSize)))) {
        return WrongSignature(signature);
      }
      return VerifiedSignature{0, time};
    }
  }
  return WrongSignature(signature);
}

Result<std::vector<VerifiedSignature>> VerifyNote(const Note& note,
                                                  std::span<const VerifierKey> keys) {
  std::vector<VerifiedSignature> verified;
  for (const NoteSignature& signature : note.signatures) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const VerifierKey& known) {
      return known.name == signature.name && KeyIdOf(known) == signature.key_id;
    });
    if (key == keys.end()) continue;
    COMITY_ASSIGN_OR_RETURN(VerifiedSignature one, VerifyNoteSignature(note.text, signature, *key));
    one.key = static_cast<std::size_t>(key - keys.begin());
    verified.push_back(one);
  }
  if (verified.empty()) return Fail(ErrorCode::kCorrupt, "the note is signed by no known key");
  return verified;
}

}  // namespace comity::tlog
