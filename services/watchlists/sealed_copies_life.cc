// SPDX-License-Identifier: Apache-2.0
// How copies come back at start, and how they end.
#include <algorithm>
#include <system_error>
#include <utility>

#include "services/watchlists/sealed_copies.h"
#include "services/watchlists/sealed_copy_hold.h"
#include "services/watchlists/sealed_events.h"

namespace comity::watchlists {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExpired = "expired";
constexpr std::string_view kSuperseded = "superseded";
constexpr std::string_view kAgreementEnded = "agreement-ended";

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::create_directories(folder, error)) {
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  if (!error) return {};
  return Fail(ErrorCode::kUnavailable, "cannot make " + folder.string() + ": " + error.message());
}

}  // namespace

Result<std::unique_ptr<SealedCopies>> SealedCopies::Open(Setup setup) {
  COMITY_RETURN_IF_ERROR(MakeFolder(setup.folder));
  std::unique_ptr<SealedCopies> copies(new SealedCopies(std::move(setup)));
  std::vector<store::SealedCopyRecord> records;
  COMITY_RETURN_IF_ERROR(
      copies->setup_.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(records, transaction.sealed_copies().All());
        return {};
      }));
  for (const store::SealedCopyRecord& record : records) {
    COMITY_RETURN_IF_ERROR(copies->LoadRecord(record));
  }
  COMITY_ASSIGN_OR_RETURN(const auto found, SealedFolder::Found(copies->setup_.folder));
  for (const Digest& digest : found) COMITY_RETURN_IF_ERROR(copies->TakeUpFolder(digest));
  return copies;
}

Status SealedCopies::LoadRecord(const store::SealedCopyRecord& record) {
  auto header = ReadSealedHeader(record.header_envelope);
  if (!header || sealed::HeaderDigest(*header) != record.header) {
    return Fail(ErrorCode::kCorrupt, "a stored sealed list's header is not its own");
  }
  Copy copy{.holder = record.holder,
            .header = *std::move(header),
            .header_envelope = record.header_envelope,
            .sequence = record.sequence,
            .state = record.state};
  // What fails here leaves a copy that is not searched: it is fetched again, or it expires.
  const auto offer = Verify(record.holder, record.header_envelope, record.state_envelope);
  if (offer && offer->state_digest == record.state) {
    auto view = Load(*offer, nullptr);
    if (view) copy.view = *std::move(view);
  }
  copies_.With([&](Copies& copies) { copies.emplace(record.header, std::move(copy)); });
  return {};
}

// A list that was being fetched is gone on with if its header says what it is.
Status SealedCopies::TakeUpFolder(const Digest& digest) {
  const bool known = copies_.With([&](const Copies& copies) { return copies.contains(digest); });
  if (known) return {};
  const SealedFolder folder(setup_.folder, digest, 0);
  const auto envelope = folder.HeaderEnvelope();
  auto header = envelope ? ReadSealedHeader(*envelope) : Fail(envelope.error());
  auto holder = header ? policy::AgencyId::Parse(header->holder) : Fail(header.error());
  if (!holder || sealed::HeaderDigest(*header) != digest) return folder.Remove();
  Copy copy{
      .holder = *std::move(holder), .header = *std::move(header), .header_envelope = *envelope};
  copies_.With([&](Copies& copies) { copies.emplace(digest, std::move(copy)); });
  return {};
}

std::vector<SealedCopies::Doomed> SealedCopies::DoomedOf(
    const Copies& copies, policy::Instant now,
    const std::function<bool(const sealed::ListHeader&)>& ended) {
  const auto is_superseded = [&](const Copy& copy) {
    return std::ranges::any_of(copies, [&](const auto& other) {
      const Copy& later = other.second;
      const bool counts = later.view != nullptr || copy.sequence == 0;
      return counts && later.header.epoch > copy.header.epoch &&
             AreOfOneScope(later.header, copy.header);
    });
  };
  std::vector<Doomed> doomed;
  for (const auto& [digest, copy] : copies) {
    if (ended(copy.header)) {
      doomed.push_back({digest, kAgreementEnded});
    } else if (IsSealedListOver(copy.header, now)) {
      doomed.push_back({digest, kExpired});
    } else if (is_superseded(copy)) {
      doomed.push_back({digest, kSuperseded});
    }
  }
  return doomed;
}

// False: it had never been whole, or another thread works on it.
Result<bool> SealedCopies::EraseOne(const Doomed& doomed) {
  auto hold = Hold::Take(copies_, doomed.digest);
  if (!hold) return false;
  hold->Change([](Copy& copy) { copy.view = nullptr; });
  const Copy& copy = hold->copy();
  // Files first: what the holder is told is true by then. A crash in between leaves a copy without
  // blocks, which is erased again.
  COMITY_RETURN_IF_ERROR(FolderOf(doomed.digest, copy.header).Remove());
  const bool was_whole = copy.sequence > 0;
  if (was_whole) {
    const audit::Event event = SealedListErased(
        setup_.own, {copy.header, copy.sequence, copy.state, doomed.reason}, setup_.clock.Now());
    COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_RETURN_IF_ERROR(transaction.sealed_copies().Remove(doomed.digest));
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
          return setup_.tell(transaction, recorder, copy.holder, doomed.digest, std::nullopt);
        }));
  }
  hold->Drop();
  return was_whole;
}

Result<std::uint64_t> SealedCopies::Erase(
    policy::Instant now, const std::function<bool(const sealed::ListHeader&)>& ended) {
  const Copies copies = copies_.With([](const Copies& all) { return all; });
  std::uint64_t erased = 0;
  std::optional<Error> failed;
  for (const Doomed& doomed : DoomedOf(copies, now, ended)) {
    const auto done = EraseOne(doomed);
    if (!done && !failed) failed = done.error();
    if (done && *done) ++erased;
  }
  if (failed) return Fail(*std::move(failed));
  return erased;
}

}  // namespace comity::watchlists
