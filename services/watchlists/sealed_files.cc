// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/runtime/descriptor.h"
#include "services/runtime/file.h"

namespace comity::watchlists {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

tl::unexpected<Error> Unavailable(const fs::path& path, int error) {
  return Fail(ErrorCode::kUnavailable,
              path.string() + ": " + std::generic_category().message(error));
}

// A new folder whose name survives a loss of power; does nothing if it is there.
Status MakeFolder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), kFolderMode) != 0) {
    return errno == EEXIST ? Status() : Unavailable(folder, errno);
  }
  const fs::path parent = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  const runtime::Descriptor opened(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.valid() && ::fsync(opened.get()) == 0) return {};
  return Unavailable(parent, errno);
}

std::string FileName(std::uint32_t number, const Digest& hash) {
  return std::to_string(number) + "-" + EncodeHex(hash.view()).substr(0, 16);
}

std::vector<fs::path> Children(const fs::path& folder) {
  std::vector<fs::path> children;
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; at != end; at.increment(ignored)) {
    children.push_back(at->path());
  }
  return children;
}

void RemoveOthers(const fs::path& folder, const std::set<std::string>& names) {
  std::error_code ignored;
  for (const fs::path& child : Children(folder)) {
    if (!names.contains(child.filename().string())) fs::remove_all(child, ignored);
  }
}

}  // namespace

Result<SealedFiles> SealedFiles::Open(fs::path folder) {
  folder = fs::absolute(folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // DIR/
  std::error_code fault;
  fs::create_directories(folder.parent_path(), fault);
  COMITY_RETURN_IF_ERROR(MakeFolder(folder));
  return SealedFiles(std::move(folder));
}

fs::path SealedFiles::ListFolder(const Digest& header) const {
  return folder_ / EncodeHex(header.view());
}

fs::path SealedFiles::File(const Digest& header, std::uint32_t number, const Digest& hash) const {
  return ListFolder(header) / FileName(number, hash);
}

Status SealedFiles::Write(const Digest& header, const sealed::ListedBlock& block,
                          ByteView encoded) const {
  COMITY_RETURN_IF_ERROR(MakeFolder(ListFolder(header)));
  return runtime::WriteFile(File(header, block.number, block.hash), encoded, kFileMode);
}

Result<Bytes> SealedFiles::Read(const Digest& header, std::uint32_t number, const Digest& hash,
                                std::uint64_t offset, std::size_t limit) const {
  const fs::path path = File(header, number, hash);
  const runtime::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid() && errno == ENOENT) {
    return Fail(ErrorCode::kNotFound, "there is no such sealed block any more");
  }
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return Unavailable(path, errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (offset > size) return Fail(ErrorCode::kInvalidArgument, "an offset beyond the end");
  Bytes octets(std::min<std::uint64_t>(limit, size - offset));
  std::size_t filled = 0;
  while (filled < octets.size()) {
    const ssize_t count = ::pread(file.get(), octets.data() + filled, octets.size() - filled,
                                  static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Unavailable(path, count < 0 ? errno : EIO);
    filled += static_cast<std::size_t>(count);
  }
  return octets;
}

bool SealedFiles::Has(const Digest& header, const sealed::ListedBlock& block,
                      std::size_t octets) const {
  std::error_code fault;
  const fs::path path = File(header, block.number, block.hash);
  return fs::is_regular_file(path, fault) && fs::file_size(path, fault) == octets && !fault;
}

void SealedFiles::Remove(const Digest& header, std::uint32_t number, const Digest& hash) const {
  std::error_code ignored;
  fs::remove(File(header, number, hash), ignored);
}

void SealedFiles::RemoveList(const Digest& header) const {
  std::error_code ignored;
  fs::remove_all(ListFolder(header), ignored);
}

void SealedFiles::KeepOnly(const std::map<Digest, std::vector<sealed::ListedBlock>>& kept) const {
  std::set<std::string> folders;
  for (const auto& [header, blocks] : kept) {
    folders.insert(EncodeHex(header.view()));
    std::set<std::string> files;
    for (const sealed::ListedBlock& block : blocks) {
      files.insert(FileName(block.number, block.hash));
    }
    RemoveOthers(ListFolder(header), files);
  }
  RemoveOthers(folder_, folders);
}

}  // namespace comity::watchlists
