// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crypto/tlog/entry.h"
#include "crypto/tlog/entry_time.h"
#include "crypto/tlog/log_verifier.h"

namespace comity::cli {

// One agency's log, as far as it says something of exchanges with partners: entries in order.
struct LogSide {
  std::string agency;  // the party that stands first in every entry
  std::vector<tlog::LogEntry> entries;
  tlog::EntryTime last{};  // of any entry
};

// Gathers a side while its log is verified: each octet is read once, so that what is compared is
// what was verified.
//
//   LogGatherer gatherer;
//   tlog::VerifyLog(gatherer.Watch(log));   // must succeed, or the side means nothing
//   gatherer.Side();
//
// Threads: the watched log may be read from several threads; the rest is thread-compatible.
class LogGatherer {
 public:
  LogGatherer();
  ~LogGatherer();
  LogGatherer(const LogGatherer&) = delete;
  LogGatherer& operator=(const LogGatherer&) = delete;

  // The same log; the gatherer must outlive it.
  tlog::LogExport Watch(tlog::LogExport log);
  // Errors: kInvalidArgument  the log has no entry, or entries of several agencies
  Result<LogSide> Side() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct ComparisonBounds {
  std::chrono::seconds receipt{std::chrono::hours(24)};  // of a message, from queued to receipt
  // Entries so close to the end of the other export, or behind it, are not judged: what belongs to
  // them may come after it. Messages are taken up to 60 s off.
  std::chrono::seconds skew{60};
};

// The closed list of what can differ between two honest accounts of the same exchanges.
namespace difference {
inline constexpr std::string_view kTwice = "twice";
inline constexpr std::string_view kAlertWithoutHit = "alert-without-hit";
inline constexpr std::string_view kAnswerDiffers = "answer-differs";
inline constexpr std::string_view kAnswerWithheld = "answer-withheld";
inline constexpr std::string_view kSearchNotAsked = "search-not-asked";
inline constexpr std::string_view kDecisionDiffers = "decision-differs";
inline constexpr std::string_view kOutsideAgreement = "outside-agreement";
inline constexpr std::string_view kMessageNotSent = "message-not-sent";
inline constexpr std::string_view kReceiptDiffers = "receipt-differs";
inline constexpr std::string_view kReceiptLate = "receipt-late";
inline constexpr std::string_view kCapacityBelowUse = "capacity-below-use";
}  // namespace difference

struct Difference {
  std::string_view kind;  // of the list above
  std::string agency;     // whose log shows it
  std::string exchange;   // may be empty
  std::string words;
};

struct Comparison {
  std::vector<Difference> differences;  // at most kMostDifferences
  std::uint64_t found = 0;              // all of them
  std::uint64_t searches = 0;           // opened at both
  std::uint64_t alerts = 0;             // with their hit
  std::uint64_t messages = 0;           // with their receipt at both
  std::uint64_t not_judged = 0;         // too near the end of the other log
  // No difference: an answer or a question can be lost on its way.
  std::uint64_t hits_without_alert = 0;  // whose answer stands in no alert
  std::uint64_t searches_unanswered = 0;
  std::uint64_t messages_waiting = 0;
  static constexpr std::size_t kMostDifferences = 1000;
};

// What each log says of the exchanges between the two.
//
// Errors: kInvalidArgument  both are of one agency
// Source: docs/audit_events.md; docs/operations/comparing_logs.md
Result<Comparison> CompareLogs(const LogSide& one, const LogSide& other,
                               const ComparisonBounds& bounds);

}  // namespace comity::cli
