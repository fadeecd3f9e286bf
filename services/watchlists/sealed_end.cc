// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "services/audit/events.h"
#include "services/watchlists/register_state.h"
#include "services/watchlists/sealed_at_rest.h"
#include "services/watchlists/sealed_publications.h"
#include "services/watchlists/sealed_publications_state.h"

// How entries leave sealed lists, and how sealed lists end.
namespace comity::watchlists {

using policy::Instant;

namespace {

// For how long it is known what a partner holds, or has erased, of a list that has ended.
constexpr std::chrono::days kRemembered{30};

using References = std::set<std::string, std::less<>>;

// The slots of these entries that still take part, rising.
std::vector<std::uint32_t> SlotsOfEntries(const SealedEpoch& epoch, const References& references) {
  std::vector<std::uint32_t> slots;
  const auto& blocks = epoch.view->state().blocks;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const BlockHandles& handles = *epoch.handles[i];
    for (std::size_t slot = 0; slot < handles.size(); ++slot) {
      if (!references.contains(handles[slot])) continue;
      const std::uint32_t number = SlotNumber(blocks[i].number, slot);
      if (epoch.view->slots().Contains(number)) slots.push_back(number);
    }
  }
  return slots;
}

// One epoch without some of its entries.
struct Thinned {
  SealedEpochPtr epoch;
  Bytes sealed_state;
  std::string references;  // with a line feed between
};

std::string Names(const SealedEpoch& epoch, const std::vector<std::uint32_t>& slots) {
  std::string names;
  for (const std::uint32_t number : slots) {
    names += (names.empty() ? "" : "\n") + *epoch.ReferenceOf(number);
  }
  return names;
}

Status PutThinned(store::Transaction& transaction, audit::Recorder& recorder,
                  const SealedPublications::Setup& setup, const Thinned& thinned) {
  const sealed::EpochView& view = *thinned.epoch->view;
  COMITY_RETURN_IF_ERROR(transaction.sealed_lists().ChangeState(
      view.header_digest(), view.state().sequence, thinned.sealed_state));
  audit::Event event = SealedListEvent(audit::kSealedListWithdrawn, setup.own, thinned.epoch->scope,
                                       setup.clock.Now());
  event.committed["references"] = thinned.references;
  event.messages = {{"header", view.header_digest()}, {"state", view.state_digest()}};
  event.counts = {{"sequence", static_cast<std::int64_t>(view.state().sequence)},
                  {"entries", static_cast<std::int64_t>(view.slots().size())}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

EndingList EndingOf(const SealedEpoch& epoch) {
  return {epoch.scope, epoch.header()};
}

}  // namespace

Status SealedPublications::Withdraw(const policy::WatchlistId& list,
                                    std::span<const std::string> references) {
  const References gone(references.begin(), references.end());
  const std::lock_guard changing(state_->changing);
  if (state_->running && state_->running->scope.list == list) {
    state_->running->withdrawn.insert(references.begin(), references.end());
  }
  std::vector<Thinned> all;
  for (const SealedEpochPtr& epoch :
       state_->Matching([&](const SealedEpoch& each) { return each.scope.list == list; })) {
    const std::vector<std::uint32_t> slots = SlotsOfEntries(*epoch, gone);
    if (slots.empty()) continue;
    EpochParts parts = PartsOf(*epoch);
    std::vector<std::uint32_t> withdrawn;
    std::ranges::set_union(parts.state.withdrawn, slots, std::back_inserter(withdrawn));
    parts.state.withdrawn = std::move(withdrawn);
    ++parts.state.sequence;
    COMITY_ASSIGN_OR_RETURN(const SecretBytes key, state_->KeyOf(epoch->header()));
    Thinned& thinned = all.emplace_back();
    thinned.references = Names(*epoch, slots);
    thinned.sealed_state = SealListState(key, parts.state, state_->setup.random);
    COMITY_ASSIGN_OR_RETURN(thinned.epoch, MakeEpoch(std::move(parts), state_->setup.agency_key));
  }
  if (all.empty()) return {};
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        for (const Thinned& thinned : all) {
          COMITY_RETURN_IF_ERROR(PutThinned(transaction, recorder, state_->setup, thinned));
        }
        return {};
      }));
  state_->Put([&](State::Epochs& epochs) {
    for (const Thinned& thinned : all) epochs[thinned.epoch->header()] = thinned.epoch;
  });
  return {};
}

