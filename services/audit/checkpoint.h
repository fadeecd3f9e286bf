// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "crypto/tlog/note_key.h"

namespace comity::audit {

// The log as it was last signed: `note` is the published text, exactly.
struct Checkpoint {
  std::uint64_t size = 0;
  Digest root;
  std::string note;
};

// What an operator must know of the log. Publishing is behind the durable acknowledgement: while it
// fails nothing durable is refused, but nobody outside can see the newest entries yet.
struct LogHealth {
  bool publishing = true;  // false: the last attempt failed; it is repeated every second
  bool stopped = false;    // true: another writer was seen; nothing more is signed or written
  std::string problem;     // empty while all is well
  std::uint64_t signed_size = 0;  // entries under the published checkpoint
};

tlog::VerifierKey VerifierKeyOf(const std::string& origin, const sign::SigningKey& log_key);
// The text of the file log.vkey: one line.
std::string VerifierKeyFile(const std::string& origin, const sign::SigningKey& log_key);

Checkpoint SignCheckpoint(const std::string& origin, const sign::SigningKey& log_key,
                          std::uint64_t size, const Digest& root);
// Errors: kCorrupt  not a checkpoint of this log by this key
Result<Checkpoint> OpenOwnCheckpoint(const std::string& note, const tlog::VerifierKey& key);

}  // namespace comity::audit
