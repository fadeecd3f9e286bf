// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/acts.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "services/identity/json_fields.h"
#include "services/watchlists/register_state.h"

namespace comity::watchlists {
namespace {

using identity::JsonFields;
using policy::WatchlistId;

constexpr std::size_t kMaxContent = identity::Approvals::kMaxContent;
constexpr std::size_t kMaxCleared = 500;

struct ListToApprove {
  WatchlistId list;
  Digest definition;
  Digest content;
};
Result<ListToApprove> ReadListToApprove(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Parse(text, kMaxContent, "approval"));
  ListToApprove read;
  COMITY_ASSIGN_OR_RETURN(read.list, fields.Parsed("list", WatchlistId::Parse));
  COMITY_ASSIGN_OR_RETURN(read.definition, fields.HexDigest("definition"));
  COMITY_ASSIGN_OR_RETURN(read.content, fields.HexDigest("content"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  return read;
}

Status CheckCount(std::size_t entries) {
  if (entries > 0 && entries <= kMaxCleared) return {};
  return Fail(ErrorCode::kInvalidArgument, "1 to 500 entries are approved at once");
}

struct EntriesToClear {
  WatchlistId list;
  std::vector<EntryInState> entries;
};
Result<EntriesToClear> ReadEntriesToClear(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Parse(text, kMaxContent, "approval"));
  EntriesToClear read;
  COMITY_ASSIGN_OR_RETURN(read.list, fields.Parsed("list", WatchlistId::Parse));
  COMITY_ASSIGN_OR_RETURN(const auto references, fields.Texts("references"));
  COMITY_ASSIGN_OR_RETURN(const auto states, fields.Texts("states"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(CheckCount(references.size()));
  if (states.size() != references.size()) {
    return Fail(ErrorCode::kInvalidArgument, "approval: `states` has one item for each reference");
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    COMITY_ASSIGN_OR_RETURN(const Digest state, ParseHexDigest(states[i]));
    read.entries.push_back({references[i], state});
  }
  return read;
}

Result<Unrestriction> ReadUnrestriction(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Parse(text, kMaxContent, "approval"));
  Unrestriction read;
  COMITY_ASSIGN_OR_RETURN(read.list, fields.Parsed("list", WatchlistId::Parse));
  COMITY_ASSIGN_OR_RETURN(read.entry.reference, fields.Text("reference"));
  COMITY_ASSIGN_OR_RETURN(read.entry.state, fields.HexDigest("state"));
  COMITY_ASSIGN_OR_RETURN(read.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(CheckReason(read.reason, ""));
  return read;
}

std::string Digits(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

// One line about an entry, from its fields; the rationale is read with `watchlist entry`. Personal:
// it is made for a reader and never stored.
std::string LineOf(const EntryView& view, const Digest& proposed) {
  if (view.fields.empty()) return view.record.reference + ": has ended; nothing of it is left\n";
  const auto fields = nlohmann::json::parse(view.fields, nullptr, false);
  const auto text = [&](const char* name) {
    const auto found = fields.is_object() ? fields.find(name) : fields.end();
    return found != fields.end() && found->is_string() ? found->get<std::string>() : "?";
  };
  const auto flag = [&](const char* name) {
    return fields.is_object() && fields.contains(name) && fields[name].is_boolean() &&
           fields[name].get<bool>();
  };
  return view.record.reference + ": " + view.record.category.text() + ", " +
         text("subject_category") + (view.record.under_18 ? ", UNDER 18" : "") +
         (flag("vulnerable") ? ", vulnerable" : "") + ", until " +
         policy::EncodeInstant(view.record.expires_at) +
         (view.state == proposed ? "" : "; CHANGED SINCE THIS WAS PROPOSED: reject it") + "\n";
}

// As they stand now, for somebody who may read them; recorded before it is returned.
Result<std::string> DetailsOf(const Register& lists, const WatchlistId& list,
                              std::span<const EntryInState> entries,
                              const identity::ActHandler::Reading& reading) {
  EntryReading order{list, {}, "act " + reading.act, reading.by.text()};
  for (const EntryInState& entry : entries) order.references.push_back(entry.reference);
  COMITY_ASSIGN_OR_RETURN(const auto views, lists.Read(order));
  std::string text = "As they stand now:\n";
  for (std::size_t i = 0; i < views.size(); ++i) text += LineOf(views[i], entries[i].state);
  return text;
}

std::string_view WordOf(store::EntryRestriction restriction) {
  return restriction == store::EntryRestriction::kContested ? "its accuracy is contested"
                                                            : "restricted";
}

Status CheckEntry(const EntryView& view, const Digest& proposed, bool as_expected,
                  const std::string& otherwise) {
  if (view.record.state != store::EntryState::kActive) {
    return Fail(ErrorCode::kConflict, "entry " + view.record.reference + " has ended");
  }
  if (view.state != proposed) {
    return Fail(ErrorCode::kConflict, "entry " + view.record.reference + " changes just now");
  }
  if (as_expected) return {};
  return Fail(ErrorCode::kConflict, "entry " + view.record.reference + " " + otherwise);
}

// What runs after the commit. Memory that cannot follow is behind, never ahead: nothing matches
// that is not approved.
identity::ActHandler::AfterCommit Follow(Register& lists, const ListChanged& changed,
                                         WatchlistId list, std::vector<std::string> references) {
  return [&lists, changed, list = std::move(list), references = std::move(references)] {
    if (lists.Refresh(list, references)) changed(list);
  };
}

}  // namespace

Result<std::string> ContentToApprove(const Register& lists, const WatchlistId& draft) {
  COMITY_ASSIGN_OR_RETURN(const ListStatus status, lists.CheckApprovable(draft));
  return EncodeCanonicalJson({{"list", draft.text()},
                              {"definition", EncodeHex(status.definition->sha256.view())},
                              {"content", EncodeHex(status.content.view())}});
}

Result<std::string> ContentToClear(const Register& lists, const WatchlistId& list,
                                   std::span<const std::string> references) {
  COMITY_RETURN_IF_ERROR(CheckCount(references.size()));
  std::vector<std::string> states;
  for (const std::string& reference : references) {
    COMITY_ASSIGN_OR_RETURN(const EntryView view, lists.View(list, reference));
    states.push_back(EncodeHex(view.state.view()));
  }
  return TryEncodeCanonicalJson(
      {{"list", list.text()},
       {"references", std::vector<std::string>(references.begin(), references.end())},
       {"states", std::move(states)}});
}

Result<std::string> ContentToUnrestrict(const Register& lists, const WatchlistId& list,
                                        std::string_view reference, std::string_view reason) {
  COMITY_ASSIGN_OR_RETURN(const EntryView view, lists.View(list, reference));
  return TryEncodeCanonicalJson({{"list", list.text()},
                                 {"reference", std::string(reference)},
                                 {"state", EncodeHex(view.state.view())},
                                 {"reason", std::string(reason)}});
}

std::string WordsOf(const ListStatus& status) {
  const ListDefinition& definition = *status.definition;
  const ListCounts& counts = status.counts;
  std::string text = Describe(definition);
  text += "Entries: " + std::to_string(counts.prospective) + " of at most " +
          std::to_string(definition.size_cap) + " that may match";
  for (const auto& [category, count] : counts.prospective_by_category) {
    text += "; " + category + " " + std::to_string(count);
  }
  text += ".\nUnder 18: " + std::to_string(counts.under_18) +
          ". Waiting for a further approval: " + std::to_string(counts.awaiting_approval) +
          ". Restricted: " + std::to_string(counts.restricted) + ".\n";
  text += "Expected false alerts: " + Digits(status.prediction.false_alerts) + " among " +
          std::to_string(definition.expected_faces) +
          " faces (each face: " + Digits(status.prediction.fpir * 100) + " %); budget " +
          std::to_string(definition.false_alert_budget) + ".\n";
  text += "Drafted by:";
  for (const policy::PersonId& person : status.drafters) text += " " + person.text();
  text += ".\nDefinition SHA-256 " + EncodeHex(definition.sha256.view()) + "\n";
  return text;
}

Result<std::string> ApproveListAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const ListToApprove read, ReadListToApprove(content));
  COMITY_ASSIGN_OR_RETURN(const ListStatus status, lists_.CheckApprovable(read.list));
  if (status.content != read.content || status.definition->sha256 != read.definition) {
    return Fail(ErrorCode::kConflict, "the draft of watchlist " + read.list.text() +
                                          " has changed since it was submitted; submit it again");
  }
  return "Approve this list: it may match from then on.\n" + WordsOf(status);
}

Result<identity::ActHandler::AfterCommit> ApproveListAct::Carry(store::Transaction& transaction,
                                                                audit::Recorder& recorder,
                                                                const identity::PendingAct& act,
                                                                const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(ListToApprove read, ReadListToApprove(act.content));
  COMITY_RETURN_IF_ERROR(
      lists_.Approve(transaction, recorder, read.list, read.content, {act.proposed_by, by}));
  return Follow(lists_, changed_, std::move(read.list), {});
}

Result<std::string> ApproveEntriesAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const EntriesToClear read, ReadEntriesToClear(content));
  std::string text = "Let these entries of watchlist " + read.list.text() + " match:\n";
  for (const EntryInState& entry : read.entries) {
    COMITY_ASSIGN_OR_RETURN(const EntryView view, lists_.View(read.list, entry.reference));
    COMITY_RETURN_IF_ERROR(CheckEntry(view, entry.state,
                                      view.record.clearance == store::EntryClearance::kPending,
                                      "waits for no approval"));
    text += entry.reference + "\n";
  }
  return text + "Read the rationale of each first: comity watchlist entry " + read.list.text() +
         " REFERENCE\n";
}

