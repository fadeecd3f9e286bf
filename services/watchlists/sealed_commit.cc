// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/watchlists/sealed_at_rest.h"
#include "services/watchlists/sealed_bringing.h"

// How what was sealed comes into force: durable first, then in memory, then old files go.
namespace comity::watchlists {
namespace {

std::string BlockLines(const sealed::ListState& state) {
  std::string lines;
  for (const sealed::ListedBlock& block : state.blocks) {
    lines += (lines.empty() ? "" : "\n") + std::to_string(block.number) + " " +
             std::to_string(block.count) + " " + EncodeHex(block.hash.view());
  }
  return lines;
}

Status RecordPublished(audit::Recorder& recorder, const SealedPublications::Setup& setup,
                       const SealedEpoch& epoch, std::string_view reason) {
  const sealed::EpochView& view = *epoch.view;
  audit::Event event =
      SealedListEvent(audit::kSealedListPublished, setup.own, epoch.scope, setup.clock.Now());
  event.committed["purpose"] = epoch.scope.purpose.text();
  event.committed["reason"] = reason;
  event.committed["blocks"] = BlockLines(view.state());
  event.messages = {{"header", view.header_digest()}, {"state", view.state_digest()}};
  event.counts = {{"sequence", static_cast<std::int64_t>(view.state().sequence)},
                  {"entries", static_cast<std::int64_t>(view.slots().size())},
                  {"blocks", static_cast<std::int64_t>(view.state().blocks.size())}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

// Slots of new blocks whose entries were withdrawn while they were sealed.
void WithdrawFrom(const NewBlock& block, const std::set<std::string>& withdrawn,
                  std::set<std::uint32_t>& slots) {
  for (std::size_t slot = 0; slot < block.handles->size(); ++slot) {
    if (withdrawn.contains((*block.handles)[slot])) {
      slots.insert(SlotNumber(block.listed.number, slot));
    }
  }
}

// The state after `plan`: of `parts` what stays, and the new blocks.
EpochParts Merge(const EpochParts& parts, const SealingPlan& plan,
                 const std::vector<NewBlock>& made, const std::set<std::string>& withdrawn) {
  struct Place {
    sealed::ListedBlock listed;
    std::shared_ptr<const sealed::BlockSecret> secret;
    std::shared_ptr<const BlockHandles> handles;
  };
  std::set<std::uint32_t> gone(plan.drop.begin(), plan.drop.end());
  for (const SealingPlan::Block& block : plan.seal) gone.insert(block.number);
  std::map<std::uint32_t, Place> places;
  for (std::size_t i = 0; i < parts.state.blocks.size(); ++i) {
    const sealed::ListedBlock& block = parts.state.blocks[i];
    if (gone.contains(block.number)) continue;
    places[block.number] = {block, parts.secrets[i], parts.handles[i]};
  }
  std::set<std::uint32_t> slots(parts.state.withdrawn.begin(), parts.state.withdrawn.end());
  slots.insert(plan.withdraw.begin(), plan.withdraw.end());
  std::erase_if(slots, [&](std::uint32_t slot) {
    return gone.contains(static_cast<std::uint32_t>(sealed::SlotSet::BlockOf(slot)));
  });
  for (const NewBlock& block : made) {
    places[block.listed.number] = {block.listed, block.secret, block.handles};
    WithdrawFrom(block, withdrawn, slots);
  }
  EpochParts merged;
  merged.header = parts.header;
  merged.state.header = parts.state.header;
  merged.state.sequence = parts.state.sequence + 1;
  merged.state.withdrawn.assign(slots.begin(), slots.end());
  for (const auto& [number, place] : places) {
    merged.state.blocks.push_back(place.listed);
    merged.secrets.push_back(place.secret);
    merged.handles.push_back(place.handles);
  }
  return merged;
}

}  // namespace

Status SealedPublications::Bringing::PutChange(store::Transaction& transaction,
                                               const SealedEpoch& epoch, const SealingPlan& plan,
                                               const std::vector<store::SealedBlockRecord>& blocks,
                                               const Bytes& sealed_state) const {
  store::SealedListStore& lists = transaction.sealed_lists();
  COMITY_RETURN_IF_ERROR(
      lists.ChangeState(epoch.header(), epoch.view->state().sequence, sealed_state));
  std::set<std::uint32_t> gone(plan.drop.begin(), plan.drop.end());
  for (const SealingPlan::Block& block : plan.seal) {
    if (block.again) gone.insert(block.number);
  }
  for (const std::uint32_t number : gone) {
    COMITY_RETURN_IF_ERROR(lists.RemoveBlock(epoch.header(), number));
  }
  for (const store::SealedBlockRecord& block : blocks) {
    COMITY_RETURN_IF_ERROR(lists.PutBlock(epoch.header(), block));
  }
  return {};
}

Status SealedPublications::Bringing::CommitChange(const SealedEpochPtr& current,
                                                  const SealingPlan& plan,
                                                  const std::vector<NewBlock>& made,
                                                  std::string_view reason) {
  // Entries may have been withdrawn meanwhile: the state goes on from there.
  const SealedEpochPtr former = state_.Newest(scope_);
  if (former == nullptr || former->header() != current->header() || state_.running->shredded) {
    return Fail(ErrorCode::kConflict, "the sealed list was shredded while blocks were sealed");
  }
  EpochParts parts = Merge(PartsOf(*former), plan, made, state_.running->withdrawn);
  // No number may be given twice, and no list may be without a block.
  const auto last = [](const sealed::ListState& state) {
    return state.blocks.empty() ? -1 : std::int64_t{state.blocks.back().number};
  };
  if (last(parts.state) < last(former->view->state())) {
    return Fail(ErrorCode::kConflict, "entries were withdrawn while blocks were sealed");
  }
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, state_.KeyOf(current->header()));
  std::vector<store::SealedBlockRecord> blocks;
  for (const NewBlock& block : made) {
    const bool again = std::ranges::any_of(plan.seal, [&](const SealingPlan::Block& planned) {
      return planned.number == block.listed.number && planned.again;
    });
    blocks.push_back(SealBlockRecord(key, current->header(), block.listed, block.root,
                                     *block.handles, again ? parts.state.sequence : 0,
                                     setup_.random));
  }
  const Bytes sealed_state = SealListState(key, parts.state, setup_.random);
  COMITY_ASSIGN_OR_RETURN(const SealedEpochPtr epoch,
                          MakeEpoch(std::move(parts), setup_.agency_key));
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(PutChange(transaction, *epoch, plan, blocks, sealed_state));
        return RecordPublished(recorder, setup_, *epoch, reason);
      }));
  state_.Put([&](State::Epochs& epochs) { epochs[epoch->header()] = epoch; });
  const auto& now_listed = epoch->view->state().blocks;
  for (const sealed::ListedBlock& block : former->view->state().blocks) {
    if (std::ranges::find(now_listed, block) != now_listed.end()) continue;
    state_.files.Remove(epoch->header(), block.number, block.hash);
  }
  return {};
}

