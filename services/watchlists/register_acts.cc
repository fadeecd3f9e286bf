// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/list_events.h"
#include "services/watchlists/register_state.h"

// Acts that need two people.
namespace comity::watchlists {

using policy::Instant;
using policy::WatchlistId;

namespace {

// HV-10: who drafted does not approve. In an emergency one person may; a supervisor reviews it.
Status CheckApprover(const store::WatchlistRecord& list, const Register::TwoPeople& people) {
  const bool emergency = people.proposer == people.approver;
  const auto& drafters = list.drafters;
  if (emergency || std::find(drafters.begin(), drafters.end(), people.approver) == drafters.end()) {
    return {};
  }
  return Fail(ErrorCode::kPermissionDenied, people.approver.text() + " has drafted watchlist " +
                                                list.reference.text() +
                                                " or changed it; another supervisor approves it");
}

tl::unexpected<Error> WrongState(const store::WatchlistRecord& list) {
  return Fail(ErrorCode::kConflict,
              "watchlist " + list.reference.text() + " is " + std::string(Name(list.state)));
}

bool IsOver(const store::WatchlistRecord& list) {
  return list.state == store::ListState::kClosed || list.state == store::ListState::kDeleted;
}

std::string Lines(std::span<const EntryInState> entries) {
  std::string text;
  for (const EntryInState& entry : entries) text += (text.empty() ? "" : "\n") + entry.reference;
  return text;
}

// One active entry, as it stood when people were asked.
Result<store::EntryRecord> TakeInState(const store::Transaction& transaction,
                                       const WatchlistId& list, const EntryInState& entry) {
  COMITY_ASSIGN_OR_RETURN(store::EntryRecord record, TakeEntry(transaction, list, entry.reference));
  if (StateDigest(list, record) == entry.state) return record;
  return Fail(ErrorCode::kConflict, "entry " + entry.reference +
                                        " is not what it was when this was proposed; reject it and "
                                        "propose it anew");
}

// Partners that were told of the entry may rely on it again; of one that still may not match they
// are not told.
Status TellFree(store::Transaction& transaction, audit::Recorder& recorder,
                const RegisterSetup& setup, const TakenList& taken,
                const store::EntryRecord& entry) {
  if (!IsFree(entry)) return {};
  COMITY_ASSIGN_OR_RETURN(const SecretBytes fields,
                          OpenFields(taken.key, taken.record.reference, entry));
  COMITY_ASSIGN_OR_RETURN(const SearchFields told, ReadSearchFields(AsText(fields.Expose())));
  EntryChange change;
  change.reference = entry.reference;
  change.kind = ChangeKind::kUnrestricted;
  change.at = setup.clock.Now();
  change.category = entry.category.text();
  change.response_code = told.response_code;
  return Tell(transaction, recorder, setup, taken.record, std::move(change));
}

}  // namespace

Status Register::Approve(store::Transaction& transaction, audit::Recorder& recorder,
                         const WatchlistId& draft, const Digest& content,
                         const TwoPeople& people) const {
  const RegisterSetup& setup = state_->setup;
  const Instant now = setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup, draft));
  store::WatchlistRecord& record = taken.record;
  if (record.state != store::ListState::kDraft) return WrongState(record);
  if (record.importing || record.content != content) {
    return Fail(ErrorCode::kConflict, "the draft of watchlist " + draft.text() +
                                          " has changed since it was submitted; submit it again");
  }
  COMITY_RETURN_IF_ERROR(CheckApprover(record, people));
  COMITY_ASSIGN_OR_RETURN(const auto definition, ReadDefinition(record));
  if (definition->ends_at <= now) {
    return Fail(ErrorCode::kConflict, "watchlist " + draft.text() + " is over");
  }
  record.state = store::ListState::kApproved;
  record.approved_by = people.approver;
  record.approved_at = now;
  record.validated_at = now;
  COMITY_RETURN_IF_ERROR(PutList(transaction, setup, taken));
  COMITY_RETURN_IF_ERROR(recorder.Record(ListEvent(audit::kWatchlistApproved, setup.own, draft, now,
                                                   {{"content", EncodeHex(content.view())},
                                                    {"proposer", people.proposer.text()},
                                                    {"operator", people.approver.text()}})));
  return {};
}

Status Register::ClearEntries(store::Transaction& transaction, audit::Recorder& recorder,
                              const WatchlistId& list, std::span<const EntryInState> entries,
                              const TwoPeople& people) const {
  const RegisterSetup& setup = state_->setup;
  const Instant now = setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(const TakenList taken, TakeList(transaction, setup, list));
  if (IsOver(taken.record)) return WrongState(taken.record);
  COMITY_RETURN_IF_ERROR(CheckApprover(taken.record, people));
  for (const EntryInState& entry : entries) {
    COMITY_ASSIGN_OR_RETURN(const store::EntryRecord before, TakeInState(transaction, list, entry));
    if (before.clearance != store::EntryClearance::kPending) {
      return Fail(ErrorCode::kConflict, "entry " + entry.reference + " waits for no approval");
    }
    store::EntryRecord after = before;
    after.clearance = store::EntryClearance::kGiven;
    after.cleared_at = now;
    COMITY_RETURN_IF_ERROR(RewrapEntryKey(taken.key, list, before, after, setup.random));
    COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(list, after));
    COMITY_RETURN_IF_ERROR(TellFree(transaction, recorder, setup, taken, after));
  }
  COMITY_RETURN_IF_ERROR(
      recorder.Record(ListEvent(audit::kEntriesApproved, setup.own, list, now,
                                {{"references", Lines(entries)},
                                 {"proposer", people.proposer.text()},
                                 {"operator", people.approver.text()}},
                                {{"entries", static_cast<std::int64_t>(entries.size())}})));
  return {};
}

Status Register::Unrestrict(store::Transaction& transaction, audit::Recorder& recorder,
                            const Unrestriction& unrestriction, const TwoPeople& people) const {
  COMITY_RETURN_IF_ERROR(CheckReason(unrestriction.reason, people.approver.text()));
  const RegisterSetup& setup = state_->setup;
  const Instant now = setup.clock.Now();
  const WatchlistId& list = unrestriction.list;
  COMITY_ASSIGN_OR_RETURN(const TakenList taken, TakeList(transaction, setup, list));
  if (IsOver(taken.record)) return WrongState(taken.record);
  COMITY_ASSIGN_OR_RETURN(const store::EntryRecord before,
                          TakeInState(transaction, list, unrestriction.entry));
  if (before.restriction == store::EntryRestriction::kNone) {
    return Fail(ErrorCode::kConflict, "the entry is not restricted");
  }
  store::EntryRecord after = before;
  after.restriction = store::EntryRestriction::kNone;
  COMITY_RETURN_IF_ERROR(RewrapEntryKey(taken.key, list, before, after, setup.random));
  COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(list, after));
  COMITY_RETURN_IF_ERROR(TellFree(transaction, recorder, setup, taken, after));
  COMITY_RETURN_IF_ERROR(recorder.Record(ListEvent(audit::kEntryUnrestricted, setup.own, list, now,
                                                   {{"reference", unrestriction.entry.reference},
                                                    {"reason", unrestriction.reason},
                                                    {"proposer", people.proposer.text()},
                                                    {"operator", people.approver.text()}})));
  return {};
}

}  // namespace comity::watchlists