Result<std::uint64_t> SealedPublications::Shred(
    const std::function<bool(const SealedScope&)>& which, std::string_view reason,
    std::string_view by) {
  COMITY_RETURN_IF_ERROR(CheckReason(reason, by));
  const std::lock_guard changing(state_->changing);
  if (state_->running && which(state_->running->scope)) state_->running->shredded = true;
  std::vector<EndingList> ending;
  for (const SealedEpochPtr& epoch :
       state_->Matching([&](const SealedEpoch& each) { return which(each.scope); })) {
    ending.push_back(EndingOf(*epoch));
  }
  COMITY_RETURN_IF_ERROR(state_->End(ending, {reason, by}));
  return ending.size();
}

Status SealedPublications::Housekeep(Instant now) {
  const std::lock_guard changing(state_->changing);
  std::vector<EndingList> over;
  std::vector<EndingList> followed;
  COMITY_ASSIGN_OR_RETURN(const auto statuses, StatusOf());
  const auto next_is_held = [&](const SealedScope& scope) {
    return std::ranges::any_of(statuses, [&](const SealedListStatus& status) {
      return status.state == store::SealedListState::kInForce && status.scope == scope &&
             status.held_sequence > 0;
    });
  };
  for (const SealedEpochPtr& epoch : state_->Matching([](const SealedEpoch&) { return true; })) {
    if (epoch->valid_until() <= now) {
      over.push_back(EndingOf(*epoch));
    } else if (epoch->superseded && next_is_held(epoch->scope)) {
      followed.push_back(EndingOf(*epoch));
    }
  }
  COMITY_RETURN_IF_ERROR(state_->End(over, {"over", kGatewayEnds}));
  COMITY_RETURN_IF_ERROR(state_->End(followed, {"superseded", kGatewayEnds}));
  const bool forgets = std::ranges::any_of(statuses, [&](const SealedListStatus& status) {
    return status.ended_at && *status.ended_at < now - kRemembered;
  });
  if (!forgets) return {};
  return state_->setup.store.Write([&](store::Transaction& transaction) -> Status {
    COMITY_RETURN_IF_ERROR(transaction.sealed_lists().Forget(now - kRemembered));
    return {};
  });
}

namespace {

// The list that a partner speaks of.
Result<store::SealedListRecord> SpokenOf(const store::Transaction& transaction,
                                         const policy::AgencyId& partner, const Digest& header) {
  COMITY_ASSIGN_OR_RETURN(store::SealedListRecord record, transaction.sealed_lists().Get(header));
  if (record.requester == partner) return record;
  return Fail(ErrorCode::kPermissionDenied,
              "the sealed list was made for " + record.requester.text());
}

}  // namespace

Status SealedPublications::NoteHeld(store::Transaction& transaction, audit::Recorder& recorder,
                                    const policy::AgencyId& partner, const Digest& header,
                                    std::uint64_t sequence) const {
  COMITY_ASSIGN_OR_RETURN(const auto record, SpokenOf(transaction, partner, header));
  if (sequence == 0 || sequence > record.sequence) {
    return Fail(ErrorCode::kInvalidArgument, "no such state of the sealed list was signed");
  }
  const Instant now = state_->setup.clock.Now();
  COMITY_RETURN_IF_ERROR(transaction.sealed_lists().NoteHeld(header, sequence, now));
  audit::Event event =
      SealedListEvent(audit::kSealedListAcknowledged, state_->setup.own, ScopeOf(record), now);
  event.messages = {{"header", header}};
  event.counts = {{"sequence", static_cast<std::int64_t>(sequence)}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

Status SealedPublications::NoteErased(store::Transaction& transaction, audit::Recorder& recorder,
                                      const policy::AgencyId& partner, const Digest& header) const {
  COMITY_ASSIGN_OR_RETURN(const auto record, SpokenOf(transaction, partner, header));
  const Instant now = state_->setup.clock.Now();
  COMITY_RETURN_IF_ERROR(transaction.sealed_lists().NoteErased(header, now));
  audit::Event event =
      SealedListEvent(audit::kSealedCopyErased, state_->setup.own, ScopeOf(record), now);
  event.messages = {{"header", header}};
  event.counts = {{"lists", 1}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

}  // namespace comity::watchlists
