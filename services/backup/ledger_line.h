// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/instant.h"

namespace comity::backup {

// What a line of the erasure ledger says.
namespace line_kind {
inline constexpr std::string_view kBegun = "begun";    // first line; `about`: BeginningOf
inline constexpr std::string_view kErased = "erased";  // `groups`
inline constexpr std::string_view kVoid = "void";      // `about`: a line that had no effect
// The log's size at start, stop, hourly; `about`: how often each bound table was written.
inline constexpr std::string_view kMark = "mark";
inline constexpr std::string_view kBound = "bound";        // the database's tables were bound
inline constexpr std::string_view kBackup = "backup";      // `about`: its id
inline constexpr std::string_view kRestored = "restored";  // `about`: the new log's origin
inline constexpr std::string_view kBarred = "barred";      // `about`: an enrolment that ended
}  // namespace line_kind

// Records of one class that went for one reason.
struct LedgerGroup {
  std::string record_class;
  std::string reason;
  std::vector<Digest> ids;  // CommitRecord of each
};

// One line of the erasure ledger, chained to the one before it (docs/formats/erasure_log.md).
struct LedgerLine {
  std::uint64_t sequence = 0;  // from 1
  Digest previous;             // hash of the line before; zeros in the first
  policy::Instant time{};
  std::string kind;
  std::string about;           // see line_kind; 0..255
  std::uint64_t log_size = 0;  // entries of the audit log by then, at least
  std::vector<LedgerGroup> groups;
};

// What the first line is about: the agency and 128 random bits, so that a ledger that begins anew
// is never taken for the one before.
std::string BeginningOf(std::string_view agency, RandomSource& random);
bool IsBeginningOf(std::string_view about, std::string_view agency);

inline constexpr std::size_t kMaxLedgerLine = std::size_t{64} << 10;

// The key that lines and ids are made with.
// In: kek  32 octets
SecretBytes DeriveLedgerKey(const SecretBytes& kek);

// What names a record in the ledger: nobody without the key-encryption key can tell which it was,
// even who guesses.
Digest CommitRecord(const SecretBytes& ledger_key, std::string_view record_class,
                    std::string_view reference);

// Canonical JSON and a line's end; the last octets say that who wrote it holds the key.
std::string EncodeLedgerLine(const LedgerLine& line, const SecretBytes& ledger_key);
// In:     text  without its line's end; untrusted
// Errors: kCorrupt  not such a line, or not by this key
Result<LedgerLine> ParseLedgerLine(std::string_view text, const SecretBytes& ledger_key);
// In: text  with its line's end
Digest HashLedgerLine(std::string_view text);

}  // namespace comity::backup
