// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/export_files.h"

#include <algorithm>
#include <cstdint>

#include "crypto/base/quote.h"
#include "crypto/tlog/tile.h"

namespace comity::tlog {
namespace {

// The files that are there; each one that belongs is ticked off.
class FileList {
 public:
  explicit FileList(std::vector<std::string> paths)
      : paths_(std::move(paths)), ticked_(paths_.size()) {
    std::sort(paths_.begin(), paths_.end());
  }

  Status Require(const std::string& path) {
    const auto found = std::lower_bound(paths_.begin(), paths_.end(), path);
    if (found == paths_.end() || *found != path) {
      return Fail(ErrorCode::kNotFound, "the export lacks the file " + path);
    }
    ticked_[static_cast<std::size_t>(found - paths_.begin())] = true;
    return {};
  }

  // Ends at the first file that is missing, hence after at most as many steps as there are files.
  Status RequireLevel(TilePath tile, merkle::TreeSize size) {
    const std::uint64_t full = FullTiles(size, tile.level);
    for (tile.index = 0; tile.index < full; ++tile.index) {
      COMITY_RETURN_IF_ERROR(Require(EncodeTilePath(tile)));
    }
    if (PartialWidth(size, tile.level) == 0) return {};
    tile.width = PartialWidth(size, tile.level);
    return Require(EncodeTilePath(tile));
  }

  Status RequireNoOther(merkle::TreeSize size) const {
    const auto other = std::find(ticked_.begin(), ticked_.end(), false);
    if (other == ticked_.end()) return {};
    const std::string& path = paths_[static_cast<std::size_t>(other - ticked_.begin())];
    return Fail(ErrorCode::kConflict, "the file " + Quote(path) +
                                          " does not belong to the export of a log of " +
                                          std::to_string(size.value) + " entries");
  }

 private:
  std::vector<std::string> paths_;
  std::vector<bool> ticked_;
};

}  // namespace

Status CheckExportFiles(const std::vector<std::string>& paths, merkle::TreeSize size) {
  FileList files(paths);
  COMITY_RETURN_IF_ERROR(files.Require("checkpoint"));
  COMITY_RETURN_IF_ERROR(files.Require("log.vkey"));
  COMITY_RETURN_IF_ERROR(files.RequireLevel({.entries = true}, size));
  for (unsigned level = 0; level < sizeof(size.value); ++level) {
    COMITY_RETURN_IF_ERROR(files.RequireLevel({.level = level}, size));
  }
  return files.RequireNoOther(size);
}

}  // namespace comity::tlog
