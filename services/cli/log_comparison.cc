// SPDX-License-Identifier: Apache-2.0
#include "services/cli/log_comparison.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "crypto/tlog/entry_bundle.h"
#include "crypto/tlog/tile.h"
#include "services/runtime/guarded.h"

namespace comity::cli {
namespace {

using Entries = std::vector<const tlog::LogEntry*>;
using tlog::LogEntry;

// Names of events, and of digests in them (docs/audit_events.md).
constexpr std::string_view kAgreementReceived = "agreement-received";
constexpr std::string_view kAgreementMarked = "agreement-marked";
constexpr std::string_view kSearchOpened = "search-opened";
constexpr std::string_view kSearchPeriod = "search-period";
constexpr std::string_view kSearchRefused = "search-refused";
constexpr std::string_view kSearchHit = "search-hit";
constexpr std::string_view kAlertRaised = "alert-raised";
constexpr std::string_view kCapacityReserved = "capacity-reserved";
constexpr std::string_view kQueued = "partner-message-queued";
constexpr std::string_view kReceived = "partner-message-received";
constexpr std::string_view kReceipt = "receipt-received";
constexpr std::string_view kDropped = "partner-messages-dropped";
const std::set<std::string_view> kCompared = {
    kAgreementReceived, kAgreementMarked,  kSearchOpened, kSearchPeriod, kSearchRefused, kSearchHit,
    kAlertRaised,       kCapacityReserved, kQueued,       kReceived,     kReceipt,       kDropped};

std::string MessageOf(const LogEntry& entry, const std::string& name) {
  const auto found = entry.messages.find(name);
  if (found == entry.messages.end()) return {};
  return {found->second.bytes.begin(), found->second.bytes.end()};
}

std::int64_t CountOf(const LogEntry& entry, const std::string& name) {
  const auto found = entry.counts.find(name);
  return found == entry.counts.end() ? 0 : found->second;
}

std::string AgreementText(const LogEntry& entry) {
  if (!entry.agreement) return "no agreement";
  return entry.agreement->id + " version " + std::to_string(entry.agreement->version);
}

bool IsPermit(const LogEntry& entry) {
  return entry.decision && entry.decision->code == "permit";
}

// What one log says of the other party, by type and exchange.
class Side {
 public:
  Side(const LogSide& log, const LogSide& other) : log_(log), other_(other) {
    for (const LogEntry& entry : log.entries) {
      const bool both = std::ranges::find(entry.parties, other.agency) != entry.parties.end();
      if (both) by_type_[entry.type][entry.exchange].push_back(&entry);
    }
  }
  const std::string& agency() const { return log_.agency; }
  const std::vector<LogEntry>& all() const { return log_.entries; }
  tlog::EntryTime end() const { return log_.last; }
  const std::map<std::string, Entries>& Of(std::string_view type) const {
    static const std::map<std::string, Entries> kNone;
    const auto found = by_type_.find(std::string(type));
    return found == by_type_.end() ? kNone : found->second;
  }
  const Entries& Of(std::string_view type, const std::string& exchange) const {
    static const Entries kNone;
    const auto& exchanges = Of(type);
    const auto found = exchanges.find(exchange);
    return found == exchanges.end() ? kNone : found->second;
  }
  // Whether what the other log must say of this entry is surely in its export.
  bool IsCovered(const LogEntry& entry, const ComparisonBounds& bounds) const {
    return entry.time + bounds.skew <= other_.last;
  }

 private:
  const LogSide& log_;
  const LogSide& other_;
  std::map<std::string, std::map<std::string, Entries>> by_type_;
};

class Comparer {
 public:
  Comparer(const LogSide& one, const LogSide& other, const ComparisonBounds& bounds)
      : one_(one, other), other_(other, one), bounds_(bounds) {}

  Comparison Run() {
    for (const auto& [own, partner] : {std::pair(&one_, &other_), std::pair(&other_, &one_)}) {
      FindTwice(*own);
      CompareAlerts(*own, *partner);
      CountLostHits(*own, *partner);
      CompareSearches(*own, *partner);
      CompareMessages(*own, *partner);
      CheckAgreements(*own);
      CompareCapacity(*own, *partner);
    }
    return std::move(result_);
  }

