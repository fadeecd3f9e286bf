// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/holdings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "services/store/outbox_store.h"

namespace comity::oversight {
namespace {

using store::EntryChangeRecord;
using store::HoldingRecord;

// A correction reaches the gallery well within it; a hit that comes later rests on the new values.
constexpr std::chrono::seconds kUnderWay{60};
// Room for the braces around the changes of one message.
constexpr std::size_t kMaxChanges = kMaxContent - 64;

bool IsCorrection(std::string_view change) {
  return change == entry_change::kCorrected;
}

// Whether an answer that becomes durable at `now` may rest on what was before the change.
bool MayRestOnOld(const EntryChangeRecord& change, policy::Instant now) {
  if (change.change == entry_change::kUnrestricted) return false;
  return !IsCorrection(change.change) || now - change.at <= kUnderWay;
}

// What a partner knows of an entry, under all agreements together.
std::uint32_t ReleasedTo(std::span<const HoldingRecord> holdings, const policy::AgencyId& partner) {
  std::uint32_t released = 0;
  for (const HoldingRecord& holding : holdings) {
    if (holding.partner == partner) released |= holding.released;
  }
  return released;
}

EntryNews NewsFor(const EntryChangeRecord& change, std::uint32_t released) {
  EntryNews news;
  news.change = change.change;
  news.at = change.at;
  if ((released & HoldingRecord::kCategory) != 0) news.category = change.category;
  if ((released & HoldingRecord::kResponseCode) != 0) news.response_code = change.response_code;
  return news;
}

// A correction of what the partner was never given is none of its business.
bool SaysNothing(const EntryNews& news) {
  return IsCorrection(news.change) && news.category.empty() && news.response_code.empty();
}

std::size_t SizeOf(const EntryNews& news) {
  return EncodeEntryNews(std::span(&news, 1)).size();
}

}  // namespace

bool Holder::holds() const {
  const bool is_over =
      holding.change == entry_change::kWithdrawn || holding.change == entry_change::kExpired;
  const bool told_since = sent_at && holding.told_at > *sent_at;
  return !is_over || !acknowledged_at || told_since;
}

Status Holdings::Remember(store::Transaction& transaction, audit::Recorder& recorder,
                          const Told& told) {
  const policy::Instant now = setup_.clock.Now();
  ByPartner items;
  for (const Told::Entry& entry : told.entries) {
    HoldingRecord holding;
    holding.list = entry.list;
    holding.reference = entry.reference;
    holding.partner = told.partner;
    holding.agreement = told.agreement.id;
    holding.version = told.agreement.version;
    holding.released = told.released;
    holding.told_at = now;
    holding.held_until = now + told.kept_for;
    COMITY_RETURN_IF_ERROR(transaction.holdings().Told(holding, told.answer));
    COMITY_ASSIGN_OR_RETURN(auto change,
                            transaction.holdings().LastChange(entry.list, entry.reference));
    if (!change || !MayRestOnOld(*change, now)) continue;
    change->reference = entry.reference;
    change->at = now;  // later than the answer, which was made before this unit of work
    COMITY_RETURN_IF_ERROR(Collect(transaction, *change, told.partner, items));
  }
  for (const auto& [partner, news] : items) {
    COMITY_RETURN_IF_ERROR(Send(transaction, recorder, partner, news));
  }
  return {};
}

Result<std::uint64_t> Holdings::Pass(store::Transaction& transaction, audit::Recorder& recorder,
                                     std::span<const ChangedEntry> changes) {
  policy::Instant at = setup_.clock.Now();
  ByPartner items;
  for (const ChangedEntry& changed : changes) {
    const EntryChangeRecord change{
        changed.list,     changed.reference,     std::string(changed.change),
        changed.category, changed.response_code, at};
    // Of two changes of one entry the second is the later one, also for whoever is told of both.
    at += std::chrono::microseconds(1);
    COMITY_RETURN_IF_ERROR(transaction.holdings().PutChange(change));
    if (!change.reference.empty()) {
      COMITY_RETURN_IF_ERROR(Collect(transaction, change, std::nullopt, items));
      continue;
    }
    COMITY_ASSIGN_OR_RETURN(const auto references, transaction.holdings().ToldOf(change.list));
    for (const std::string& reference : references) {
      EntryChangeRecord one = change;
      one.reference = reference;
      COMITY_RETURN_IF_ERROR(Collect(transaction, one, std::nullopt, items));
    }
  }
  for (const auto& [partner, news] : items) {
    COMITY_RETURN_IF_ERROR(Send(transaction, recorder, partner, news));
  }
  return items.size();
}

Result<std::uint64_t> Holdings::PassUntold(store::Transaction& transaction,
                                           audit::Recorder& recorder) {
  COMITY_ASSIGN_OR_RETURN(const auto untold, transaction.holdings().Untold());
  std::vector<ChangedEntry> changes;
  for (const EntryChangeRecord& change : untold) {
    changes.push_back({change.list,
                       change.reference,
                       change.change == entry_change::kWithdrawn ? entry_change::kWithdrawn
                                                                 : entry_change::kExpired,
                       {},
                       {}});
  }
  COMITY_RETURN_IF_ERROR(Pass(transaction, recorder, changes));
  return changes.size();
}

Status Holdings::Collect(const store::Transaction& transaction, const EntryChangeRecord& change,
                         const std::optional<policy::AgencyId>& only, ByPartner& items) {
  COMITY_ASSIGN_OR_RETURN(const auto holdings,
                          transaction.holdings().OfEntry(change.list, change.reference));
  std::set<policy::AgencyId> partners;
  for (const HoldingRecord& holding : holdings) {
    if (!only || holding.partner == *only) partners.insert(holding.partner);
  }
  for (const policy::AgencyId& partner : partners) {
    const std::uint32_t released = ReleasedTo(holdings, partner);
    EntryNews news = NewsFor(change, released);
    if (SaysNothing(news)) continue;
    COMITY_ASSIGN_OR_RETURN(const auto answers,
                            transaction.holdings().Answers(change.list, change.reference, partner));
    std::vector<Item>& list = items[partner];
    for (std::size_t from = 0; from < answers.size(); from += EntryNews::kMaxAnswers) {
      EntryNews part = news;
      const std::size_t count = std::min(EntryNews::kMaxAnswers, answers.size() - from);
      part.answers.assign(answers.begin() + static_cast<std::ptrdiff_t>(from),
                          answers.begin() + static_cast<std::ptrdiff_t>(from + count));
      list.push_back({std::move(part), change.list, change.reference});
    }
    if ((released & HoldingRecord::kReference) == 0) continue;
    news.reference = change.reference;
    list.push_back({std::move(news), change.list, change.reference});
  }
  return {};
}

Status Holdings::Send(store::Transaction& transaction, audit::Recorder& recorder,
                      const policy::AgencyId& partner, std::span<const Item> items) {
  std::size_t from = 0;
  std::size_t size = 0;
  std::size_t answers = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t more = SizeOf(items[i].news);
    const std::size_t more_answers = items[i].news.answers.size();
    if (i > from && (size + more > kMaxChanges || i - from == kMaxNews ||
                     answers + more_answers > kMaxNewsAnswers)) {
      COMITY_RETURN_IF_ERROR(
          SendOne(transaction, recorder, partner, items.subspan(from, i - from)));
      from = i;
      size = answers = 0;
    }
    size += more;
    answers += more_answers;
  }
  if (from == items.size()) return {};
  return SendOne(transaction, recorder, partner, items.subspan(from));
}

