// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/envelope/aead.h"
#include "crypto/hash/sha256.h"
#include "crypto/merkle/compact_tree.h"
#include "crypto/merkle/tree_hash.h"
#include "services/audit/events.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/list_events.h"
#include "services/watchlists/register_state.h"

namespace comity::watchlists {

using policy::Instant;
using policy::WatchlistId;

namespace {

// Entries in one unit of work: others wait no longer for their commit than this takes.
constexpr std::size_t kChunk = 1000;

Status CheckDraft(const store::WatchlistRecord& record) {
  if (record.state == store::ListState::kDraft) return {};
  return Fail(ErrorCode::kConflict,
              "watchlist " + record.reference.text() + " is " + std::string(Name(record.state)) +
                  ", no draft; a changed list is a new draft with a new review");
}

// Names an entry with everything in it; says nothing about the person, since it is of ciphertexts.
Digest EntryLeaf(const store::EntryRecord& entry) {
  const std::string head = entry.reference + "|" + entry.category.text() + "|";
  return merkle::LeafHash(
      hash::Sha256({AsBytes(head), entry.sealed_fields, entry.sealed_template}).view());
}

// One import, from its first unit of work to its last.
class Importing {
 public:
  Importing(const RegisterSetup& setup, const WatchlistId& list) : setup_(setup), list_(list) {}

  Status Begin();
  Status AddAll(const ParsedImport& parsed);
  Status End(const ParsedImport& parsed, const policy::PersonId& by, std::string_view source);

 private:
  std::vector<store::EntryRecord> SealSome(const ParsedImport& parsed, std::size_t from);

  const RegisterSetup& setup_;
  const WatchlistId& list_;
  SecretBytes key_;
  std::uint64_t batch_ = 0;
  merkle::CompactTree entries_;
};

Status Importing::Begin() {
  const auto work = [&](store::Transaction& transaction, audit::Recorder&) -> Status {
    COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup_, list_));
    COMITY_RETURN_IF_ERROR(CheckDraft(taken.record));
    batch_ = ++taken.record.imports;
    taken.record.importing = true;
    key_ = std::move(taken.key);
    return transaction.watchlists().ChangeList(taken.record);
  };
  return setup_.journal.Commit(work);
}

std::vector<store::EntryRecord> Importing::SealSome(const ParsedImport& parsed, std::size_t from) {
  std::vector<store::EntryRecord> entries;
  const std::size_t to = std::min(from + kChunk, parsed.entries.size());
  entries.reserve(to - from);
  for (std::size_t i = from; i < to; ++i) {
    const EntryFields& fields = parsed.entries[i];
    const Digest rationale =
        CommitToRationale(setup_.kek, list_, fields.reference, fields.rationale);
    entries.push_back(
        SealEntry(key_, list_, fields, parsed.templates.Row(i), rationale, setup_.random));
    entries_.Append(EntryLeaf(entries.back()));
  }
  return entries;
}

Status Importing::AddAll(const ParsedImport& parsed) {
  for (std::size_t from = 0; from < parsed.entries.size(); from += kChunk) {
    const auto entries = SealSome(parsed, from);
    COMITY_RETURN_IF_ERROR(
        setup_.journal.Commit([&](store::Transaction& transaction, audit::Recorder&) {
          return transaction.watchlists().AddEntries(list_, batch_, entries);
        }));
  }
  return {};
}

Status Importing::End(const ParsedImport& parsed, const policy::PersonId& by,
                      std::string_view source) {
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup_, list_));
    COMITY_RETURN_IF_ERROR(CheckDraft(taken.record));
    taken.record.importing = false;
    taken.record.content = Chained(taken.record.content, "|add|", entries_.Root().view());
    AddDrafter(taken.record, by);
    COMITY_RETURN_IF_ERROR(PutList(transaction, setup_, taken));
    COMITY_RETURN_IF_ERROR(recorder.Record(
        ListEvent(audit::kEntriesAdded, setup_.own, list_, setup_.clock.Now(),
                  {{"source", std::string(source)},
                   {"operator", by.text()},
                   {"content", EncodeHex(taken.record.content.view())}},
                  {{"entries", static_cast<std::int64_t>(parsed.entries.size())},
                   {"warnings", static_cast<std::int64_t>(parsed.warning_count)}})));
    return {};
  };
  return setup_.journal.Commit(work);
}

// Reads entries of one list again under the rules of another.
class Copying {
 public:
  Copying(const ImportOptions& options, std::size_t rows) : options_(options) {
    copy_.engine = options.engine;
    copy_.templates = TemplateMatrix(rows, options.engine.dimension);
  }

