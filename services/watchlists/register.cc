// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/register.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "services/audit/events.h"
#include "services/watchlists/entry_opener.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/list_events.h"
#include "services/watchlists/register_state.h"

namespace comity::watchlists {

using policy::Instant;
using policy::WatchlistId;

namespace {

ListStatus StatusOfList(const ListIndex& index, Instant now) {
  const store::WatchlistRecord& record = index.record();
  ListStatus status;
  status.list = record.reference;
  status.state = record.state;
  status.searchable = index.Searchable(now);
  status.definition = index.definition();
  status.drafters = record.drafters;
  status.content = record.content;
  status.drafted_at = record.drafted_at;
  status.approved_by = record.approved_by;
  status.approved_at = record.approved_at;
  status.validated_at = record.validated_at;
  status.closed_at = record.closed_at;
  status.delete_by = record.delete_by;
  status.deleted_at = record.deleted_at;
  status.counts = index.CountAt(now);
  status.prediction = Predict(*index.definition(), status.counts.prospective);
  return status;
}

bool MayBeSearched(const ListIndex& index, const policy::AgreementId& agreement,
                   const policy::PurposeCode& purpose, Instant now) {
  const ListDefinition& definition = *index.definition();
  return index.Searchable(now) && definition.purpose == purpose &&
         std::find(definition.agreements.begin(), definition.agreements.end(), agreement) !=
             definition.agreements.end();
}

auto TakenBy(EntryOpener& opener) {
  return [&opener](MatchingEntry entry) {
    return opener.Take(std::move(entry.record), entry.until, entry.list_key,
                       entry.definition.engine.dimension);
  };
}

}  // namespace

std::string_view Name(store::ListState state) {
  switch (state) {
    case store::ListState::kDraft:
      return "draft";
    case store::ListState::kApproved:
      return "approved";
    case store::ListState::kClosed:
      return "closed";
    case store::ListState::kDeleted:
      return "deleted";
  }
  return "unknown";
}

Register::Register(std::unique_ptr<State> state) : state_(std::move(state)) {}
Register::~Register() = default;

Result<std::unique_ptr<Register>> Register::Open(RegisterSetup setup, ListTaker* taker) {
  std::vector<store::WatchlistRecord> records;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(records, transaction.watchlists().Lists());
    return {};
  }));
  for (const store::WatchlistRecord& record : records) {
    if (record.importing) COMITY_RETURN_IF_ERROR(RemoveImport(setup, record.reference));
  }
  auto state = std::make_unique<State>(std::move(setup));
  State::Lists loaded;
  std::set<WatchlistId> to_blank;
  const auto load = [&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto current, transaction.watchlists().Lists());
    for (store::WatchlistRecord& record : current) {
      const WatchlistId id = record.reference;
      if (record.state == store::ListState::kDeleted) to_blank.insert(id);
      COMITY_ASSIGN_OR_RETURN(ListIndex index, LoadList(transaction.watchlists(), std::move(record),
                                                        state->setup, taker));
      loaded.emplace(id, std::move(index));
    }
    return {};
  };
  COMITY_RETURN_IF_ERROR(state->setup.store.Read(load));
  state->lists.With([&](State::Lists& lists) { lists = std::move(loaded); });
  state->to_blank.With([&](std::set<WatchlistId>& lists) { lists = std::move(to_blank); });
  return std::unique_ptr<Register>(new Register(std::move(state)));
}

Status Register::Refresh(const WatchlistId& list, std::span<const std::string> references) {
  if (state_->setup.changes != nullptr) state_->setup.changes->OnDurable();
  if (state_->setup.lone_acts != nullptr) state_->setup.lone_acts->Announce();
  // Read and written under one lock: else an older reading could overtake a newer one.
  const std::lock_guard one_at_a_time(state_->refreshing);
  store::WatchlistRecord record;
  std::vector<store::EntryRecord> entries;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(record, transaction.watchlists().List(list));
        for (const std::string& reference : references) {
          COMITY_ASSIGN_OR_RETURN(store::EntryRecord entry,
                                  transaction.watchlists().Entry(list, reference));
          entries.push_back(std::move(entry));
        }
        return {};
      }));
  const bool is_new =
      state_->lists.With([&](State::Lists& lists) { return !lists.contains(list); });
  std::shared_ptr<const ListDefinition> definition;
  if (is_new) {
    COMITY_ASSIGN_OR_RETURN(definition, ReadDefinition(record));
  }
  state_->lists.With([&](State::Lists& lists) {
    if (is_new) lists.emplace(list, ListIndex(record, std::move(definition)));
    ListIndex& index = lists.at(list);
    if (record.state == store::ListState::kDeleted) index.Clear();
    index.SetRecord(std::move(record));
    for (const store::EntryRecord& entry : entries) index.Replace(entry);
  });
  return {};
}

Result<std::vector<ListStatus>> Register::StatusOf(const std::optional<WatchlistId>& list,
                                                   Instant now) const {
  return state_->lists.With([&](const State::Lists& lists) -> Result<std::vector<ListStatus>> {
    if (list && !lists.contains(*list)) return NoSuchList(*list);
    std::vector<ListStatus> statuses;
    for (const auto& [id, index] : lists) {
      if (!list || *list == id) statuses.push_back(StatusOfList(index, now));
    }
    return statuses;
  });
}

