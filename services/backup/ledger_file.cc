// SPDX-License-Identifier: Apache-2.0
#include "services/backup/ledger_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace comity::backup {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

tl::unexpected<Error> SystemFault(const std::string& act, int error) {
  return Fail(ErrorCode::kUnavailable,
              "cannot " + act + ": " + std::generic_category().message(error));
}

Status SyncFolder(const fs::path& folder) {
  const runtime::Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.valid() && ::fsync(file.get()) == 0) return {};
  return SystemFault("sync " + folder.string(), errno);
}

Status MakeFolder(const fs::path& folder) {
  std::error_code fault;
  if (fs::is_directory(folder, fault)) return {};
  fs::create_directories(folder.parent_path(), fault);
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return SystemFault("make the folder " + folder.string(), errno);
  }
  return SyncFolder(folder.parent_path().empty() ? fs::path(".") : folder.parent_path());
}

// The next line with its end; absent at the end of the file or of its whole lines.
Result<std::optional<std::string>> NextLine(std::ifstream& stream) {
  std::string text;
  for (char c = 0; stream.get(c);) {
    text += c;
    if (c == '\n') return std::optional(std::move(text));
    if (text.size() > kMaxLedgerLine) return Fail(ErrorCode::kCorrupt, "a line is too long");
  }
  return std::optional<std::string>();
}

tl::unexpected<Error> At(const fs::path& file, std::uint64_t line, const std::string& what) {
  return Fail(ErrorCode::kCorrupt,
              "erasure ledger " + file.string() + ", line " + std::to_string(line) + ": " + what);
}

Status CheckOrder(const LedgerLine& line, const LedgerPosition& before) {
  if (line.sequence == before.sequence + 1 && line.previous == before.hash) return {};
  return Fail(ErrorCode::kCorrupt, "it does not follow the line before it");
}

// Whether `shorter` is the beginning of `longer`.
Result<bool> IsBeginning(const fs::path& shorter, std::uint64_t octets, const fs::path& longer) {
  std::ifstream left(shorter, std::ios::binary);
  std::ifstream right(longer, std::ios::binary);
  std::string a(kMaxLedgerLine, '\0');
  std::string b(kMaxLedgerLine, '\0');
  while (octets > 0) {
    const auto part = static_cast<std::streamsize>(std::min<std::uint64_t>(octets, a.size()));
    if (!left.read(a.data(), part) || !right.read(b.data(), part)) return false;
    const auto size = static_cast<std::size_t>(part);
    if (a.compare(0, size, b, 0, size) != 0) return false;
    octets -= static_cast<std::uint64_t>(part);
  }
  return true;
}

// Writes `content` at `offset`; 0 or the errno.
int WriteAt(int file, std::uint64_t offset, std::string_view content) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return errno;
  if (status.st_nlink == 0) return ENOENT;  // removed meanwhile: written to it, the line is lost
  while (!content.empty()) {
    const ssize_t count =
        ::pwrite(file, content.data(), content.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

// What `longer` has beyond the first `octets`.
Result<std::string> Rest(const fs::path& longer, std::uint64_t octets, std::uint64_t until) {
  std::ifstream stream(longer, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(octets));
  std::string rest(until - octets, '\0');
  if (stream.read(rest.data(), static_cast<std::streamsize>(rest.size()))) return rest;
  return Fail(ErrorCode::kUnavailable, "cannot read " + longer.string());
}

}  // namespace

fs::path LedgerFileIn(const fs::path& folder) {
  return folder / "ledger";
}

Result<LedgerSurvey> ReadLedger(const fs::path& file, const SecretBytes& ledger_key,
                                const LedgerVisit& visit) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) {
    return Fail(ErrorCode::kNotFound, "there is no erasure ledger " + file.string());
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(ErrorCode::kUnavailable, "cannot read " + file.string());
  LedgerSurvey survey;
  while (true) {
    const std::uint64_t number = survey.head.sequence + 1;
    const auto text = NextLine(stream);
    if (!text) return At(file, number, text.error().detail);
    if (!*text) return survey;
    const std::string_view whole = **text;
    const auto line = ParseLedgerLine(whole.substr(0, whole.size() - 1), ledger_key);
    if (!line) return At(file, number, line.error().detail);
    if (const Status order = CheckOrder(*line, survey.head); !order) {
      return At(file, number, order.error().detail);
    }
    survey.head = {number, HashLedgerLine(whole)};
    survey.octets += whole.size();
    survey.last_time = line->time;
    survey.largest_log_size = std::max(survey.largest_log_size, line->log_size);
    if (visit) COMITY_RETURN_IF_ERROR(visit(*line, survey.head));
  }
}

