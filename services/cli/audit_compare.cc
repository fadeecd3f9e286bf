// SPDX-License-Identifier: Apache-2.0
#include "services/cli/audit_compare.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "services/cli/export_folder.h"
#include "services/cli/log_comparison.h"
#include "services/cli/output.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMostSeconds = 366 * 86'400;

struct CompareOptions {
  std::string own, partner, vkey, partner_vkey;
  std::optional<std::uint64_t> receipt, skew;
};

std::optional<std::string> Given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

Result<LogSide> Gather(const std::string& folder, const std::string& vkey) {
  COMITY_ASSIGN_OR_RETURN(tlog::LogExport log, OpenExportFolder(folder, Given(vkey)));
  LogGatherer gatherer;
  ProgressLine progress("entries verified");
  const auto verified =
      VerifyOnAllCores(gatherer.Watch(std::move(log)),
                       [&](std::uint64_t done, std::uint64_t all) { progress.Show(done, all); });
  if (!verified) {
    // Not the code of a "no": that would say that the logs differ.
    return Fail(ErrorCode::kInvalidArgument,
                folder + " is NOT verified: " + verified.error().detail);
  }
  return gatherer.Side();
}

Json ToJson(const Comparison& found, const LogSide& own, const LogSide& partner) {
  Json json = {{"agree", found.found == 0},
               {"own", own.agency},
               {"partner", partner.agency},
               {"searches", found.searches},
               {"alerts", found.alerts},
               {"messages", found.messages},
               {"not_judged", found.not_judged},
               {"hits_without_alert", found.hits_without_alert},
               {"searches_unanswered", found.searches_unanswered},
               {"messages_waiting", found.messages_waiting},
               {"found", found.found},
               {"differences", Json::array()}};
  for (const Difference& each : found.differences) {
    json["differences"].push_back({{"kind", each.kind},
                                   {"agency", each.agency},
                                   {"exchange", each.exchange},
                                   {"words", each.words}});
  }
  return json;
}

void PrintWords(const Comparison& found, const LogSide& own, const LogSide& partner) {
  Print(own.agency + " and " + partner.agency + "\n");
  Table counts({"WHAT BOTH LOGS SAY", "COUNT"});
  counts.Add({"searches", std::to_string(found.searches)});
  counts.Add({"alerts with their hit", std::to_string(found.alerts)});
  counts.Add({"messages with their receipt", std::to_string(found.messages)});
  counts.Add({"(one-sided) hits without an alert", std::to_string(found.hits_without_alert)});
  counts.Add({"(one-sided) searches not answered", std::to_string(found.searches_unanswered)});
  counts.Add({"(one-sided) messages that wait", std::to_string(found.messages_waiting)});
  counts.Add({"too near the other's end to judge", std::to_string(found.not_judged)});
  Print(counts.Text());
  if (found.found == 0) {
    Print("no difference\n");
    return;
  }
  Table differences({"DIFFERENCE", "LOG OF", "EXCHANGE", "WHAT"});
  for (const Difference& each : found.differences) {
    differences.Add(
        {std::string(each.kind), Clean(each.agency), Clean(each.exchange), Clean(each.words)});
  }
  Print(std::to_string(found.found) + " differences\n" + differences.Text());
}

Result<ExitCode> Compare(const CompareOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const LogSide own, Gather(options.own, options.vkey));
  COMITY_ASSIGN_OR_RETURN(const LogSide partner, Gather(options.partner, options.partner_vkey));
  ComparisonBounds bounds;
  if (options.receipt) bounds.receipt = std::chrono::seconds(*options.receipt);
  if (options.skew) bounds.skew = std::chrono::seconds(*options.skew);
  COMITY_ASSIGN_OR_RETURN(const Comparison found, CompareLogs(own, partner, bounds));
  if (session.json) {
    PrintJson(ToJson(found, own, partner));
  } else {
    PrintWords(found, own, partner);
  }
  if (options.vkey.empty() || options.partner_vkey.empty()) {
    PrintError(
        "comity: a key came from its export itself; compare log.vkey with the agency's, or give "
        "it with --vkey and --partner-vkey");
  }
  return found.found == 0 ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

void AddAuditCompare(CommandLine& line, Session& session) {
  const auto options = std::make_shared<CompareOptions>();
  line.Add({"audit compare", "compare the logs of two agencies",
            "Verifies both exports and compares what they say of the exchanges between the two: "
            "searches,\n"
            "hits and alerts, decisions and agreements, messages and receipts. Needs no network "
            "and no\n"
            "gateway. What a lost connection explains is counted and is no difference "
            "(docs/operations/comparing_logs.md).",
            "the logs differ; each difference is named",
            "comity audit compare northshire-log eastvale-log --vkey ns.vkey --partner-vkey "
            "ev.vkey"},
           Asks::kNobody, [options, &session] { return Compare(*options, session); })
      .Add({"own", "DIR", "export of one agency", true}, options->own)
      .Add({"partner", "DIR", "export of the other", true}, options->partner)
      .Add({"--vkey", "FILE|TEXT", "verifier key of the first log; default: the export's own",
            false},
           options->vkey)
      .Add({"--partner-vkey", "FILE|TEXT", "the same of the second", false}, options->partner_vkey)
      .Add({"--receipt-within", "SECONDS", "longest time to a receipt; default 86400", false},
           CountTarget{options->receipt, 1, kMostSeconds})
      .Add({"--skew", "SECONDS",
            "entries so near the end of the other log are not judged; default 60", false},
           CountTarget{options->skew, 0, kMostSeconds});
}

}  // namespace comity::cli
