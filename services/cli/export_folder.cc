// SPDX-License-Identifier: Apache-2.0
#include "services/cli/export_folder.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "crypto/base/quote.h"
#include "crypto/tlog/note.h"
#include "crypto/tlog/tile.h"
#include "services/cli/local_file.h"
#include "services/runtime/file.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 10'000'000;  // 2.5 thousand million entries
constexpr std::size_t kMaxExportFile = std::size_t{256} * (2 + 65'535);  // the largest bundle
constexpr std::size_t kMaxKeys = 64 * 1024;
constexpr std::uint64_t kTilesAtOnce = 64;  // 16,384 entries: fine enough to share out

Result<std::vector<std::string>> ListFiles(const fs::path& folder) {
  std::error_code fault;
  if (!fs::is_directory(folder, fault)) {
    return Fail(ErrorCode::kNotFound, folder.string() + " is no folder");
  }
  std::vector<std::string> paths;
  fs::recursive_directory_iterator at(folder, fault);
  for (; !fault && at != fs::recursive_directory_iterator(); at.increment(fault)) {
    const fs::file_status status = at->symlink_status(fault);
    const std::string path = at->path().lexically_relative(folder).generic_string();
    if (fs::is_directory(status)) continue;
    if (!fs::is_regular_file(status)) {
      return Fail(ErrorCode::kConflict, Quote(path, 200) +
                                            " is a link or a special file; an "
                                            "export holds plain files only");
    }
    if (paths.size() == kMaxFiles) {
      return Fail(ErrorCode::kInvalidArgument, folder.string() + ": too many files");
    }
    paths.push_back(path);
  }
  if (fault) return Fail(ErrorCode::kInvalidArgument, folder.string() + " cannot be listed");
  std::sort(paths.begin(), paths.end());
  return paths;
}

// A vkey has plus signs between its parts; a file of that name wins.
Result<std::string> KeysText(const std::string& text_or_file) {
  std::error_code ignored;
  if (fs::exists(text_or_file, ignored)) return ReadLocalText(text_or_file, kMaxKeys);
  return text_or_file;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

Status CheckTrusted(const std::string& trusted, const std::string& exported) {
  COMITY_RETURN_IF_ERROR(ReadVerifierKey(trusted));
  COMITY_ASSIGN_OR_RETURN(const std::string text, KeysText(trusted));
  const std::vector<std::string> expected = LinesOf(text);
  const std::vector<std::string> found = LinesOf(exported);
  if (found.empty() || found.front() != expected.front()) {
    return Fail(ErrorCode::kCorrupt,
                "log.vkey: the export is of another log than the key given with --vkey");
  }
  for (const std::string& line : expected) {
    if (std::find(found.begin(), found.end(), line) == found.end()) {
      return Fail(ErrorCode::kCorrupt, "log.vkey: a witness given with --vkey is missing");
    }
  }
  return {};
}

// Shared by the threads of one verification.
struct Work {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> failed{false};
};

using RangeResults = std::vector<Result<tlog::VerifiedRange>>;

void VerifyRanges(const tlog::LogExport& log, const tlog::LogSummary& opened, Work& work,
                  RangeResults& results) {
  const std::uint64_t tiles = tlog::TileCount(opened);
  while (!work.failed) {
    const std::uint64_t range = work.next++;
    if (range >= results.size()) return;
    const std::uint64_t begin = range * kTilesAtOnce;
    results[range] =
        tlog::VerifyTileRange(log, opened, {begin, std::min(begin + kTilesAtOnce, tiles)});
    if (!results[range]) work.failed = true;
    ++work.done;
  }
}

}  // namespace

Result<tlog::VerifierKey> ReadVerifierKey(const std::string& text_or_file) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, KeysText(text_or_file));
  const std::vector<std::string> lines = LinesOf(text);
  if (lines.empty()) return Fail(ErrorCode::kInvalidArgument, "the verifier key is empty");
  auto key = tlog::ParseVerifierKey(lines.front());
  if (!key) {
    return Fail(
        ErrorCode::kInvalidArgument,
        Quote(text_or_file, 200) + " is neither a file nor a verifier key: " + key.error().detail);
  }
  return key;
}

Result<tlog::LogExport> OpenExportFolder(const fs::path& folder,
                                         const std::optional<std::string>& trusted_vkey) {
  tlog::LogExport log;
  COMITY_ASSIGN_OR_RETURN(log.paths, ListFiles(folder));
  COMITY_ASSIGN_OR_RETURN(log.vkeys, ReadLocalText(folder / "log.vkey", kMaxKeys));
  COMITY_ASSIGN_OR_RETURN(log.checkpoint, ReadLocalText(folder / "checkpoint", tlog::kMaxNoteSize));
  if (trusted_vkey) COMITY_RETURN_IF_ERROR(CheckTrusted(*trusted_vkey, log.vkeys));
  log.read = [folder](const std::string& path) -> Result<Bytes> {
    return runtime::ReadFile(folder / path, kMaxExportFile);
  };
  return log;
}

Result<tlog::LogSummary> VerifyOnAllCores(
    const tlog::LogExport& log,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress) {
  COMITY_ASSIGN_OR_RETURN(tlog::LogSummary opened, tlog::OpenLog(log));
  const std::uint64_t tiles = tlog::TileCount(opened);
  RangeResults results((tiles + kTilesAtOnce - 1) / kTilesAtOnce, tlog::VerifiedRange{});
  Work work;
  {
    const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < cores; ++i) {
      threads.emplace_back([&] { VerifyRanges(log, opened, work, results); });
    }
    const std::uint64_t entries = opened.head.checkpoint.size.value;
    while (!work.failed && work.done < results.size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      progress(std::min(work.done * kTilesAtOnce * tlog::kTileWidth, entries), entries);
    }
  }
  std::vector<tlog::VerifiedRange> ranges;
  for (Result<tlog::VerifiedRange>& result : results) {
    if (!result) return Fail(result.error());
    ranges.push_back(*std::move(result));
  }
  return tlog::FinishLog(log, std::move(opened), ranges);
}

}  // namespace comity::cli
