// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "services/runtime/descriptor.h"

namespace comity::runtime {
namespace {

tl::unexpected<Error> Unavailable(const char* act, const std::filesystem::path& path) {
  const int error = errno;
  return Fail(ErrorCode::kUnavailable, fmt::format("cannot {} {}: {}", act, path.string(),
                                                   std::generic_category().message(error)));
}

tl::unexpected<Error> NotRegular(const std::filesystem::path& path) {
  return Fail(ErrorCode::kInvalidArgument, path.string() + " is not a regular file");
}

Status WritePiece(int fd, std::uint64_t offset, ByteView piece, const std::filesystem::path& path) {
  while (!piece.empty()) {
    const ssize_t count = ::pwrite(fd, piece.data(), piece.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Unavailable("write", path);
    offset += static_cast<std::uint64_t>(count);
    piece = piece.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status SyncAt(const std::filesystem::path& path, int flags) {
  const Descriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
  if (descriptor.valid() && ::fsync(descriptor.get()) == 0) return {};
  return Unavailable("sync", path);
}

}  // namespace

Result<std::uint64_t> PartialSize(const std::filesystem::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return 0;
    return Unavailable("inspect", path);
  }
  if (!S_ISREG(status.st_mode)) return NotRegular(path);
  return static_cast<std::uint64_t>(status.st_size);
}

Status AppendAt(const std::filesystem::path& path, std::uint64_t offset, ByteView piece,
                mode_t mode) {
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, PartialSize(path));
  if (size < offset) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} has {} octets, not {}", path.string(), size, offset));
  }
  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode));
  if (!file.valid()) return Unavailable("open", path);
  const auto cut = [&] { return ::ftruncate(file.get(), static_cast<off_t>(offset)) == 0; };
  if (size > offset && !cut()) return Unavailable("cut", path);
  Status written = WritePiece(file.get(), offset, piece, path);
  // Should this fail, too, the caller starts from what the file has then: it verifies the whole.
  if (!written) (void)cut();
  return written;
}

Status KeepAs(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (Status synced = SyncAt(from, O_RDONLY); !synced) {
    // Its pages may be clean now and not on the disk: a second sync would succeed and say nothing.
    ::unlink(from.c_str());
    return synced;
  }
  if (std::rename(from.c_str(), to.c_str()) != 0) return Unavailable("rename", from);
  return SyncFolder(to.parent_path());
}

Status SyncFile(const std::filesystem::path& file) {
  return SyncAt(file, O_RDONLY);
}

Status SyncFolder(const std::filesystem::path& folder) {
  return SyncAt(folder, O_RDONLY | O_DIRECTORY);
}

}  // namespace comity::runtime
