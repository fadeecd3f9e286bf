// SPDX-License-Identifier: Apache-2.0
#include "services/audit/tile_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "crypto/tlog/note.h"
#include "services/runtime/file.h"

namespace comity::audit {
namespace {

constexpr mode_t kPublicFile = 0644;  // partners and auditors may read every file of the log
// A full bundle of the largest entries a bundle can hold: 256 x (2 + 65,535) octets.
constexpr std::size_t kMaxFileSize = tlog::kTileWidth * (2U + 65'535U);

tl::unexpected<Error> FailToWrite(const std::filesystem::path& path, int code) {
  return Fail(ErrorCode::kUnavailable,
              "cannot write " + path.string() + ": " + std::generic_category().message(code));
}

Status MakeParent(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return FailToWrite(path.parent_path(), error.value());
  return {};
}

// Writes all of `content` to a new file; returns 0 or the errno.
int WriteNewFile(const std::filesystem::path& path, ByteView content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kPublicFile);
  if (file < 0) return errno;
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written >= 0) {
      content = content.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

}  // namespace

Status TileFiles::Write(const tlog::TilePath& tile, ByteView content) const {
  const std::filesystem::path path = directory_ / tlog::EncodeTilePath(tile);
  const std::filesystem::path draft = path.string() + ".draft";
  COMITY_RETURN_IF_ERROR(MakeParent(path));
  if (const int error = WriteNewFile(draft, content); error != 0) {
    ::unlink(draft.c_str());
    return FailToWrite(draft, error);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return FailToWrite(path, errno);
  return {};
}

bool TileFiles::Holds(const tlog::TilePath& tile, ByteView content) const {
  const std::filesystem::path path = directory_ / tlog::EncodeTilePath(tile);
  std::error_code ignored;
  const std::filesystem::path partials = path.string() + ".p";
  if (tile.width == tlog::kTileWidth && exists(partials, ignored)) return false;
  const auto present = runtime::ReadFile(path, kMaxFileSize);
  return present && std::ranges::equal(*present, content);
}

void TileFiles::RemovePartials(const tlog::TilePath& full) const {
  std::error_code ignored;
  std::filesystem::remove_all(directory_ / (tlog::EncodeTilePath(full) + ".p"), ignored);
}

Result<Bytes> TileFiles::Read(const tlog::TilePath& hash_tile) const {
  auto content = runtime::ReadFile(directory_ / tlog::EncodeTilePath(hash_tile), kMaxFileSize);
  if (content || hash_tile.width == tlog::kTileWidth) return content;
  tlog::TilePath full = hash_tile;
  full.width = tlog::kTileWidth;
  auto replaced = runtime::ReadFile(directory_ / tlog::EncodeTilePath(full), kMaxFileSize);
  if (!replaced) return content;
  replaced->resize(std::min(replaced->size(), hash_tile.width * Digest::kSize));
  return replaced;
}

Status TileFiles::WriteCheckpoint(std::string_view note) const {
  COMITY_RETURN_IF_ERROR(MakeParent(directory_ / "checkpoint"));
  return runtime::WriteFile(directory_ / "checkpoint", AsBytes(note), kPublicFile);
}

Status TileFiles::WriteVerifierKey(std::string_view vkey_line) const {
  COMITY_RETURN_IF_ERROR(MakeParent(directory_ / "log.vkey"));
  return runtime::WriteFile(directory_ / "log.vkey", AsBytes(vkey_line), kPublicFile);
}

Result<std::string> TileFiles::ReadCheckpoint() const {
  return runtime::ReadTextFile(directory_ / "checkpoint", tlog::kMaxNoteSize);
}

}  // namespace comity::audit
