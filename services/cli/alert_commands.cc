// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "comity/v1/alerts.grpc.pb.h"
#include "services/cli/alert_text.h"
#include "services/cli/commands.h"
#include "services/cli/local_file.h"
#include "services/cli/opening_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"
#include "services/runtime/shutdown.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxAlerts = 1000;

struct AlertOptions {
  std::string alert, outcome, note, reason, out;
  std::optional<std::uint64_t> limit;
  bool open = false;
};

Result<ExitCode> List(const AlertOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::ListAlertsRequest request;
  request.set_limit(static_cast<std::uint32_t>(options.limit.value_or(0)));
  COMITY_ASSIGN_OR_RETURN(const v1::ListAlertsResponse response,
                          gateway.Call<v1::Alerts>(&v1::Alerts::Stub::List, request));
  Table table({"ALERT", "STATE", "LAST SEEN", "HOLDER", "REFERENCE", "CATEGORY", "RESPONSE",
               "FRAMES", "CAMERA", "OUTCOME"});
  Json json = Json::array();
  for (const v1::Alert& alert : response.alerts()) {
    json.push_back(AlertJson(alert));
    table.Add({alert.alert(), alert.state(), TimeText(alert.last_seen()), alert.holder(),
               alert.hit().reference(), alert.hit().category(), alert.hit().response_code(),
               std::to_string(alert.frame_count()), LastCamera(alert),
               OutcomeText(alert.outcome())});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no alerts\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Watch(const AlertOptions& options, const Session& session) {
  // Before the channel: the threads that it starts must inherit the signal mask.
  const runtime::Shutdown shutdown;
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  const auto stub = v1::Alerts::NewStub(gateway.channel());
  grpc::ClientContext context;
  const std::stop_callback on_signal(shutdown.token(), [&context] { context.TryCancel(); });
  v1::WatchAlertsRequest request;
  request.set_include_open(options.open);
  const auto reader = stub->Watch(&context, request);
  v1::Alert alert;
  while (reader->Read(&alert)) {
    Print((session.json ? AlertJson(alert).dump(-1, ' ', false, Json::error_handler_t::replace)
                        : AlertLine(alert)) +
          "\n");
    // Each alert is seen when it comes, also through a pipe; a closed pipe ends the watch.
    if (!FlushOutput()) context.TryCancel();
  }
  const grpc::Status status = reader->Finish();
  if (shutdown.token().stop_requested() || status.ok()) return ExitCode::kOk;
  return Fail(gateway.Describe(status));
}

Result<ExitCode> Acknowledge(const AlertOptions& options, const Session& session) {
  v1::AcknowledgeAlertRequest request;
  request.set_alert(options.alert);
  request.set_note(options.note);
  COMITY_ASSIGN_OR_RETURN(const v1::Outcome outcome, ParseOutcome(options.outcome));
  request.set_outcome(outcome);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::Alert alert,
                          gateway.Call<v1::Alerts>(&v1::Alerts::Stub::Acknowledge, request));
  if (session.json) {
    PrintJson(AlertJson(alert));
  } else {
    Print(AlertLine(alert) + "\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> Open(const AlertOptions& options, const Session& session) {
  // Before the gateway is asked: what was opened and cannot be kept was opened for nothing.
  COMITY_RETURN_IF_ERROR(CheckNewFile(options.out));
  v1::OpenAlertRequest request;
  request.set_alert(options.alert);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::AlertOpening opening,
                          gateway.Call<v1::Alerts>(&v1::Alerts::Stub::Open, request));
  COMITY_RETURN_IF_ERROR(WriteNewPrivateFile(options.out, EncodeOpening(opening)));
  if (session.json) {
    PrintJson(Json{{"alert", Clean(opening.alert())},
                   {"holder", Clean(opening.holder())},
                   {"frames", opening.frames_size()},
                   {"file", options.out}});
  } else {
    Print(options.out + ": what opens " + std::to_string(opening.frames_size()) +
          " frames of alert " + Clean(opening.alert()) +
          ". It holds templates of faces; erase it when it has been verified.\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddAlertCommands(CommandLine& line, Session& session) {
  line.Group("alert", "hits in live operations; a lead, not an identification");
  auto options = std::make_shared<AlertOptions>();
  line.Add({"alert list", "alerts, newest first", "Prints the newest alerts of this agency.", "",
            "comity alert list --limit 20"},
           Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--limit", "N", "how many, 1 to 1000; default 100", false},
           CountTarget{options->limit, 1, kMaxAlerts});
  options = std::make_shared<AlertOptions>();
  line.Add({"alert watch", "each alert as it comes",
            "Prints one line for each alert that is stored, changed or merged, until it is "
            "interrupted\n"
            "(Ctrl-C). With --json each line is one JSON object.",
            "the reader is too slow: it is 256 alerts behind", "comity alert watch --open"},
           Asks::kGateway, [options, &session] { return Watch(*options, session); })
      .Add({"--open", "", "first print the alerts that nobody has acknowledged", false},
           options->open);
  options = std::make_shared<AlertOptions>();
  line.Add({"alert ack", "acknowledge an alert",
            "Records who looked and what they found. The first outcome stands.",
            "another outcome stands already",
            "comity alert ack a-... --outcome not-a-match --note 'different person'"},
           Asks::kGateway, [options, &session] { return Acknowledge(*options, session); })
      .Add({"alert", "ALERT", "alert id", true}, options->alert)
      .Add({"--outcome", "OUTCOME", "true-match, not-a-match or cannot-say", true},
           options->outcome)
      .Add({"--note", "TEXT", "up to 1000 octets", false}, options->note);
  options = std::make_shared<AlertOptions>();
  line.Add(
          {"alert open", "what opens the sealed searches behind an alert",
           "For auditors. Writes what shows which template was searched for in each frame of the\n"
           "alert that was searched sealed, so that 'comity audit opening' can compare it with "
           "the\n"
           "holder's log. That you opened it, and why, is in the log first.\n"
           "WARNING: the file holds templates of faces, biometric data of people who may be on no\n"
           "list. It is readable by you alone (mode 0600) and not encrypted: keep it off shared\n"
           "disks, hand it to nobody who needs only the verdict, and erase it afterwards.",
           "the file exists already",
           "comity alert open a-... --reason 'monthly sample' --out opening.json"},
          Asks::kGateway, [options, &session] { return Open(*options, session); })
      .Add({"alert", "ALERT", "alert id", true}, options->alert)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--out", "FILE", "file to write; it must not exist", true}, options->out);
}

}  // namespace comity::cli