 private:
  void Report(std::string_view kind, const Side& side, const std::string& exchange,
              std::string words) {
    ++result_.found;
    if (result_.differences.size() >= Comparison::kMostDifferences) return;
    result_.differences.push_back({kind, side.agency(), exchange, std::move(words)});
  }

  void FindTwice(const Side& own) {
    for (const std::string_view type : {kQueued, kReceived, kReceipt, kSearchOpened}) {
      for (const auto& [exchange, entries] : own.Of(type)) {
        if (entries.size() > 1) Report(difference::kTwice, own, exchange, std::string(type));
      }
    }
    for (const auto& [exchange, entries] : own.Of(kSearchHit)) {
      std::set<std::string> answers;
      for (const LogEntry* entry : entries) {
        if (!answers.insert(MessageOf(*entry, "answer")).second) {
          Report(difference::kTwice, own, exchange, "one answer, two search-hit");
        }
      }
    }
  }

  // `own` asked, `partner` answered.
  void CompareAlerts(const Side& own, const Side& partner) {
    for (const auto& [exchange, alerts] : own.Of(kAlertRaised)) {
      for (const LogEntry* alert : alerts) {
        if (!own.IsCovered(*alert, bounds_)) {
          ++result_.not_judged;
          continue;
        }
        CompareAlert(own, partner, *alert);
      }
      std::int64_t hits = 0;
      for (const LogEntry* hit : partner.Of(kSearchHit, exchange)) hits += CountOf(*hit, "hits");
      if (hits > 0 && std::cmp_greater(alerts.size(), hits)) {
        Report(difference::kTwice, own, exchange, "more alert-raised than the holder's hits");
      }
    }
  }

  void CompareAlert(const Side& own, const Side& partner, const LogEntry& alert) {
    const Entries& hits = partner.Of(kSearchHit, alert.exchange);
    const auto same_answer = [&](const LogEntry* entry) {
      return MessageOf(*entry, "answer") == MessageOf(alert, "answer");
    };
    const auto hit = std::ranges::find_if(hits, same_answer);
    if (hits.empty()) {
      Report(difference::kAlertWithoutHit, own, alert.exchange,
             "an alert of which " + partner.agency() + " has no search-hit");
    } else if (hit == hits.end() || MessageOf(**hit, "probe") != MessageOf(alert, "probe")) {
      Report(difference::kAnswerDiffers, own, alert.exchange,
             "the two logs name other digests of probe or answer");
    } else if ((*hit)->agreement != alert.agreement || !(*hit)->decision || !alert.decision ||
               (*hit)->decision->clauses != alert.decision->clauses) {
      Report(difference::kDecisionDiffers, own, alert.exchange,
             "decided under " + AgreementText(alert) + " here, " + AgreementText(**hit) +
                 " there, or by other clauses");
    } else if (std::ranges::any_of(partner.Of(kSearchRefused, alert.exchange), same_answer)) {
      Report(difference::kAnswerWithheld, own, alert.exchange,
             partner.agency() + " logged that this answer has not left");
    } else {
      ++result_.alerts;
    }
  }

  // `own` answered.
  void CountLostHits(const Side& own, const Side& partner) {
    for (const auto& [exchange, hits] : own.Of(kSearchHit)) {
      std::set<std::string> alerted;  // by every hit of an answer, also by frames that are merged
      for (const LogEntry* alert : partner.Of(kAlertRaised, exchange)) {
        alerted.insert(MessageOf(*alert, "answer"));
      }
      for (const LogEntry* hit : hits) {
        if (!alerted.contains(MessageOf(*hit, "answer"))) ++result_.hits_without_alert;
      }
    }
  }

