// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/tree_position.h"
#include "crypto/tlog/note.h"

namespace comity::tlog {

// The head of a log: the text of the note that the log signs and the witnesses cosign.
struct Checkpoint {
  std::string origin;
  merkle::TreeSize size;
  Digest root;
  std::vector<std::string> extensions;  // lines without their end; none in our own logs
  bool operator==(const Checkpoint&) const = default;
};

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
// In:     text  untrusted; the note's text, not the note
// Errors: kInvalidArgument  not a checkpoint; a size above 2^63 - 1, with leading zeros or a sign;
//                           a root that is not canonical base64; size 0 with another root than
//                           SHA-256(""); an empty line; more than 16 extension lines
// Source: C2SP tlog-checkpoint; vectors in tests/vectors/tlog/notes.json
Result<Checkpoint> ParseCheckpoint(std::string_view text);

// A checkpoint whose log signature, and every signature by another key given, was verified.
struct VerifiedCheckpoint {
  Checkpoint checkpoint;
  Note note;
  std::vector<VerifiedSignature> cosignatures;  // `key` is the position in `witnesses`
  std::vector<std::string> unknown_signers;     // names in the note that no given key fits
};

// Parses and verifies a checkpoint note of the log whose key is `log_key`. Its origin must be the
// key's name.
//
// Errors: kInvalidArgument  not a checkpoint note, or of another origin
//         kCorrupt          no signature by the log's key, or any wrong one by a known key
Result<VerifiedCheckpoint> OpenCheckpoint(std::string_view note, const VerifierKey& log_key,
                                          std::span<const VerifierKey> witnesses = {});

}  // namespace comity::tlog
