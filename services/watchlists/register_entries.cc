// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "services/audit/events.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/json_line.h"
#include "services/watchlists/list_events.h"
#include "services/watchlists/register_state.h"

// What one person does to one entry.
namespace comity::watchlists {

using policy::Instant;
using policy::WatchlistId;

namespace {

constexpr std::size_t kMaxEntry = std::size_t{16} << 10;

// What one person may change of an entry that was approved: it makes nobody be looked for, treated
// or judged otherwise. Every other field is of what was approved.
constexpr std::array<std::string_view, 7> kOnePersonFields = {
    "expires_at",  "fact_or_assessment", "identified", "identity_ref",
    "reliability", "review_by",          "valid_from"};

// A change of a draft, or of what was approved, and who made it.
struct Alteration {
  std::string_view change;  // "|correct|"
  ByteView octets;          // what it is now
  std::string_view by;
};

// A draft with another content is another draft: what was submitted before cannot be approved. Who
// changed it had a part in it.
Status NoteInDraft(store::Transaction& transaction, const RegisterSetup& setup, TakenList& list,
                   const Alteration& alteration) {
  if (list.record.state != store::ListState::kDraft) return {};
  COMITY_ASSIGN_OR_RETURN(const policy::PersonId by, policy::PersonId::Parse(alteration.by));
  list.record.content = Chained(list.record.content, alteration.change, alteration.octets);
  AddDrafter(list.record, by);
  return PutList(transaction, setup, list);
}

// In: what  became of the entry: "withdrawn"
identity::LoneAct LoneActOn(identity::Act act, const store::EntryRecord& entry,
                            std::string_view what, const std::string& by) {
  return {act, {}, "entry " + entry.reference + " was " + std::string(what), by};
}

EntryChange ChangeOf(const std::string& reference, ChangeKind kind, Instant at) {
  EntryChange change;
  change.reference = reference;
  change.kind = kind;
  change.at = at;
  return change;
}

std::vector<std::string> ChangedFields(const nlohmann::json& before, const nlohmann::json& after) {
  std::vector<std::string> names;
  for (const auto& [name, value] : after.items()) {
    const auto former = before.find(name);
    if (former == before.end() || *former != value) names.push_back(name);
  }
  for (const auto& [name, value] : before.items()) {
    if (!after.contains(name)) names.push_back(name);
  }
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

bool IsOfWhatWasApproved(std::string_view field) {
  return std::ranges::find(kOnePersonFields, field) == kOnePersonFields.end();
}

// One correction within its unit of work.
class Correcting {
 public:
  Correcting(const RegisterSetup& setup, const Correction& correction)
      : setup_(setup), correction_(correction), now_(setup.clock.Now()) {}

  Status Carry(store::Transaction& transaction, audit::Recorder& recorder);
  Corrected corrected;  // its faults: when Carry failed because of what was sent

 private:
  Result<EntryFields> Check(const store::WatchlistRecord& list, const store::EntryRecord& before,
                            const nlohmann::json& object);
  Status Change(store::Transaction& transaction, audit::Recorder& recorder, TakenList& taken,
                const EntryFields& fields);
  // The names of the fields that become others.
  Result<std::vector<std::string>> Changed(const TakenList& taken, const store::EntryRecord& before,
                                           const EntryFields& fields) const;
  Status NoteAltered(store::Transaction& transaction, TakenList& taken) const;
  Status TellOf(store::Transaction& transaction, audit::Recorder& recorder,
                const store::WatchlistRecord& list, const store::EntryRecord& after,
                const EntryFields& fields) const;

  const RegisterSetup& setup_;
  const Correction& correction_;
  const Instant now_;
};

Result<EntryFields> Correcting::Check(const store::WatchlistRecord& list,
                                      const store::EntryRecord& before,
                                      const nlohmann::json& object) {
  COMITY_ASSIGN_OR_RETURN(const auto definition, ReadDefinition(list));
  std::vector<std::string>& faults = corrected.faults;
  auto fields = CheckEntry(object, RulesOf(*definition), now_);
  if (!fields) {
    faults = std::move(fields.error());
  } else if (fields->reference != before.reference) {
    faults.emplace_back("`reference` is not that of the entry");
  } else if (WasApproved(list)) {
    if (fields->valid_from < before.valid_from) {
      faults.emplace_back("`valid_from` would be earlier than what was approved");
    }
    if (fields->expires_at > before.expires_at) {
      faults.emplace_back("`expires_at` would be later than what was approved");
    }
  }
  if (!faults.empty()) return Fail(ErrorCode::kInvalidArgument, "the correction has faults");
  return std::move(*fields);
}

Status Correcting::Change(store::Transaction& transaction, audit::Recorder& recorder,
                          TakenList& taken, const EntryFields& fields) {
  const WatchlistId& list = correction_.list;
  COMITY_ASSIGN_OR_RETURN(const store::EntryRecord before,
                          TakeEntry(transaction, list, correction_.reference));
  COMITY_ASSIGN_OR_RETURN(const std::vector<std::string> changed, Changed(taken, before, fields));
  const bool alters =
      WasApproved(taken.record) && std::ranges::any_of(changed, IsOfWhatWasApproved);
  store::EntryRecord after = before;
  // A correction is one person's act: it frees nothing from what two decide, and what two approved
  // is not what it makes of the entry.
  if (alters || fields.needs_approval) after.clearance = store::EntryClearance::kPending;
  if (after.clearance == store::EntryClearance::kPending) after.cleared_at.reset();
  after.rationale = CommitToRationale(setup_.kek, list, before.reference, fields.rationale);
  after.sealed_template.clear();  // the face stays what it is
  COMITY_RETURN_IF_ERROR(ResealFields(taken.key, list, before, after, fields, setup_.random));
  COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(list, after));
  COMITY_RETURN_IF_ERROR(
      NoteInDraft(transaction, setup_, taken, {"|correct|", after.sealed_fields, correction_.by}));
  if (alters) COMITY_RETURN_IF_ERROR(NoteAltered(transaction, taken));
  COMITY_RETURN_IF_ERROR(TellOf(transaction, recorder, taken.record, after, fields));
  COMITY_RETURN_IF_ERROR(
      TellOversight(transaction, recorder, setup_, taken.record,
                    LoneActOn(identity::Act::kEntryCorrect, before,
                              "corrected (" + Joined(changed) + ")", correction_.by)));
  COMITY_RETURN_IF_ERROR(recorder.Record(ListEvent(audit::kEntryCorrected, setup_.own, list, now_,
                                                   {{"reference", before.reference},
                                                    {"changed", Joined(changed)},
                                                    {"reason", correction_.reason},
                                                    {"operator", correction_.by}})));
  corrected.awaits_approval = after.clearance == store::EntryClearance::kPending;
  return {};
}

Result<std::vector<std::string>> Correcting::Changed(const TakenList& taken,
                                                     const store::EntryRecord& before,
                                                     const EntryFields& fields) const {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes former,
                          OpenFields(taken.key, correction_.list, before));
  store::EntryRecord after = before;
  FillClear(after, fields);
  COMITY_ASSIGN_OR_RETURN(const nlohmann::json old_object,
                          EntryObject(before, AsText(former.Expose())));
  COMITY_ASSIGN_OR_RETURN(const nlohmann::json new_object,
                          EntryObject(after, fields.sealed_fields));
  return ChangedFields(old_object, new_object);
}

// HV-10: who made of an approved entry what a second person now decides about does not decide.
Status Correcting::NoteAltered(store::Transaction& transaction, TakenList& taken) const {
  COMITY_ASSIGN_OR_RETURN(const policy::PersonId by, policy::PersonId::Parse(correction_.by));
  AddDrafter(taken.record, by);
  return PutList(transaction, setup_, taken);
}

// Of an entry that may not match, partners learn just that: nobody has approved what it says now.
Status Correcting::TellOf(store::Transaction& transaction, audit::Recorder& recorder,
                          const store::WatchlistRecord& list, const store::EntryRecord& after,
                          const EntryFields& fields) const {
  if (!IsFree(after)) {
    return Tell(transaction, recorder, setup_, list,
                ChangeOf(after.reference, ChangeKind::kRestricted, now_));
  }
  COMITY_ASSIGN_OR_RETURN(const SearchFields told, ReadSearchFields(fields.sealed_fields));
  EntryChange change = ChangeOf(after.reference, ChangeKind::kCorrected, now_);
  change.category = after.category.text();
  change.response_code = told.response_code;
  return Tell(transaction, recorder, setup_, list, std::move(change));
}

Status Correcting::Carry(store::Transaction& transaction, audit::Recorder& recorder) {
  corrected = {};
  COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup_, correction_.list));
  if (taken.record.state == store::ListState::kClosed) {
    return Fail(ErrorCode::kConflict, "the list is closed");
  }
  COMITY_ASSIGN_OR_RETURN(const store::EntryRecord before,
                          TakeEntry(transaction, correction_.list, correction_.reference));
  const auto object = ParseJsonLine(correction_.entry);
  if (!object) {
    corrected.faults = {object.error().detail};
    return Fail(ErrorCode::kInvalidArgument, "the correction has faults");
  }
  COMITY_ASSIGN_OR_RETURN(const EntryFields fields, Check(taken.record, before, *object));
  return Change(transaction, recorder, taken, fields);
}

}  // namespace