Status Holdings::SendOne(store::Transaction& transaction, audit::Recorder& recorder,
                         const policy::AgencyId& partner, std::span<const Item> items) {
  std::vector<EntryNews> news;
  for (const Item& item : items) news.push_back(item.news);
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t number,
                          setup_.outbox.Add(transaction, recorder,
                                            {.peer = partner,
                                             .kind = message_kind::kEntryChange,
                                             .content = EncodeEntryNews(news),
                                             .due_by = setup_.clock.Now() + kDeadline}));
  for (const Item& item : items) {
    COMITY_RETURN_IF_ERROR(transaction.holdings().NoteChange(item.list, item.reference, partner,
                                                             item.news.change, number));
  }
  return {};
}

Result<std::vector<Holder>> Holdings::HoldersOf(const store::Transaction& transaction,
                                                std::string_view reference) {
  COMITY_ASSIGN_OR_RETURN(auto holdings, transaction.holdings().OfReference(reference));
  std::vector<Holder> holders;
  for (HoldingRecord& holding : holdings) {
    Holder holder;
    if (holding.message != 0) {
      auto message = transaction.outbox().Get(holding.message);
      // Dropped with the partner when it was removed: it holds the entry and was not told.
      if (!message && message.error().code != ErrorCode::kNotFound) return Fail(message.error());
      if (message) {
        holder.sent_at = message->created_at;
        holder.due_by = message->due_by;
        holder.acknowledged_at = message->acknowledged_at;
        holder.refused = std::move(message->refused);
        holder.receipt = std::move(message->receipt);
      }
    }
    holder.holding = std::move(holding);
    holders.push_back(std::move(holder));
  }
  return holders;
}

}  // namespace comity::oversight
