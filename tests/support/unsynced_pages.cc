// SPDX-License-Identifier: Apache-2.0
#include "tests/support/unsynced_pages.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <sstream>

namespace comity::testing {
namespace {

std::uint64_t InodeOf(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_ino) : 0;
}

std::string PathOf(int fd) {
  std::array<char, 1024> text{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
  return {text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

// By a descriptor of its own: the caller's may be open for writing only.
std::string ReadPage(const std::string& path, std::uint64_t page) {
  std::string content(UnsyncedPages::kPage, '\0');
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY, 0));
  if (fd < 0) return {};
  const ssize_t size =
      ::pread(fd, content.data(), content.size(), static_cast<off_t>(page * UnsyncedPages::kPage));
  ::close(fd);
  content.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return content;
}

void WriteRaw(int fd, std::string_view text) {
  while (!text.empty()) {
    const long count = ::syscall(SYS_write, fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string ToHex(const std::string& octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "x";  // so that an empty one is a word, too
  for (const char octet : octets) {
    const auto value = static_cast<unsigned char>(octet);
    text += {kDigits[value >> 4U], kDigits[value & 15U]};
  }
  return text;
}

std::string FromHex(const std::string& text) {
  std::string octets;
  for (std::size_t i = 1; i + 1 < text.size(); i += 2) {
    octets += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return octets;
}

}  // namespace

void UnsyncedPages::WillWrite(int fd, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return;
  const std::uint64_t inode = InodeOf(fd);
  for (std::uint64_t page = offset / kPage; page <= (offset + length - 1) / kPage; ++page) {
    const auto found = pages_.find({inode, page});
    if (found != pages_.end()) {
      found->second.clean = false;
      continue;
    }
    const std::string path = PathOf(fd);
    pages_[{inode, page}] = {path, ReadPage(path, page), false};
  }
}

void UnsyncedPages::Synced(int fd) {
  const std::uint64_t inode = InodeOf(fd);
  std::erase_if(pages_,
                [&](const auto& page) { return page.first.first == inode && !page.second.clean; });
}

void UnsyncedPages::SyncFailed(int fd) {
  const std::uint64_t inode = InodeOf(fd);
  for (auto& [place, page] : pages_) {
    if (place.first == inode) page.clean = true;
  }
}

void UnsyncedPages::Dropped(const char* path) {
  struct stat status{};
  if (::lstat(path, &status) != 0) return;
  std::erase_if(pages_, [&](const auto& page) { return page.first.first == status.st_ino; });
}

void UnsyncedPages::Renamed(const char* to) {
  struct stat status{};
  if (::lstat(to, &status) != 0) return;
  for (auto& [place, page] : pages_) {
    if (place.first == status.st_ino) page.path = to;
  }
}

void UnsyncedPages::WillCut(int fd, std::uint64_t length) {
  const std::uint64_t inode = InodeOf(fd);
  std::erase_if(pages_, [&](const auto& page) {
    return page.first.first == inode && page.first.second * kPage >= length;
  });
}

void UnsyncedPages::Save(const std::filesystem::path& record) {
  std::ostringstream text;
  for (const auto& [place, page] : pages_) {
    text << place.first << ' ' << place.second << ' ' << page.clean << ' ' << ToHex(page.on_disk)
         << ' ' << page.path << '\n';
  }
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, record.c_str(),
                                            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd < 0) return;
  WriteRaw(fd, text.str());
  ::close(fd);
}

void UnsyncedPages::Load(const std::filesystem::path& record) {
  const int fd =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, record.c_str(), O_RDONLY | O_CLOEXEC, 0));
  if (fd < 0) return;
  std::string text;
  std::array<char, 65536> buffer{};
  for (ssize_t count = 0; (count = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(fd);
  std::istringstream stream(text);
  Place place;
  Page page;
  std::string hex;
  while (stream >> place.first >> place.second >> page.clean >> hex >> page.path) {
    page.on_disk = FromHex(hex);
    pages_[place] = page;
  }
}

void UnsyncedPages::CutPower() const {
  for (const auto& [place, page] : pages_) {
    struct stat status{};
    if (::stat(page.path.c_str(), &status) != 0 || status.st_ino != place.first) continue;
    const std::uint64_t begin = place.second * kPage;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (begin >= size) continue;
    std::string content = page.on_disk;
    content.resize(std::min(kPage, size - begin), '\0');  // sizes are metadata, in the journal
    const int fd = ::open(page.path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const ssize_t written = ::pwrite(fd, content.data(), content.size(), static_cast<off_t>(begin));
    if (written != static_cast<ssize_t>(content.size())) std::abort();  // no test without it
    ::close(fd);
  }
}

}  // namespace comity::testing
