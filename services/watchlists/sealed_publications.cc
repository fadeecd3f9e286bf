// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealed_publications.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/sealed/sealed_block.h"
#include "services/audit/events.h"
#include "services/watchlists/sealed_at_rest.h"
#include "services/watchlists/sealed_publications_state.h"

namespace comity::watchlists {

using policy::Instant;

namespace {

// A list as the store has it.
struct StoredList {
  store::SealedListRecord record;
  std::vector<store::SealedBlockRecord> blocks;
};

Result<std::vector<StoredList>> ReadStored(const store::Store& store) {
  std::vector<StoredList> stored;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto records, transaction.sealed_lists().All());
    for (store::SealedListRecord& record : records) {
      if (record.state == store::SealedListState::kEnded) continue;
      COMITY_ASSIGN_OR_RETURN(auto blocks, transaction.sealed_lists().Blocks(record.header));
      stored.push_back({std::move(record), std::move(blocks)});
    }
    return {};
  }));
  return stored;
}

// Of the newest epoch: a superseded one is not fetched any more.
bool HasAllFiles(const SealedFiles& files, const SealedEpoch& epoch) {
  const std::size_t dimension = epoch.view->profile().dimension();
  return epoch.superseded ||
         std::ranges::all_of(epoch.view->state().blocks, [&](const sealed::ListedBlock& block) {
           return files.Has(epoch.header(), block,
                            sealed::EncodedBlockBytes(block.count, dimension));
         });
}

}  // namespace

SealedScope ScopeOf(const store::SealedListRecord& record) {
  return {record.requester,
          {record.agreement, record.agreement_version, record.agreement_sha256},
          record.purpose,
          record.list};
}

audit::Event SealedListEvent(std::string_view type, const policy::AgencyId& own,
                             const SealedScope& scope, Instant now) {
  audit::Event event;
  event.type = type;
  event.time = now;
  event.parties = {own, scope.requester};
  event.agreement = scope.agreement;
  event.committed = {{"list", scope.list.text()}, {"requester", scope.requester.text()}};
  return event;
}

Status EndInStore(store::Transaction& transaction, audit::Recorder& recorder,
                  const SealedPublications::Setup& setup, const EndingList& ending,
                  const EndReason& why) {
  const Instant now = setup.clock.Now();
  COMITY_RETURN_IF_ERROR(transaction.sealed_lists().End(ending.header, why.reason, now));
  audit::Event event = SealedListEvent(audit::kSealedListShredded, setup.own, ending.scope, now);
  event.committed["purpose"] = ending.scope.purpose.text();
  event.committed["reason"] = why.reason;
  event.committed["operator"] = why.by;
  event.messages = {{"header", ending.header}};
  event.counts = {{"lists", 1}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

std::vector<SealedEpochPtr> SealedPublications::State::Matching(
    const std::function<bool(const SealedEpoch&)>& matches) const {
  return epochs.With([&](const Epochs& all) {
    std::vector<SealedEpochPtr> found;
    for (const auto& [header, epoch] : all) {
      if (matches(*epoch)) found.push_back(epoch);
    }
    return found;
  });
}

SealedEpochPtr SealedPublications::State::Newest(const SealedScope& scope) const {
  const auto found =
      Matching([&](const SealedEpoch& epoch) { return !epoch.superseded && epoch.scope == scope; });
  return found.empty() ? nullptr : found.front();
}

Result<SecretBytes> SealedPublications::State::KeyOf(const Digest& header) const {
  store::SealedListRecord record;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(record, transaction.sealed_lists().Get(header));
    return {};
  }));
  return OpenListKey(setup.kek, record);
}

namespace {

identity::LoneAct ShreddedAlone(const std::vector<EndingList>& ending, const EndReason& why) {
  return {
      identity::Act::kWatchlistShred, "list " + ending.front().scope.list.text(),
      "the keys of " + std::to_string(ending.size()) + " sealed lists of this list were destroyed",
      std::string(why.by)};
}

}  // namespace

Status SealedPublications::State::End(const std::vector<EndingList>& ending, const EndReason& why) {
  if (ending.empty()) return {};
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    for (const EndingList& list : ending) {
      COMITY_RETURN_IF_ERROR(EndInStore(transaction, recorder, setup, list, why));
    }
    if (setup.lone_acts == nullptr || why.by == kGatewayEnds) return {};
    return setup.lone_acts->Tell(transaction, recorder, ShreddedAlone(ending, why));
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  if (setup.lone_acts != nullptr) setup.lone_acts->Announce();
  for (const EndingList& list : ending) {
    Put([&](Epochs& all) { all.erase(list.header); });
    files.RemoveList(list.header);
  }
  return {};
}

