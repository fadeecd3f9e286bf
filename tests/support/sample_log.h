// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/entry.h"
#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/log_verifier.h"
#include "crypto/tlog/tile_hash.h"

namespace comity::testing {

inline sign::SigningKey SampleKey(std::uint8_t label) {
  SecretBytes seed(32);
  seed.ExposeMutable()[0] = label;
  return std::move(*sign::SigningKey::FromSeed(seed));
}

// An entry of the size and shape that a decision about a search has (about 500 octets).
inline tlog::LogEntry SampleEntry(std::uint64_t index) {
  const std::string text = std::to_string(index);
  tlog::LogEntry entry;
  entry.type = index % 3 == 0 ? "search.permitted" : "search.answered";
  entry.time =
      std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + std::chrono::milliseconds(index);
  entry.exchange = "x-" + text;
  entry.parties = {"northshire-police", "eastvale-police"};
  entry.agreement =
      tlog::LogEntry::Agreement{"northshire-eastvale-2026", 3, hash::Sha256(ByteView())};
  entry.decision = tlog::LogEntry::Decision{"permit", {"purpose.court-order-arrest"}};
  entry.commitments = {{"case_reference", hash::Sha256(AsBytes("case" + text))},
                       {"operator", hash::Sha256(AsBytes("operator" + text))}};
  entry.messages = {{"request", hash::Sha256(AsBytes("request" + text))}};
  return entry;
}

// A whole exported log in memory, signed and cosigned with test keys.
struct SampleLog {
  std::string vkeys;
  std::map<std::string, Bytes> files;

  // The view of it that the verifier takes; refers to this object.
  tlog::LogExport AsExport() const {
    tlog::LogExport log;
    log.vkeys = vkeys;
    log.checkpoint = std::string(AsText(files.at("checkpoint")));
    for (const auto& [path, content] : files) log.paths.push_back(path);
    log.read = [this](const std::string& path) -> Result<Bytes> {
      const auto found = files.find(path);
      if (found == files.end()) return Fail(ErrorCode::kNotFound, path);
      return found->second;
    };
    return log;
  }
};

inline void SignSampleLog(SampleLog& log, std::uint64_t size, const Digest& root) {
  const std::string origin = "log.example/audit";
  const sign::SigningKey log_key = SampleKey(1);
  const sign::SigningKey witness_key = SampleKey(2);
  tlog::Note note{tlog::EncodeCheckpoint({origin, {size}, root, {}}), {}};
  note.signatures = {tlog::SignNote(origin, log_key, note.text),
                     tlog::Cosign("witness.example/w", witness_key, note.text, 1'795'392'000)};
  log.vkeys = tlog::EncodeVerifierKey({origin, tlog::NoteKeyType::kEd25519, log_key.public_key()}) +
              "\n" +
              tlog::EncodeVerifierKey({"witness.example/w", tlog::NoteKeyType::kCosignatureV1,
                                       witness_key.public_key()}) +
              "\n";
  log.files["log.vkey"] = ToBytes(log.vkeys);
  log.files["checkpoint"] = ToBytes(tlog::EncodeNote(note));
}

inline SampleLog MakeSampleLog(
    std::uint64_t size, const std::function<std::string(std::uint64_t)>& entry_text =
                            [](std::uint64_t i) { return *tlog::EncodeEntry(SampleEntry(i)); }) {
  SampleLog log;
  merkle::CompactTree tree;
  std::vector<Digest> hashes;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string text = entry_text(i);
    tlog::TilePath bundle{.entries = true, .index = i / tlog::kTileWidth};
    if (bundle.index >= tlog::FullTiles({size}, 0)) bundle.width = tlog::PartialWidth({size}, 0);
    COMITY_CHECK(tlog::AppendToBundle(log.files[tlog::EncodeTilePath(bundle)], AsBytes(text)));
    hashes.push_back(merkle::LeafHash(AsBytes(text)));
    tree.Append(hashes.back());
  }
  const auto tiles = tlog::AppendTiles({0}, hashes, [](const tlog::TilePath&) -> Result<Bytes> {
    return Fail(ErrorCode::kNotFound, "an empty log has no tile");
  });
  COMITY_CHECK(tiles.has_value());
  for (const tlog::TileFile& tile : *tiles) {
    log.files[tlog::EncodeTilePath(tile.path)] = tile.content;
  }
  SignSampleLog(log, size, tree.Root());
  return log;
}

}  // namespace comity::testing
