// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "comity/v1/retention.grpc.pb.h"
#include "policy/model/instant.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxReviewDays = 365;

struct RetentionOptions {
  std::string from, to, reference, reason;
  std::optional<std::uint64_t> hold, review_days;
};

// Whole days as P31D, so that it reads as the agreement does.
std::string PeriodText(std::int64_t seconds) {
  if (seconds < 0) return "none";
  if (seconds == 0) return "at once";
  return policy::EncodeDuration(std::chrono::seconds(seconds));
}

Json ClassJson(const v1::RetentionClassStatus& status) {
  Json json = {{"class", status.record_class()},
               {"stored", status.stored()},
               {"kept", status.kept()},
               {"held", status.held()},
               {"due", status.due()},
               {"overdue", status.overdue()},
               {"next_due", nullptr},
               {"starts", status.starts()},
               {"law_most_seconds", nullptr},
               {"law_least_seconds", status.least_seconds()},
               {"source", status.source()},
               {"words", status.words()}};
  if (status.has_next_due()) json["next_due"] = TimeText(status.next_due());
  if (status.most_seconds() >= 0) json["law_most_seconds"] = status.most_seconds();
  return json;
}

Result<ExitCode> Due(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::RetentionDueResponse response,
      gateway.Call<v1::Retention>(&v1::Retention::Stub::Due, v1::RetentionDueRequest()));
  Table table({"CLASS", "LAW", "KEPT", "HELD", "DUE", "OVERDUE", "NEXT", "HOW IT GOES"});
  Json classes = Json::array();
  std::uint64_t overdue = 0;
  for (const v1::RetentionClassStatus& status : response.classes()) {
    classes.push_back(ClassJson(status));
    overdue += status.overdue();
    const auto count = [&](std::uint64_t number) {
      return status.stored() ? std::to_string(number) : std::string("-");
    };
    table.Add({status.record_class(), PeriodText(status.most_seconds()), count(status.kept()),
               count(status.held()), count(status.due()), count(status.overdue()),
               TimeText(status.next_due()), status.words()});
  }
  if (session.json) {
    PrintJson(Json{{"classes", classes},
                   {"overdue", overdue},
                   {"ledger_lines", response.ledger_lines()},
                   {"ledger_copy", response.ledger_copy()}});
  } else {
    Print(table.Text() + "erasure ledger: " + std::to_string(response.ledger_lines()) +
          " lines; its second copy is " + Clean(response.ledger_copy()) + "\n");
  }
  return overdue == 0 ? ExitCode::kOk : ExitCode::kNo;
}

Json CountsJson(const google::protobuf::RepeatedPtrField<v1::ErasedCount>& counts) {
  Json json = Json::array();
  for (const v1::ErasedCount& count : counts) {
    json.push_back({{"class", count.record_class()},
                    {"reason", count.reason()},
                    {"records", count.records()},
                    {"late_ms", count.late_ms()}});
  }
  return json;
}

std::string CountsText(const google::protobuf::RepeatedPtrField<v1::ErasedCount>& counts) {
  Table table({"CLASS", "REASON", "RECORDS", "LATEST AFTER"});
  for (const v1::ErasedCount& count : counts) {
    table.Add({count.record_class(), count.reason(), std::to_string(count.records()),
               count.late_ms() == 0 ? "" : std::to_string(count.late_ms()) + " ms"});
  }
  return table.empty() ? "nothing was erased\n" : table.Text();
}

Result<ExitCode> Run(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::RetentionRunResponse response,
      gateway.Call<v1::Retention>(&v1::Retention::Stub::Run, v1::RetentionRunRequest()));
  if (session.json) {
    PrintJson(Json{{"erased", CountsJson(response.erased())}});
  } else {
    Print(CountsText(response.erased()));
  }
  return ExitCode::kOk;
}

Result<ExitCode> Report(const RetentionOptions& options, const Session& session) {
  v1::RetentionReportRequest request;
  if (!options.from.empty()) {
    COMITY_ASSIGN_OR_RETURN(const policy::Instant from, policy::ParseInstant(options.from));
    *request.mutable_from() = ToTimestamp(from);
  }
  if (!options.to.empty()) {
    COMITY_ASSIGN_OR_RETURN(const policy::Instant to, policy::ParseInstant(options.to));
    *request.mutable_to() = ToTimestamp(to);
  }
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::RetentionReportResponse report,
                          gateway.Call<v1::Retention>(&v1::Retention::Stub::Report, request));
  if (session.json) {
    PrintJson(Json{{"from", TimeText(report.from())},
                   {"to", TimeText(report.to())},
                   {"erased", CountsJson(report.erased())},
                   {"overdue", report.overdue()},
                   {"holds", report.held()},
                   {"ledger_lines", report.ledger_lines()},
                   {"whole", report.whole()}});
  } else {
    Print("erased from " + TimeText(report.from()) + " to " + TimeText(report.to()) + "\n" +
          CountsText(report.erased()) + "overdue now: " + std::to_string(report.overdue()) +
          "; holds: " + std::to_string(report.held()) +
          "; erasure ledger: " + std::to_string(report.ledger_lines()) + " lines\n" +
          (report.whole() ? "" : "NOT the whole period: ask for a shorter one\n"));
  }
  return report.overdue() == 0 && report.whole() ? ExitCode::kOk : ExitCode::kNo;
}