SealedPublications::SealedPublications(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedPublications::~SealedPublications() = default;

Result<std::unique_ptr<SealedPublications>> SealedPublications::Open(Setup setup) {
  COMITY_ASSIGN_OR_RETURN(SealedFiles files, SealedFiles::Open(setup.folder));
  auto state = std::make_unique<State>(std::move(setup), std::move(files));
  COMITY_ASSIGN_OR_RETURN(const auto stored, ReadStored(state->setup.store));
  State::Epochs loaded;
  std::map<Digest, std::vector<sealed::ListedBlock>> kept;
  std::vector<EndingList> damaged;
  std::vector<EndingList> without_files;
  for (const StoredList& list : stored) {
    const EndingList ending{ScopeOf(list.record), list.record.header};
    auto epoch =
        OpenListRecord(state->setup.kek, list.record, list.blocks).and_then([&](EpochParts parts) {
          return MakeEpoch(std::move(parts), state->setup.agency_key);
        });
    if (!epoch) {
      damaged.push_back(ending);
    } else if (!HasAllFiles(state->files, **epoch)) {
      without_files.push_back(ending);
    } else {
      if (!(*epoch)->superseded) kept[list.record.header] = (*epoch)->view->state().blocks;
      loaded[list.record.header] = *std::move(epoch);
    }
  }
  state->epochs.With([&](State::Epochs& epochs) { epochs = std::move(loaded); });
  COMITY_RETURN_IF_ERROR(state->End(damaged, {"damaged", kGatewayEnds}));
  COMITY_RETURN_IF_ERROR(state->End(without_files, {"files-missing", kGatewayEnds}));
  state->files.KeepOnly(kept);
  return std::unique_ptr<SealedPublications>(new SealedPublications(std::move(state)));
}

std::vector<SealedEpochPtr> SealedPublications::InForce(const policy::AgencyId& requester,
                                                        const policy::AgreementRef& agreement,
                                                        const policy::PurposeCode& purpose,
                                                        Instant now) const {
  return state_->Matching([&](const SealedEpoch& epoch) {
    const SealedScope& scope = epoch.scope;
    return !epoch.superseded && scope.requester == requester && scope.agreement == agreement &&
           scope.purpose == purpose && now < epoch.valid_until();
  });
}

Result<SealedEpochPtr> SealedPublications::Find(const Digest& header,
                                                const policy::AgencyId& requester,
                                                Instant now) const {
  const SealedEpochPtr epoch = state_->epochs.With([&](const State::Epochs& epochs) {
    const auto found = epochs.find(header);
    return found == epochs.end() ? nullptr : found->second;
  });
  if (epoch != nullptr && epoch->scope.requester == requester && now < epoch->valid_until()) {
    return epoch;
  }
  return Fail(ErrorCode::kNotFound, "no such sealed list is in force for " + requester.text());
}

std::uint64_t SealedPublications::changes() const {
  return std::as_const(state_->changes).With([](std::uint64_t count) { return count; });
}

void SealedPublications::AwaitChange(std::uint64_t seen,
                                     std::chrono::steady_clock::time_point until) const {
  state_->changes.WaitUntil(
      {}, until, [&](std::uint64_t count) { return count != seen; }, [](std::uint64_t) {});
}

void SealedPublications::AwaitCommit(std::chrono::steady_clock::time_point until) const {
  std::unique_lock changing(state_->changing, std::try_to_lock);
  while (!changing.owns_lock() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    changing.try_lock();
  }
}

Result<Bytes> SealedPublications::ReadBlock(const Digest& header, std::uint32_t number,
                                            const Digest& hash, std::uint64_t offset,
                                            std::size_t limit) const {
  const bool listed = state_->epochs.With([&](const State::Epochs& epochs) {
    const auto found = epochs.find(header);
    if (found == epochs.end() || found->second->superseded) return false;
    return std::ranges::any_of(found->second->view->state().blocks,
                               [&](const sealed::ListedBlock& block) {
                                 return block.number == number && block.hash == hash;
                               });
  });
  if (!listed) return Fail(ErrorCode::kNotFound, "there is no such sealed block any more");
  return state_->files.Read(header, number, hash, offset, limit);
}

Result<std::vector<SealedListStatus>> SealedPublications::StatusOf() const {
  std::vector<store::SealedListRecord> records;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(records, transaction.sealed_lists().All());
        return {};
      }));
  std::vector<SealedListStatus> statuses;
  for (const store::SealedListRecord& record : records) {
    const std::uint64_t entries = state_->epochs.With([&](const State::Epochs& epochs) {
      const auto found = epochs.find(record.header);
      return found == epochs.end() ? 0 : found->second->view->slots().size();
    });
    statuses.push_back({ScopeOf(record), record.header, record.epoch, record.state,
                        record.sealed_at, record.valid_until, record.sequence, record.held_sequence,
                        record.erased_at, record.ended_at, record.end_reason, entries});
  }
  return statuses;
}

}  // namespace comity::watchlists
