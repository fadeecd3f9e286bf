// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/tlog/tile.h"

namespace comity::audit {

// The published files of a log: <directory>/checkpoint, log.vkey and tile/... . All can be made
// again from the store, which is why tiles are renamed into place but not synced: after a power cut
// Log::Open repairs them before anything is served.
//
// Threads: one writer; readers see each file whole or not at all.
class TileFiles {
 public:
  explicit TileFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  const std::filesystem::path& directory() const { return directory_; }

  // Errors: kUnavailable  names the path and the system's reason
  Status Write(const tlog::TilePath& tile, ByteView content) const;
  // True if the file has these octets and, for a full tile, its partial forms are gone.
  bool Holds(const tlog::TilePath& tile, ByteView content) const;
  // Removes the partial forms of a tile that is full; a failure leaves harmless files behind.
  void RemovePartials(const tlog::TilePath& full) const;

  // The tile; a partial one that is gone is cut out of the full one that replaced it.
  // Errors: kNotFound, kUnavailable
  Result<Bytes> Read(const tlog::TilePath& hash_tile) const;

  // Synced to disk: its size is evidence that outlives a restored database.
  Status WriteCheckpoint(std::string_view note) const;
  Status WriteVerifierKey(std::string_view vkey_line) const;
  // Errors: kNotFound, kInvalidArgument  too large; kUnavailable
  Result<std::string> ReadCheckpoint() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace comity::audit