  // Both log it when a search opens: the one that asks before it asks. Which of the two that is
  // shows in `opened`, the holder's answer.
  void CompareSearches(const Side& own, const Side& partner) {
    for (const auto& [exchange, opened] : own.Of(kSearchOpened)) {
      const LogEntry& entry = *opened.front();
      const bool is_holder = entry.messages.contains("opened");
      const Entries& there = partner.Of(kSearchOpened, exchange);
      if (!is_holder) {
        if (there.empty()) ++result_.searches_unanswered;
        continue;
      }
      if (!own.IsCovered(entry, bounds_)) {
        ++result_.not_judged;
      } else if (there.empty()) {
        Report(difference::kSearchNotAsked, own, exchange,
               "a search that " + partner.agency() + " never logged to have asked for");
      } else if (there.front()->agreement != entry.agreement ||
                 there.front()->decision != entry.decision ||
                 MessageOf(*there.front(), "open") != MessageOf(entry, "open")) {
        Report(difference::kDecisionDiffers, own, exchange,
               "opened under " + AgreementText(entry) + " here, " + AgreementText(*there.front()) +
                   " there, by other clauses, or for another question");
      } else {
        ++result_.searches;
      }
    }
  }

  // `own` sent.
  void CompareMessages(const Side& own, const Side& partner) {
    for (const auto& [exchange, receipts] : own.Of(kReceipt)) {
      const Entries& received = partner.Of(kReceived, exchange);
      if (!own.IsCovered(*receipts.front(), bounds_)) {
        ++result_.not_judged;
      } else if (received.empty() || MessageOf(*received.front(), "receipt") !=
                                         MessageOf(*receipts.front(), "receipt")) {
        Report(difference::kReceiptDiffers, own, exchange,
               "a receipt that " + partner.agency() + " did not log to have given");
      } else {
        ++result_.messages;
      }
    }
    for (const auto& [exchange, received] : partner.Of(kReceived)) {
      if (!partner.IsCovered(*received.front(), bounds_)) {
        ++result_.not_judged;
      } else if (own.Of(kQueued, exchange).empty()) {
        Report(difference::kMessageNotSent, partner, exchange,
               "a message that " + own.agency() + " never logged to have sent");
      }
    }
    CheckReceipts(own);
  }

  // When a partner is removed, what waits for it is dropped; it may be enrolled anew later.
  static std::optional<tlog::EntryTime> LastDrop(const Side& own) {
    std::optional<tlog::EntryTime> last;
    for (const auto& [exchange, drops] : own.Of(kDropped)) {
      for (const LogEntry* drop : drops) last = std::max(last, std::optional(drop->time));
    }
    return last;
  }

  void CheckReceipts(const Side& own) {
    const std::optional<tlog::EntryTime> last_drop = LastDrop(own);
    for (const auto& [exchange, queued] : own.Of(kQueued)) {
      const Entries& receipts = own.Of(kReceipt, exchange);
      if (receipts.empty()) ++result_.messages_waiting;
      if (receipts.empty() && last_drop && queued.front()->time <= *last_drop) continue;
      const tlog::EntryTime until = receipts.empty() ? own.end() : receipts.front()->time;
      if (until - queued.front()->time <= bounds_.receipt) continue;
      Report(difference::kReceiptLate, own, exchange,
             std::string(receipts.empty() ? "no receipt" : "its receipt came only") + " after " +
                 std::to_string(
                     std::chrono::duration_cast<std::chrono::seconds>(until - queued.front()->time)
                         .count()) +
                 " s");
    }
  }

  // In the order of the log, since that is the order of what happened.
  void CheckAgreements(const Side& own) {
    std::set<std::pair<std::string, std::int64_t>> known;
    std::set<std::pair<std::string, std::int64_t>> ended;
    for (const LogEntry& entry : own.all()) {
      if (!entry.agreement) continue;
      const std::pair agreement(entry.agreement->id, entry.agreement->version);
      if (entry.type == kAgreementReceived) known.insert(agreement);
      const bool marks = entry.type == kAgreementMarked && entry.decision;
      if (marks && entry.decision->code == "ended") ended.insert(agreement);
      const bool searches = (entry.type == kSearchOpened || entry.type == kSearchHit);
      if (!searches || !IsPermit(entry)) continue;
      if (!known.contains(agreement)) {
        Report(difference::kOutsideAgreement, own, entry.exchange,
               "permitted under " + AgreementText(entry) + ", which this log never received");
      } else if (ended.contains(agreement)) {
        Report(difference::kOutsideAgreement, own, entry.exchange,
               "permitted under " + AgreementText(entry) + ", which had ended");
      }
    }
  }

