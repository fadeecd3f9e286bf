// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <system_error>

#include "services/runtime/descriptor.h"

namespace comity::runtime {
namespace {

constexpr mode_t kOthersMask = 0177;  // all but the owner's read and write

ErrorCode CodeOf(int error) {
  return error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
}

Error SystemError(ErrorCode code, const char* act, const std::filesystem::path& path, int error) {
  return {code, fmt::format("cannot {} {}: {}", act, path.string(),
                            std::generic_category().message(error))};
}

struct OpenFile {
  Descriptor descriptor;
  struct stat status{};
};

Result<OpenFile> OpenRegular(const std::filesystem::path& path) {
  // O_NONBLOCK: a FIFO under this name must not make the process wait; it is refused below.
  OpenFile file;
  file.descriptor = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.descriptor.valid()) return Fail(SystemError(CodeOf(errno), "open", path, errno));
  if (::fstat(file.descriptor.get(), &file.status) != 0) {
    return Fail(SystemError(ErrorCode::kUnavailable, "inspect", path, errno));
  }
  if (!S_ISREG(file.status.st_mode)) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + " is not a regular file");
  }
  return file;
}

Status CheckPrivate(const struct stat& status, const std::filesystem::path& path) {
  if ((status.st_mode & kOthersMask) != 0) {
    return Fail(ErrorCode::kPermissionDenied,
                fmt::format("{} holds a private key and has mode {:04o}; run: chmod 600 {}",
                            path.string(), status.st_mode & 07777U, path.string()));
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return Fail(ErrorCode::kPermissionDenied,
                fmt::format("{} holds a private key and belongs to user {}, not to this one ({})",
                            path.string(), status.st_uid, ::geteuid()));
  }
  return {};
}

// Fills `target` from the file; returns how many octets there were, at most target.size().
Result<std::size_t> Fill(const OpenFile& file, std::span<std::uint8_t> target,
                         const std::filesystem::path& path) {
  std::size_t filled = 0;
  while (filled < target.size()) {
    const ssize_t count =
        ::read(file.descriptor.get(), target.data() + filled, target.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fail(SystemError(ErrorCode::kUnavailable, "read", path, errno));
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

Status CheckSize(std::uint64_t size, std::size_t max_size, const std::filesystem::path& path) {
  if (size <= max_size) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("{} is larger than {} octets", path.string(), max_size));
}

// Size of the file as it stands plus one, so that a file that grows meanwhile is noticed.
std::size_t ReadSize(const OpenFile& file) {
  return static_cast<std::size_t>(file.status.st_size) + 1;
}

Status WriteAll(int fd, ByteView content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fail(SystemError(ErrorCode::kUnavailable, "write", path, errno));
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status WriteTemporary(int fd, ByteView content, mode_t mode, const std::filesystem::path& path) {
  COMITY_RETURN_IF_ERROR(WriteAll(fd, content, path));
  if (::fchmod(fd, mode) != 0) {
    return Fail(SystemError(ErrorCode::kUnavailable, "set the mode of", path, errno));
  }
  if (::fsync(fd) != 0) return Fail(SystemError(ErrorCode::kUnavailable, "sync", path, errno));
  return {};
}

Status SyncDirectory(const std::filesystem::path& directory) {
  const Descriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid() || ::fsync(descriptor.get()) != 0) {
    return Fail(SystemError(ErrorCode::kUnavailable, "sync", directory, errno));
  }
  return {};
}

}  // namespace

Result<Bytes> ReadFile(const std::filesystem::path& path, std::size_t max_size) {
  COMITY_ASSIGN_OR_RETURN(const OpenFile file, OpenRegular(path));
  COMITY_RETURN_IF_ERROR(
      CheckSize(static_cast<std::uint64_t>(file.status.st_size), max_size, path));
  Bytes content(ReadSize(file));
  COMITY_ASSIGN_OR_RETURN(const std::size_t size, Fill(file, content, path));
  COMITY_RETURN_IF_ERROR(CheckSize(size, max_size, path));
  content.resize(size);
  return content;
}

Result<std::string> ReadTextFile(const std::filesystem::path& path, std::size_t max_size) {
  COMITY_ASSIGN_OR_RETURN(const Bytes content, ReadFile(path, max_size));
  return std::string(AsText(content));
}

Result<SecretBytes> ReadSecretFile(const std::filesystem::path& path, std::size_t max_size) {
  COMITY_ASSIGN_OR_RETURN(const OpenFile file, OpenRegular(path));
  COMITY_RETURN_IF_ERROR(CheckPrivate(file.status, path));
  COMITY_RETURN_IF_ERROR(
      CheckSize(static_cast<std::uint64_t>(file.status.st_size), max_size, path));
  SecretBytes content(ReadSize(file));
  COMITY_ASSIGN_OR_RETURN(const std::size_t size, Fill(file, content.ExposeMutable(), path));
  COMITY_RETURN_IF_ERROR(CheckSize(size, max_size, path));
  return SecretBytes::CopyOf(content.Expose().first(size));
}

Status CheckPrivateFile(const std::filesystem::path& path) {
  // stat, not open: a check by another user (comity doctor) need not be able to read the key.
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return Fail(SystemError(CodeOf(errno), "inspect", path, errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + " is not a regular file");
  }
  return CheckPrivate(status, path);
}

Status WriteFile(const std::filesystem::path& path, ByteView content, mode_t mode) {
  const std::filesystem::path directory =
      path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::string temporary = (directory / ("." + path.filename().string() + ".XXXXXX")).string();
  // mkostemp makes the file with mode 0600, so its content is private while it is written.
  const Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!descriptor.valid()) {
    return Fail(SystemError(ErrorCode::kUnavailable, "create a file beside", path, errno));
  }
  Status written = WriteTemporary(descriptor.get(), content, mode, path);
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0) {
    written = Fail(SystemError(ErrorCode::kUnavailable, "replace", path, errno));
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return SyncDirectory(directory);
}

}  // namespace comity::runtime
