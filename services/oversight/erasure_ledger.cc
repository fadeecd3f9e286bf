// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/erasure_ledger.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace comity::oversight {

using backup::LedgerGroup;
using backup::LedgerLine;
namespace line_kind = backup::line_kind;

struct ErasureLedger::Impl {
  Impl(std::unique_ptr<backup::LedgerFiles> opened, const runtime::Clock& given)
      : files(std::move(opened)), clock(given) {}

  // Says of lines that were written and had no effect that they had none.
  Status AppendVoids();
  Result<store::LedgerHead> Add(LedgerLine line);

  mutable std::mutex mutex;  // held across the write: one line at a time
  const std::unique_ptr<backup::LedgerFiles> files;
  const runtime::Clock& clock;
  std::uint64_t followed = 0;  // the last line that names records and has its effect
  std::vector<std::uint64_t> voids;
};

namespace {

std::vector<LedgerGroup> Group(std::span<const store::ErasedRecord> records,
                               const SecretBytes& key) {
  std::vector<LedgerGroup> groups;
  for (const store::ErasedRecord& record : records) {
    auto group = std::ranges::find_if(groups, [&](const LedgerGroup& known) {
      return known.record_class == record.record_class && known.reason == record.reason;
    });
    if (group == groups.end()) {
      groups.push_back({record.record_class, record.reason, {}});
      group = std::prev(groups.end());
    }
    group->ids.push_back(backup::CommitRecord(key, record.record_class, record.reference));
  }
  return groups;
}

Status CheckOwner(const backup::LedgerFiles& files, const policy::AgencyId& own) {
  return files.Visit([&](const LedgerLine& line, const backup::LedgerPosition&) -> Status {
    if (line.sequence != 1 || backup::IsBeginningOf(line.about, own.text())) return {};
    return Fail(ErrorCode::kCorrupt, "the erasure ledger in " + files.folders().front().string() +
                                         " is that of " + line.about);
  });
}

}  // namespace

std::filesystem::path OwnLedgerFolder(const std::filesystem::path& data_directory) {
  return data_directory / "erasure";
}

ErasureLedger::ErasureLedger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ErasureLedger::~ErasureLedger() = default;

Result<std::unique_ptr<ErasureLedger>> ErasureLedger::Open(const Setup& setup) {
  std::vector<std::filesystem::path> folders{OwnLedgerFolder(setup.data_directory)};
  if (setup.copy) folders.push_back(*setup.copy);
  COMITY_ASSIGN_OR_RETURN(auto files, backup::LedgerFiles::Open(
                                          std::move(folders), backup::DeriveLedgerKey(setup.kek)));
  if (files->survey().head.sequence > 0) COMITY_RETURN_IF_ERROR(CheckOwner(*files, setup.own));
  std::unique_ptr<ErasureLedger> ledger(
      new ErasureLedger(std::make_unique<Impl>(std::move(files), setup.clock)));
  if (ledger->Look().lines == 0) {
    COMITY_RETURN_IF_ERROR(
        ledger->Note(line_kind::kBegun, backup::BeginningOf(setup.own.text(), setup.random), 0));
  }
  return ledger;
}

Result<store::LedgerHead> ErasureLedger::Impl::Add(LedgerLine line) {
  line.time = clock.Now();
  COMITY_ASSIGN_OR_RETURN(const backup::LedgerPosition at, files->Append(std::move(line)));
  return store::LedgerHead{at.sequence, at.hash};
}

Status ErasureLedger::Impl::AppendVoids() {
  while (!voids.empty()) {
    LedgerLine line;
    line.kind = line_kind::kVoid;
    line.about = std::to_string(voids.front());
    COMITY_RETURN_IF_ERROR(Add(std::move(line)));
    voids.erase(voids.begin());
  }
  return {};
}

Result<store::ErasureLedger::Line> ErasureLedger::Append(
    std::span<const store::ErasedRecord> records, std::uint64_t log_size) {
  std::lock_guard lock(impl_->mutex);
  COMITY_RETURN_IF_ERROR(impl_->AppendVoids());
  LedgerLine line;
  line.kind = line_kind::kErased;
  line.log_size = log_size;
  line.groups = Group(records, impl_->files->key());
  const std::uint64_t before = impl_->files->survey().head.sequence;
  const auto head = impl_->Add(std::move(line));
  if (!head) {
    // Perhaps it stands in one of the copies. The unit of work it was for is undone.
    if (impl_->files->survey().head.sequence != before) impl_->voids.push_back(before + 1);
    return Fail(head.error());
  }
  return Line{*head, impl_->files->survey().last_time,
              std::exchange(impl_->followed, head->sequence)};
}

Result<store::LedgerHead> ErasureLedger::Note(std::string_view kind, std::string_view about,
                                              std::uint64_t log_size) {
  std::lock_guard lock(impl_->mutex);
  COMITY_RETURN_IF_ERROR(impl_->AppendVoids());
  LedgerLine line;
  line.kind = kind;
  line.about = about;
  line.log_size = log_size;
  return impl_->Add(std::move(line));
}

void ErasureLedger::SetFollowed(std::uint64_t sequence) {
  std::lock_guard lock(impl_->mutex);
  impl_->followed = sequence;
}

ErasureLedger::State ErasureLedger::Look() const {
  std::lock_guard lock(impl_->mutex);
  const backup::LedgerSurvey& survey = impl_->files->survey();
  return {survey.head.sequence, {survey.head.sequence, survey.head.hash},
          survey.last_time,     survey.largest_log_size,
          folders().size() > 1, impl_->files->behind()};
}

Status ErasureLedger::Visit(const backup::LedgerVisit& visit) const {
  std::lock_guard lock(impl_->mutex);
  return impl_->files->Visit(visit);
}

Digest ErasureLedger::Commit(std::string_view record_class, std::string_view reference) const {
  return backup::CommitRecord(impl_->files->key(), record_class, reference);
}

const std::vector<std::filesystem::path>& ErasureLedger::folders() const {
  return impl_->files->folders();
}

}  // namespace comity::oversight