Status Register::Withdraw(const Withdrawal& withdrawal) {
  COMITY_RETURN_IF_ERROR(CheckReason(withdrawal.reason, withdrawal.by));
  const RegisterSetup& setup = state_->setup;
  const WatchlistId& list = withdrawal.list;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    const Instant now = setup.clock.Now();
    COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup, list));
    COMITY_ASSIGN_OR_RETURN(store::EntryRecord entry,
                            TakeEntry(transaction, list, withdrawal.reference));
    entry.state = store::EntryState::kWithdrawn;
    entry.ended_at = now;
    COMITY_RETURN_IF_ERROR(EndContent(transaction, list, entry));
    COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(list, entry));
    COMITY_RETURN_IF_ERROR(NoteInDraft(transaction, setup, taken,
                                       {"|withdraw|", AsBytes(entry.reference), withdrawal.by}));
    COMITY_RETURN_IF_ERROR(Tell(transaction, recorder, setup, taken.record,
                                ChangeOf(entry.reference, ChangeKind::kWithdrawn, now)));
    COMITY_RETURN_IF_ERROR(
        TellOversight(transaction, recorder, setup, taken.record,
                      LoneActOn(identity::Act::kEntryWithdraw, entry, "withdrawn", withdrawal.by)));
    COMITY_RETURN_IF_ERROR(recorder.Record(ListEvent(audit::kEntryWithdrawn, setup.own, list, now,
                                                     {{"reference", withdrawal.reference},
                                                      {"reason", withdrawal.reason},
                                                      {"operator", withdrawal.by}})));
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  return Refresh(list, std::span(&withdrawal.reference, 1));
}