  // `own` held: what it reserved, for all partners, since whose it was is committed and not in the
  // clear, is at least what the other log counts as answered by it.
  void CompareCapacity(const Side& own, const Side& partner) {
    std::int64_t reserved = 0;
    for (const LogEntry& entry : own.all()) {
      if (entry.type == kCapacityReserved) reserved += CountOf(entry, "amount");
    }
    std::int64_t answered = 0;
    for (const auto& [exchange, periods] : partner.Of(kSearchPeriod)) {
      const Entries& opened = partner.Of(kSearchOpened, exchange);
      const bool asked = !opened.empty() && !opened.front()->messages.contains("opened");
      for (const LogEntry* period : periods) {
        if (asked) answered += CountOf(*period, "answered");
      }
    }
    if (answered <= reserved) return;
    Report(difference::kCapacityBelowUse, own, "",
           "capacity of " + std::to_string(reserved) + " was reserved for all partners, " +
               partner.agency() + " alone counts " + std::to_string(answered) + " answers");
  }

  const Side one_;
  const Side other_;
  const ComparisonBounds bounds_;
  Comparison result_;
};

}  // namespace

struct LogGatherer::State {
  struct Found {
    std::map<std::uint64_t, std::vector<LogEntry>> bundles;  // by number
    std::set<std::string> agencies;
    tlog::EntryTime last{};
  };
  runtime::Guarded<Found> found;

  // What is not well formed, the verifier refuses.
  void Note(const std::string& path, ByteView content) {
    const auto tile = tlog::ParseTilePath(path);
    if (!tile || !tile->entries) return;
    const auto bundle = tlog::ParseEntryBundle(content, tile->width);
    if (!bundle) return;
    std::vector<LogEntry> kept;
    std::set<std::string> agencies;
    tlog::EntryTime last{};
    for (const Bytes& text : *bundle) {
      auto entry = tlog::ParseEntry(AsText(text));
      if (!entry) return;
      agencies.insert(entry->parties.front());
      last = std::max(last, entry->time);
      if (kCompared.contains(entry->type)) kept.push_back(*std::move(entry));
    }
    found.With([&](Found& all) {
      all.bundles[tile->index] = std::move(kept);
      all.agencies.merge(agencies);
      all.last = std::max(all.last, last);
    });
  }
};

LogGatherer::LogGatherer() : state_(std::make_unique<State>()) {}
LogGatherer::~LogGatherer() = default;

tlog::LogExport LogGatherer::Watch(tlog::LogExport log) {
  log.read = [this, read = std::move(log.read)](const std::string& path) -> Result<Bytes> {
    auto content = read(path);
    if (content) state_->Note(path, *content);
    return content;
  };
  return log;
}

Result<LogSide> LogGatherer::Side() const {
  return state_->found.With([](const State::Found& found) -> Result<LogSide> {
    if (found.agencies.size() != 1) {
      return Fail(ErrorCode::kInvalidArgument, found.agencies.empty()
                                                   ? "the log has no entry"
                                                   : "the log has entries of several agencies");
    }
    LogSide side{*found.agencies.begin(), {}, found.last};
    for (const auto& [number, entries] : found.bundles) {
      side.entries.insert(side.entries.end(), entries.begin(), entries.end());
    }
    return side;
  });
}

Result<Comparison> CompareLogs(const LogSide& one, const LogSide& other,
                               const ComparisonBounds& bounds) {
  if (one.agency == other.agency) {
    return Fail(ErrorCode::kInvalidArgument,
                "both logs are of " + one.agency + "; give the log of each of the two agencies");
  }
  return Comparer(one, other, bounds).Run();
}

}  // namespace comity::cli