  Status Take(const WatchlistId& from, const MatchingEntry& entry) {
    ++line_;
    COMITY_ASSIGN_OR_RETURN(const OpenedEntry opened, OpenEntry(entry.list_key, from, entry.record,
                                                                options_.engine.dimension));
    COMITY_ASSIGN_OR_RETURN(const SecretBytes fields,
                            OpenFields(entry.list_key, from, entry.record));
    COMITY_ASSIGN_OR_RETURN(const nlohmann::json object,
                            EntryObject(entry.record, AsText(fields.Expose())));
    auto checked = CheckEntry(object, options_.rules, options_.now);
    if (!checked) {
      for (const std::string& fault : checked.error()) Fault(entry.record.reference + ": " + fault);
      return {};
    }
    if (options_.taken(checked->reference)) {
      Fault("`reference` " + checked->reference + " is on the list already");
      return {};
    }
    const auto face = opened.face_template.Row(0);
    std::copy(face.begin(), face.end(), copy_.templates.MutableRow(copy_.entries.size()).begin());
    copy_.entries.push_back(std::move(*checked));
    return {};
  }

  ParsedImport Finish() {
    line_ = 0;
    if (copy_.ok() && copy_.entries.empty()) Fault("no entry of the list matches");
    if (copy_.entries.size() > options_.limits.max_entries) {
      Fault("the draft's size_cap leaves room for " + std::to_string(options_.limits.max_entries) +
            " entries; " + std::to_string(copy_.entries.size()) + " match in the list");
    }
    if (!copy_.ok()) copy_.entries.clear();
    copy_.templates = copy_.templates.First(copy_.entries.size());
    return std::move(copy_);
  }

 private:
  void Fault(std::string message) {
    ++copy_.fault_count;
    if (copy_.faults.size() < ParsedImport::kMaxIssues) {
      copy_.faults.push_back({line_, std::move(message)});
    }
  }

  const ImportOptions& options_;
  ParsedImport copy_;
  std::uint64_t line_ = 0;
};

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g %%", share * 100);
  return text;
}

}  // namespace

Status Register::Draft(const ListDefinition& definition, std::string_view yaml,
                       const policy::PersonId& by) {
  const std::lock_guard one_at_a_time(state_->drafting);
  RegisterSetup& setup = state_->setup;
  const WatchlistId& list = definition.reference;
  const Instant now = setup.clock.Now();
  if (hash::Sha256(AsBytes(yaml)) != definition.sha256) {
    return Fail(ErrorCode::kInvalidArgument, "the definition is of another document");
  }
  if (definition.ends_at <= now) {
    return Fail(ErrorCode::kInvalidArgument,
                "`ends_at` is in the past: " + policy::EncodeInstant(definition.ends_at));
  }
  TakenList taken{{}, envelope::GenerateKey(setup.random)};
  taken.record.reference = list;
  taken.record.definition = std::string(yaml);
  taken.record.drafters = {by};
  taken.record.content = Chained(definition.sha256, "|draft|", AsBytes(list.text()));
  taken.record.drafted_at = now;
  taken.record.wrapped_key = WrapListKey(setup.kek, taken.key, taken.record, setup.random);
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    const Status added = transaction.watchlists().AddList(taken.record);
    if (!added && added.error().code == ErrorCode::kConflict) {
      return Fail(ErrorCode::kConflict, "watchlist " + list.text() +
                                            " exists already; a name is used once, also after the "
                                            "list was deleted");
    }
    COMITY_RETURN_IF_ERROR(added);
    COMITY_RETURN_IF_ERROR(recorder.Record(
        ListEvent(audit::kWatchlistDrafted, setup.own, list, now,
                  {{"definition", EncodeHex(definition.sha256.view())}, {"operator", by.text()}})));
    return {};
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  return Refresh(list);
}

Result<ImportOptions> Register::OptionsFor(const WatchlistId& draft) const {
  const Instant now = state_->setup.clock.Now();
  return state_->lists.With([&](const State::Lists& lists) -> Result<ImportOptions> {
    const auto found = lists.find(draft);
    if (found == lists.end()) return NoSuchList(draft);
    COMITY_RETURN_IF_ERROR(CheckDraft(found->second.record()));
    const ListDefinition& definition = *found->second.definition();
    const std::uint64_t there = found->second.CountAt(now).prospective;
    if (there >= definition.size_cap) {
      return Fail(ErrorCode::kExhausted,
                  "watchlist " + draft.text() + " has as many entries as " +
                      "its definition's size_cap allows: " + std::to_string(definition.size_cap));
    }
    ImportOptions options;
    options.engine = definition.engine;
    options.rules = RulesOf(definition);
    options.now = now;
    options.limits.max_entries = definition.size_cap - there;
    options.taken = [this, draft](std::string_view reference) {
      return state_->lists.With([&](const State::Lists& current) {
        const auto list = current.find(draft);
        return list != current.end() && list->second.Has(reference);
      });
    };
    return options;
  });
}

