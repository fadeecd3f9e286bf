// SPDX-License-Identifier: Apache-2.0
#include "services/backup/log_part.h"

#include <algorithm>
#include <utility>

#include "crypto/base/quote.h"
#include "crypto/tlog/tile.h"

namespace comity::backup {
namespace {

constexpr std::size_t kMaxHead = 300;
constexpr std::size_t kMaxDigits = 8;
// A full bundle of the largest entries a bundle can hold.
constexpr std::size_t kMaxFile = tlog::kTileWidth * (2U + 65'535U);

bool IsLogPath(const std::string& path) {
  return path == "checkpoint" || path == "log.vkey" || tlog::ParseTilePath(path).has_value();
}

}  // namespace

std::string EncodeLogFileHead(std::string_view path, std::size_t size) {
  return std::string(path) + " " + std::to_string(size) + "\n";
}

Status LogPartReader::ReadHead() {
  const std::size_t space = head_.find(' ');
  const std::string path = head_.substr(0, space);
  const std::string digits = space == std::string::npos ? "" : head_.substr(space + 1);
  const bool is_number = !digits.empty() && digits.size() <= kMaxDigits &&
                         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || !IsLogPath(path) || std::stoul(digits) > kMaxFile) {
    return Fail(ErrorCode::kCorrupt,
                "the backup's log has " + Quote(head_, 100) + " where a file of a log must begin");
  }
  path_ = path;
  size_ = std::stoul(digits);
  head_.clear();
  content_.clear();
  return {};
}

Status LogPartReader::Feed(ByteView octets) {
  while (!octets.empty()) {
    if (path_.empty()) {
      const char c = static_cast<char>(octets.front());
      octets = octets.subspan(1);
      if (c != '\n' && head_.size() < kMaxHead) {
        head_ += c;
        continue;
      }
      COMITY_RETURN_IF_ERROR(ReadHead());
    } else {
      const std::size_t part = std::min(octets.size(), size_ - content_.size());
      content_.insert(content_.end(), octets.begin(),
                      octets.begin() + static_cast<std::ptrdiff_t>(part));
      octets = octets.subspan(part);
    }
    if (content_.size() < size_) continue;
    COMITY_RETURN_IF_ERROR(sink_(path_, content_));
    path_.clear();
  }
  return {};
}

Status LogPartReader::Finish() const {
  if (path_.empty() && head_.empty()) return {};
  return Fail(ErrorCode::kCorrupt, "the backup's log ends inside a file");
}

}  // namespace comity::backup