Result<fs::path> LongestLedger(const std::vector<fs::path>& folders,
                               const SecretBytes& ledger_key) {
  std::optional<fs::path> longest;
  std::uint64_t octets = 0;
  for (const fs::path& folder : folders) {
    const fs::path file = LedgerFileIn(folder);
    const auto survey = ReadLedger(file, ledger_key);
    if (!survey && survey.error().code == ErrorCode::kNotFound) continue;
    if (!survey) return Fail(survey.error());
    if (longest) {
      const bool is_shorter = survey->octets < octets;
      COMITY_ASSIGN_OR_RETURN(const bool agree, is_shorter
                                                    ? IsBeginning(file, survey->octets, *longest)
                                                    : IsBeginning(*longest, octets, file));
      if (!agree) {
        return Fail(ErrorCode::kCorrupt, "the erasure ledgers " + longest->string() + " and " +
                                             file.string() +
                                             " differ: find out which one is this node's");
      }
      if (is_shorter) continue;
    }
    longest = file;
    octets = survey->octets;
  }
  if (longest) return *longest;
  return Fail(ErrorCode::kNotFound, "there is no erasure ledger in any of its folders");
}

Result<std::unique_ptr<LedgerFiles>> LedgerFiles::Open(std::vector<fs::path> folders,
                                                       SecretBytes ledger_key) {
  std::unique_ptr<LedgerFiles> ledger(new LedgerFiles(std::move(folders), std::move(ledger_key)));
  COMITY_RETURN_IF_ERROR(ledger->OpenCopies());
  return ledger;
}

Status LedgerFiles::OpenCopies() {
  for (const fs::path& folder : folders_) COMITY_RETURN_IF_ERROR(MakeFolder(folder));
  const auto longest = LongestLedger(folders_, key_);
  if (!longest && longest.error().code != ErrorCode::kNotFound) return Fail(longest.error());
  if (longest) {
    COMITY_ASSIGN_OR_RETURN(survey_, ReadLedger(*longest, key_));
  }
  for (const fs::path& folder : folders_) {
    const fs::path path = LedgerFileIn(folder);
    Copy& copy = copies_.emplace_back();
    if (const auto survey = ReadLedger(path, key_)) copy.octets = survey->octets;
    copy.file = runtime::Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
    if (!copy.file.valid()) return SystemFault("open " + path.string(), errno);
    if (::ftruncate(copy.file.get(), static_cast<off_t>(copy.octets)) != 0) {
      return SystemFault("cut " + path.string(), errno);
    }
    COMITY_RETURN_IF_ERROR(SyncFolder(folder));
    // The sync of the last line may have failed under the process before this one. The cache has
    // it all the same, and no later sync brings it to the disk: it is written again.
    const std::uint64_t again = copy.octets - std::min<std::uint64_t>(copy.octets, kMaxLedgerLine);
    COMITY_ASSIGN_OR_RETURN(const std::string last, Rest(path, again, copy.octets));
    if (const int error = WriteAt(copy.file.get(), again, last); error != 0) {
      return SystemFault("write the erasure ledger in " + folder.string(), error);
    }
    if (copy.octets == survey_.octets) continue;
    COMITY_ASSIGN_OR_RETURN(copy.pending, Rest(*longest, copy.octets, survey_.octets));
  }
  return WritePending();
}

Status LedgerFiles::WritePending() {
  Status outcome;
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    Copy& copy = copies_[i];
    if (copy.pending.empty()) continue;
    if (const int error = WriteAt(copy.file.get(), copy.octets, copy.pending); error != 0) {
      outcome = SystemFault("write the erasure ledger in " + folders_[i].string(), error);
      continue;
    }
    copy.octets += copy.pending.size();
    copy.pending.clear();
  }
  return outcome;
}

Result<LedgerPosition> LedgerFiles::Append(LedgerLine line) {
  COMITY_RETURN_IF_ERROR(WritePending());
  line.sequence = survey_.head.sequence + 1;
  line.previous = survey_.head.hash;
  const std::string text = EncodeLedgerLine(line, key_);
  if (text.size() > kMaxLedgerLine) return Fail(ErrorCode::kInternal, "a ledger line too long");
  for (Copy& copy : copies_) copy.pending = text;
  survey_.head = {line.sequence, HashLedgerLine(text)};
  survey_.octets += text.size();
  survey_.last_time = line.time;
  survey_.largest_log_size = std::max(survey_.largest_log_size, line.log_size);
  COMITY_RETURN_IF_ERROR(WritePending());
  return survey_.head;
}

bool LedgerFiles::behind() const {
  return std::ranges::any_of(copies_, [](const Copy& copy) { return !copy.pending.empty(); });
}

Status LedgerFiles::Visit(const LedgerVisit& visit) const {
  COMITY_RETURN_IF_ERROR(ReadLedger(LedgerFileIn(folders_.front()), key_, visit));
  return {};
}

}  // namespace comity::backup