Result<std::string> Register::DefinitionOf(const WatchlistId& list) const {
  return state_->lists.With([&](const State::Lists& lists) -> Result<std::string> {
    const auto found = lists.find(list);
    if (found == lists.end()) return NoSuchList(list);
    return found->second.record().definition;
  });
}

Result<EntryView> Register::View(const WatchlistId& list, std::string_view reference) const {
  EntryView view;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(view.record, transaction.watchlists().Entry(list, reference));
        if (view.record.wrapped_key.empty()) return {};
        const auto taken = TakeList(transaction, state_->setup, list);
        // Its list's key is destroyed: nothing of the entry can be read any more.
        if (!taken && taken.error().code == ErrorCode::kConflict) return {};
        if (!taken) return Fail(taken.error());
        COMITY_ASSIGN_OR_RETURN(const SecretBytes fields,
                                OpenFields(taken->key, list, view.record));
        COMITY_ASSIGN_OR_RETURN(nlohmann::json object,
                                EntryObject(view.record, AsText(fields.Expose())));
        object.erase("identity_ref");
        view.fields = EncodeCanonicalJson(object);
        return {};
      }));
  view.state = StateDigest(list, view.record);
  view.record.wrapped_key.clear();
  view.record.sealed_fields.clear();
  view.record.sealed_template.clear();
  return view;
}

Result<std::vector<EntryView>> Register::Read(const EntryReading& reading) const {
  if (!reading.reason.empty()) COMITY_RETURN_IF_ERROR(CheckReason(reading.reason, reading.by));
  std::vector<EntryView> views;
  std::string lines;
  for (const std::string& reference : reading.references) {
    COMITY_ASSIGN_OR_RETURN(EntryView view, View(reading.list, reference));
    views.push_back(std::move(view));
    lines += (lines.empty() ? "" : "\n") + reference;
  }
  const RegisterSetup& setup = state_->setup;
  COMITY_RETURN_IF_ERROR(setup.journal.Record(ListEvent(
      audit::kEntryRead, setup.own, reading.list, setup.clock.Now(),
      {{"references", std::move(lines)}, {"reason", reading.reason}, {"operator", reading.by}},
      {{"entries", static_cast<std::int64_t>(views.size())}})));
  return views;
}

bool Register::Matches(const WatchlistId& list, std::string_view reference, Instant now) const {
  return state_->lists.With([&](const State::Lists& lists) {
    const auto found = lists.find(list);
    return found != lists.end() && found->second.Matches(reference, now);
  });
}

Status Register::VisitActive(const WatchlistId& list,
                             const std::function<Status(const ActiveEntry&)>& visit) const {
  EntryOpener opener(list, visit);
  COMITY_RETURN_IF_ERROR(VisitMatching(state_->setup, list, TakenBy(opener)));
  return opener.Finish();
}

Status Register::Load(const WatchlistId& list, ListTaker& taker) const {
  return LoadMatching(state_->setup, list, taker);
}

Status Register::VisitActive(const WatchlistId& list, std::span<const std::string> references,
                             const std::function<Status(const ActiveEntry&)>& visit) const {
  EntryOpener opener(list, visit);
  COMITY_RETURN_IF_ERROR(VisitMatchingOf(state_->setup, list, references, TakenBy(opener)));
  return opener.Finish();
}

Validation Register::ValidationOf(const policy::AgreementId& agreement,
                                  const policy::PurposeCode& purpose, Instant now) const {
  return state_->lists.With([&](const State::Lists& lists) {
    Validation validation;
    validation.validated_at = now;
    for (const auto& [id, index] : lists) {
      if (!MayBeSearched(index, agreement, purpose, now)) continue;
      const ListDefinition& definition = *index.definition();
      validation.lists.push_back({id, definition.engine, definition.threshold, index.CountAt(now)});
      validation.entries += validation.lists.back().counts.active;
      validation.stale += validation.lists.back().counts.stale;
    }
    return validation;
  });
}

Result<Validation> Register::Revalidate(const policy::AgreementId& agreement,
                                        const policy::PurposeCode& purpose, Instant now) {
  const RegisterSetup& setup = state_->setup;
  const Validation found = ValidationOf(agreement, purpose, now);
  Validation validation;
  validation.validated_at = now;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    validation.lists.clear();
    for (const Validation::List& list : found.lists) {
      COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup, list.list));
      if (taken.record.state != store::ListState::kApproved) continue;
      taken.record.validated_at = now;
      COMITY_RETURN_IF_ERROR(PutList(transaction, setup, taken));
      COMITY_RETURN_IF_ERROR(
          recorder.Record(ListEvent(audit::kWatchlistValidated, setup.own, list.list, now, {},
                                    {{"entries", static_cast<std::int64_t>(list.counts.active)},
                                     {"stale", static_cast<std::int64_t>(list.counts.stale)}})));
      validation.lists.push_back(list);
    }
    return {};
  };
  if (found.lists.empty()) return validation;
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  for (const Validation::List& list : validation.lists) {
    validation.entries += list.counts.active;
    validation.stale += list.counts.stale;
    COMITY_RETURN_IF_ERROR(Refresh(list.list));
  }
  return validation;
}

}  // namespace comity::watchlists