Result<std::string> ApproveEntriesAct::Details(std::string_view content,
                                               const Reading& reading) const {
  COMITY_ASSIGN_OR_RETURN(const EntriesToClear read, ReadEntriesToClear(content));
  return DetailsOf(lists_, read.list, read.entries, reading);
}

Result<identity::ActHandler::AfterCommit> ApproveEntriesAct::Carry(store::Transaction& transaction,
                                                                   audit::Recorder& recorder,
                                                                   const identity::PendingAct& act,
                                                                   const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(EntriesToClear read, ReadEntriesToClear(act.content));
  COMITY_RETURN_IF_ERROR(
      lists_.ClearEntries(transaction, recorder, read.list, read.entries, {act.proposed_by, by}));
  std::vector<std::string> references;
  for (EntryInState& entry : read.entries) references.push_back(std::move(entry.reference));
  return Follow(lists_, changed_, std::move(read.list), std::move(references));
}

Result<std::string> UnrestrictAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const Unrestriction read, ReadUnrestriction(content));
  COMITY_ASSIGN_OR_RETURN(const EntryView view, lists_.View(read.list, read.entry.reference));
  COMITY_RETURN_IF_ERROR(CheckEntry(view, read.entry.state,
                                    view.record.restriction != store::EntryRestriction::kNone,
                                    "is not restricted"));
  return "Lift the restriction (" + std::string(WordOf(view.record.restriction)) +
         ") of this entry of watchlist " + read.list.text() + ", so that it may match again:\n" +
         read.entry.reference + "\nReason: " + read.reason + "\n";
}

Result<std::string> UnrestrictAct::Details(std::string_view content, const Reading& reading) const {
  COMITY_ASSIGN_OR_RETURN(const Unrestriction read, ReadUnrestriction(content));
  return DetailsOf(lists_, read.list, std::span(&read.entry, 1), reading);
}

Result<identity::ActHandler::AfterCommit> UnrestrictAct::Carry(store::Transaction& transaction,
                                                               audit::Recorder& recorder,
                                                               const identity::PendingAct& act,
                                                               const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const Unrestriction read, ReadUnrestriction(act.content));
  COMITY_RETURN_IF_ERROR(lists_.Unrestrict(transaction, recorder, read, {act.proposed_by, by}));
  return Follow(lists_, changed_, read.list, {read.entry.reference});
}

}  // namespace comity::watchlists