Status Register::Restrict(const Restriction& restriction) {
  COMITY_RETURN_IF_ERROR(CheckReason(restriction.reason, restriction.by));
  const RegisterSetup& setup = state_->setup;
  const WatchlistId& list = restriction.list;
  const store::EntryRestriction kind = restriction.contested ? store::EntryRestriction::kContested
                                                             : store::EntryRestriction::kRestricted;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    const Instant now = setup.clock.Now();
    COMITY_ASSIGN_OR_RETURN(const TakenList taken, TakeList(transaction, setup, list));
    if (taken.record.state == store::ListState::kClosed) {
      return Fail(ErrorCode::kConflict, "the list is closed");
    }
    COMITY_ASSIGN_OR_RETURN(const store::EntryRecord before,
                            TakeEntry(transaction, list, restriction.reference));
    if (before.restriction == kind) {
      return Fail(ErrorCode::kConflict, "the entry is restricted so already");
    }
    store::EntryRecord after = before;
    after.restriction = kind;
    COMITY_RETURN_IF_ERROR(RewrapEntryKey(taken.key, list, before, after, setup.random));
    COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(list, after));
    COMITY_RETURN_IF_ERROR(Tell(transaction, recorder, setup, taken.record,
                                ChangeOf(after.reference, ChangeKind::kRestricted, now)));
    COMITY_RETURN_IF_ERROR(TellOversight(
        transaction, recorder, setup, taken.record,
        LoneActOn(identity::Act::kEntryRestrict, after,
                  restriction.contested ? "marked contested" : "restricted", restriction.by)));
    COMITY_RETURN_IF_ERROR(recorder.Record(
        ListEvent(audit::kEntryRestricted, setup.own, list, now,
                  {{"reference", restriction.reference},
                   {"restriction", restriction.contested ? "contested" : "restricted"},
                   {"reason", restriction.reason},
                   {"operator", restriction.by}})));
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  return Refresh(list, std::span(&restriction.reference, 1));
}

Result<Corrected> Register::Correct(const Correction& correction) {
  COMITY_RETURN_IF_ERROR(CheckReason(correction.reason, correction.by));
  if (correction.entry.size() > kMaxEntry) {
    return Corrected{.faults = {"the entry has more than 16 KiB"}, .awaits_approval = false};
  }
  const RegisterSetup& setup = state_->setup;
  Correcting correcting(setup, correction);
  const Status committed =
      setup.journal.Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
        return correcting.Carry(transaction, recorder);
      });
  if (!committed && !correcting.corrected.faults.empty()) return std::move(correcting.corrected);
  COMITY_RETURN_IF_ERROR(committed);
  COMITY_RETURN_IF_ERROR(Refresh(correction.list, std::span(&correction.reference, 1)));
  return std::move(correcting.corrected);
}

}  // namespace comity::watchlists
