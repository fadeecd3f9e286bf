// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace comity::testing {

// What the disk still holds of pages that were written and not synced, as Linux keeps its page
// cache: a page is dirty until a sync succeeds; a sync that fails leaves it clean and not written,
// until somebody writes to it again.
//
// Uses raw system calls only, since it works below the interposed ones.
// Threads: thread-compatible.
class UnsyncedPages {
 public:
  static constexpr std::uint64_t kPage = 4096;

  void WillWrite(int fd, std::uint64_t offset, std::uint64_t length);
  void Synced(int fd);
  void SyncFailed(int fd);
  void Dropped(const char* path);                  // unlinked, or cut by an open
  void Renamed(const char* to);                    // was done: its pages are under this name
  void WillCut(int fd, std::uint64_t length);      // ftruncate
  void Save(const std::filesystem::path& record);  // in place of what it held
  void Load(const std::filesystem::path& record);  // nothing if it is absent
  // What a loss of power does: puts every page back that is not on the disk.
  void CutPower() const;
  std::size_t size() const { return pages_.size(); }

 private:
  struct Page {
    std::string path;
    std::string on_disk;
    bool clean = false;  // lost by a sync that failed
  };
  using Place = std::pair<std::uint64_t, std::uint64_t>;  // inode, page
  std::map<Place, Page> pages_;
};

}  // namespace comity::testing