Result<SealedPublications::Bringing::Followed> SealedPublications::Bringing::FollowedBy(
    const sealed::ListHeader& next) const {
  std::map<Digest, store::SealedListRecord> records;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto all, transaction.sealed_lists().All());
    for (store::SealedListRecord& record : all) records[record.header] = std::move(record);
    return {};
  }));
  auto former = state_.Matching([&](const SealedEpoch& epoch) { return epoch.scope == scope_; });
  std::ranges::sort(former, std::greater(),
                    [](const SealedEpochPtr& epoch) { return epoch->view->header().epoch; });
  Followed followed;
  for (const SealedEpochPtr& epoch : former) {
    // One that the partner holds is enough; what it never had it does not need. Nor may it search
    // below the floor of today.
    const bool keeps_floor = epoch->view->header().scales.tau_min >= next.scales.tau_min;
    if (followed.kept.empty() && keeps_floor && records[epoch->header()].held_sequence > 0) {
      followed.kept.push_back(epoch);
    } else {
      followed.ended.push_back({epoch->scope, epoch->header()});
    }
  }
  return followed;
}

Status SealedPublications::Bringing::CommitEpoch(const EpochParts& beginning,
                                                 const std::vector<NewBlock>& made,
                                                 std::string_view reason) {
  if (state_.running->shredded) {
    return Fail(ErrorCode::kConflict, "the sealed list was shredded while it was sealed");
  }
  EpochParts parts = Merge(beginning, {}, made, state_.running->withdrawn);
  SecretBytes key;
  const store::SealedListRecord record =
      SealListRecord(setup_.kek, parts.header, parts.state, setup_.random, key);
  std::vector<store::SealedBlockRecord> blocks;
  for (const NewBlock& block : made) {
    blocks.push_back(SealBlockRecord(key, record.header, block.listed, block.root, *block.handles,
                                     0, setup_.random));
  }
  COMITY_ASSIGN_OR_RETURN(const SealedEpochPtr epoch,
                          MakeEpoch(std::move(parts), setup_.agency_key));
  COMITY_ASSIGN_OR_RETURN(const Followed followed, FollowedBy(epoch->view->header()));
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(transaction.sealed_lists().Add(record));
        for (const store::SealedBlockRecord& block : blocks) {
          COMITY_RETURN_IF_ERROR(transaction.sealed_lists().PutBlock(record.header, block));
        }
        for (const SealedEpochPtr& kept : followed.kept) {
          if (kept->superseded) continue;
          COMITY_RETURN_IF_ERROR(transaction.sealed_lists().Supersede(kept->header()));
        }
        for (const EndingList& ended : followed.ended) {
          COMITY_RETURN_IF_ERROR(
              EndInStore(transaction, recorder, setup_, ended, {"superseded", kGatewayEnds}));
        }
        return RecordPublished(recorder, setup_, *epoch, reason);
      }));
  state_.Put([&](State::Epochs& epochs) {
    epochs[record.header] = epoch;
    for (const EndingList& ended : followed.ended) epochs.erase(ended.header);
    for (const SealedEpochPtr& kept : followed.kept) {
      auto superseded = std::make_shared<SealedEpoch>(*kept);
      superseded->superseded = true;
      epochs[kept->header()] = std::move(superseded);
    }
  });
  for (const EndingList& ended : followed.ended) state_.files.RemoveList(ended.header);
  for (const SealedEpochPtr& kept : followed.kept) state_.files.RemoveList(kept->header());
  return {};
}

}  // namespace comity::watchlists
