// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/tree_position.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/note_key.h"

namespace comity::tlog {

// An offline receipt, `c2sp.org/tlog-proof@v1`: index, path and checkpoint note of one entry, so
// that anyone with the log's vkey can check that the entry is logged.
struct TlogProof {
  std::optional<Bytes> extra;  // application data, at most 64 KiB
  merkle::LeafIndex index;
  std::vector<Digest> path;  // sibling next to the leaf first
  std::string checkpoint;    // the whole checkpoint note
};

std::string EncodeTlogProof(const TlogProof& proof);
// In:     text  untrusted; at most 512 KiB, 64 hashes
// Errors: kInvalidArgument  not such a text. Nothing is verified yet.
// Source: C2SP tlog-proof; vectors in tests/vectors/tlog/*.tlog-proof
Result<TlogProof> ParseTlogProof(std::string_view text);

// Checks the receipt: note by `log_key` (and by the witnesses it names), leaf under its root.
//
// In:     leaf_hash  LeafHash of the entry in question
// Errors: kInvalidArgument, kCorrupt  as OpenCheckpoint and VerifyInclusion
Result<VerifiedCheckpoint> VerifyTlogProof(const TlogProof& proof, const Digest& leaf_hash,
                                           const VerifierKey& log_key,
                                           std::span<const VerifierKey> witnesses = {});

}  // namespace comity::tlog