Result<ExitCode> Holds(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::RetentionHoldsResponse response,
      gateway.Call<v1::Retention>(&v1::Retention::Stub::Holds, v1::RetentionHoldsRequest()));
  Table table({"HOLD", "STATE", "WHAT", "SINCE", "REVIEW BY", "HELD BY", "APPROVED BY", "REASON"});
  Json json = Json::array();
  for (const v1::RetentionHold& hold : response.holds()) {
    const std::string what = hold.record_class() + ":" + hold.reference();
    json.push_back({{"hold", hold.number()},
                    {"state", hold.state()},
                    {"class", hold.record_class()},
                    {"reference", hold.reference()},
                    {"held_at", TimeText(hold.held_at())},
                    {"review_by", TimeText(hold.review_by())},
                    {"held_by", hold.held_by()},
                    {"approved_by", hold.approved_by()},
                    {"reason", hold.reason()}});
    table.Add({std::to_string(hold.number()), hold.state(), what, TimeText(hold.held_at()),
               TimeText(hold.review_by()), hold.held_by(), hold.approved_by(), hold.reason()});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "nothing is held\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Hold(const RetentionOptions& options, const Session& session) {
  const std::size_t colon = options.reference.find(':');
  if (colon == std::string::npos || colon + 1 == options.reference.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                "what is held is CLASS:REFERENCE, for example alert:a-..., entry:LIST/REFERENCE, "
                "audit-payload:INDEX or notice:*");
  }
  v1::RetentionHoldRequest request;
  request.set_record_class(options.reference.substr(0, colon));
  request.set_reference(options.reference.substr(colon + 1));
  request.set_reason(options.reason);
  request.set_review_days(static_cast<std::uint32_t>(options.review_days.value_or(0)));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Retention>(&v1::Retention::Stub::Hold, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Release(const RetentionOptions& options, const Session& session) {
  v1::RetentionReleaseRequest request;
  request.set_number(options.hold.value_or(0));
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Retention>(&v1::Retention::Stub::Release, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

void AddReading(CommandLine& line, Session& session) {
  line.Add(
      {"retention due", "what is kept, for how long, and what is due",
       "Prints every class of records with the law's period, how many are kept, held and due,\n"
       "and when the next one goes. What is due is erased by itself within a minute.",
       "something is overdue for more than 60 s", "comity retention due"},
      Asks::kGateway, [&session] { return Due(session); });
  const auto options = std::make_shared<RetentionOptions>();
  line.Add(
          {"retention report", "what was erased in a period",
           "Prints how many records of each class were erased, why, and how long after their time\n"
           "the latest of them. Nothing tells what they were.",
           "something is overdue, or the period is too long to add up",
           "comity retention report --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z"},
          Asks::kGateway, [options, &session] { return Report(*options, session); })
      .Add({"--from", "TIME", "RFC 3339; default: 24 hours before the end", false}, options->from)
      .Add({"--to", "TIME", "RFC 3339; default: now", false}, options->to);
  line.Add({"retention holds", "what is kept beyond its period",
            "Prints the holds that stand, and whether their review is due.", "",
            "comity retention holds"},
           Asks::kGateway, [&session] { return Holds(session); });
}

void AddActs(CommandLine& line, Session& session) {
  line.Add({"retention run", "erase now what is due",
            "Erases what is past its period and not held, and prints how many of each class. It\n"
            "happens by itself every ten seconds; this is to see it done.",
            "", "comity retention run"},
           Asks::kGateway, [&session] { return Run(session); });
  auto options = std::make_shared<RetentionOptions>();
  line.Add({"retention hold", "propose to keep a record beyond its period",
            "For evidence, or because the person concerned needs it. Takes effect when a data\n"
            "protection officer has approved it. What is held past its period is out of ordinary\n"
            "use. The hold is reviewed: unanswered for two weeks, what it keeps must not be used.",
            "the same is held already",
            "comity retention hold alert:a-... --reason 'case 12 of the county court'"},
           Asks::kGateway, [options, &session] { return Hold(*options, session); })
      .Add({"what", "CLASS:REF", "one record, or CLASS:* for all of a class", true},
           options->reference)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--review", "DAYS", "when it is reviewed, 1 to 365; default 90", false},
           CountTarget{options->review_days, 1, kMaxReviewDays});
  options = std::make_shared<RetentionOptions>();
  line.Add({"retention release", "propose to end a hold",
            "Takes effect when a data protection officer has approved it. What is past its period\n"
            "is then erased within a minute.",
            "", "comity retention release 3 --reason 'the case is closed'"},
           Asks::kGateway, [options, &session] { return Release(*options, session); })
      .Add({"hold", "N", "number of the hold", true},
           CountTarget{options->hold, 1, std::uint64_t{1} << 62U})
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace

void AddRetentionCommands(CommandLine& line, Session& session) {
  line.Group("retention", "how long records are kept, and how they went");
  AddReading(line, session);
  AddActs(line, session);
}

}  // namespace comity::cli