Status Register::Add(const WatchlistId& draft, const ParsedImport& parsed,
                     const policy::PersonId& by, std::string_view source) {
  if (!parsed.ok() || parsed.entries.empty() || parsed.templates.rows() != parsed.entries.size()) {
    return Fail(ErrorCode::kInvalidArgument, "the entries have faults, or there are none");
  }
  const std::lock_guard one_at_a_time(state_->drafting);
  RegisterSetup& setup = state_->setup;
  COMITY_ASSIGN_OR_RETURN(const ImportOptions options, OptionsFor(draft));
  if (parsed.entries.size() > options.limits.max_entries) {
    return Fail(ErrorCode::kExhausted, "the definition's size_cap leaves room for " +
                                           std::to_string(options.limits.max_entries) + " entries");
  }
  if (parsed.engine != options.engine) {
    return Fail(ErrorCode::kInvalidArgument, "the entries are of another engine than the list");
  }
  const bool half = state_->lists.With(
      [&](const State::Lists& lists) { return lists.at(draft).record().importing; });
  if (half) COMITY_RETURN_IF_ERROR(RemoveImport(setup, draft));
  Importing importing(setup, draft);
  COMITY_RETURN_IF_ERROR(importing.Begin());
  Status added = importing.AddAll(parsed);
  if (added) added = importing.End(parsed, by, source);
  if (!added) {
    // What cannot be removed now is removed before the next import or at the next start.
    if (!RemoveImport(setup, draft)) (void)Refresh(draft);
    return added;
  }
  return LoadAdded(draft);
}

Status Register::LoadAdded(const WatchlistId& draft) {
  constexpr std::uint32_t kPage = 5000;
  const auto load = [&](const store::Transaction& transaction) -> Status {
    std::uint64_t after = 0;
    for (bool more = true; more;) {
      COMITY_ASSIGN_OR_RETURN(const auto page,
                              transaction.watchlists().EntryPage(draft, after, kPage));
      state_->lists.With([&](State::Lists& lists) {
        for (const store::EntryRecord& entry : page) lists.at(draft).Add(entry);
      });
      more = page.size() == kPage;
      if (more) after = page.back().position;
    }
    return {};
  };
  COMITY_RETURN_IF_ERROR(state_->setup.store.Read(load));
  // The new content is known last: who sees it sees the counts of its entries.
  return Refresh(draft);
}

Result<ParsedImport> Register::CopyFor(const WatchlistId& from, const WatchlistId& to) const {
  COMITY_ASSIGN_OR_RETURN(const ImportOptions options, OptionsFor(to));
  COMITY_ASSIGN_OR_RETURN(const auto statuses, StatusOf(from, options.now));
  const ListStatus& source = statuses.front();
  if (source.definition->engine != options.engine) {
    return Fail(ErrorCode::kConflict, "the two lists are of different engines");
  }
  Copying copying(options, source.counts.entries);
  COMITY_RETURN_IF_ERROR(VisitMatching(
      state_->setup, from, [&](const MatchingEntry& entry) { return copying.Take(from, entry); }));
  return copying.Finish();
}

Result<ListStatus> Register::CheckApprovable(const WatchlistId& draft) const {
  const Instant now = state_->setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(auto statuses, StatusOf(draft, now));
  ListStatus& status = statuses.front();
  const ListDefinition& definition = *status.definition;
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kConflict, "watchlist " + draft.text() + " " + why);
  };
  if (status.state != store::ListState::kDraft) {
    return refuse("is " + std::string(Name(status.state)) + ", no draft");
  }
  const bool importing = state_->lists.With(
      [&](const State::Lists& lists) { return lists.at(draft).record().importing; });
  if (importing) return refuse("is being added to");
  if (definition.ends_at <= now) return refuse("is over");
  if (status.counts.prospective == 0) return refuse("has no entry that could match");
  if (status.counts.prospective > definition.size_cap) return refuse("is larger than its size_cap");
  if (status.prediction.false_alerts > static_cast<double>(definition.false_alert_budget)) {
    return refuse("would stop more passers-by than its false_alert_budget of " +
                  std::to_string(definition.false_alert_budget) + " allows: " +
                  std::to_string(status.counts.prospective) + " entries make each face a false " +
                  "alert with " + Percent(status.prediction.fpir) +
                  "; shrink the list, or search " + "at a threshold with a lower false match rate");
  }
  return std::move(status);
}

}  // namespace comity::watchlists
