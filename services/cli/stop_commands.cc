// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "comity/v1/stops.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxListed = 1000;
constexpr std::array<std::pair<v1::StopScope, std::string_view>, 4> kScopes{{
    {v1::STOP_SCOPE_DEPLOYMENT, "deployment"},
    {v1::STOP_SCOPE_WATCHLIST, "watchlist"},
    {v1::STOP_SCOPE_PARTNER, "partner"},
    {v1::STOP_SCOPE_AGREEMENT, "agreement"},
}};

struct StopOptions {
  std::string scope, reference, reason, order, stop;
  std::optional<std::uint64_t> limit;
  bool all = false;
};

Result<v1::StopScope> ParseScope(std::string_view text) {
  for (const auto& [scope, name] : kScopes) {
    if (name == text) return scope;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "what is stopped is a deployment, watchlist, partner or agreement");
}

std::string ScopeText(v1::StopScope wanted) {
  for (const auto& [scope, name] : kScopes) {
    if (scope == wanted) return std::string(name);
  }
  return {};
}

Json StopJson(const v1::Stop& stop) {
  return {{"stop", stop.stop()},
          {"scope", ScopeText(stop.scope())},
          {"reference", stop.reference()},
          {"set_by", stop.set_by()},
          {"reason", stop.reason()},
          {"order", stop.order()},
          {"set_at", TimeText(stop.set_at())},
          {"lifted_by", stop.lifted_by()},
          {"lift_reason", stop.lift_reason()},
          {"lifted_at", TimeText(stop.lifted_at())}};
}

Result<ExitCode> Set(const StopOptions& options, const Session& session) {
  v1::SetStopRequest request;
  COMITY_ASSIGN_OR_RETURN(const v1::StopScope scope, ParseScope(options.scope));
  request.set_scope(scope);
  request.set_reference(options.reference);
  request.set_reason(options.reason);
  request.set_order(options.order);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::Stop stop,
                          gateway.Call<v1::Stops>(&v1::Stops::Stub::Set, request));
  if (session.json) {
    PrintJson(StopJson(stop));
  } else {
    Print(Clean(stop.stop()) + ": " + options.scope + " " + Clean(stop.reference()) +
          " is stopped; nothing of it is answered until two people lift the stop\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> List(const StopOptions& options, const Session& session) {
  v1::ListStopsRequest request;
  request.set_all(options.all);
  request.set_limit(static_cast<std::uint32_t>(options.limit.value_or(0)));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ListStopsResponse response,
                          gateway.Call<v1::Stops>(&v1::Stops::Stub::List, request));
  Table table({"STOP", "SCOPE", "REFERENCE", "SET BY", "SET AT", "LIFTED BY", "REASON"});
  Json json = Json::array();
  for (const v1::Stop& stop : response.stops()) {
    json.push_back(StopJson(stop));
    table.Add({stop.stop(), ScopeText(stop.scope()), stop.reference(), stop.set_by(),
               TimeText(stop.set_at()), stop.lifted_by(), stop.reason()});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "nothing is stopped\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Lift(const StopOptions& options, const Session& session) {
  v1::LiftStopRequest request;
  request.set_stop(options.stop);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Stops>(&v1::Stops::Stub::Lift, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

}  // namespace

void AddStopCommands(CommandLine& line, Session& session) {
  line.Group("stop", "the stop control: halts matching at once");
  auto options = std::make_shared<StopOptions>();
  line.Add({"stop set", "halt a deployment, a list, a partner or an agreement at once",
            "When the command ends nothing is answered any more that it covers. It stays so, also\n"
            "over a restart, until two people lift it.",
            "", "comity stop set partner eastvale-council --reason 'complaint is looked into'"},
           Asks::kGateway, [options, &session] { return Set(*options, session); })
      .Add({"scope", "SCOPE", "deployment, watchlist, partner or agreement", true}, options->scope)
      .Add({"reference", "REF", "id of what is stopped", true}, options->reference)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--order", "TEXT",
            "reference of a regulator's order that is carried out (supervisor, signatory)", false},
           options->order);
  options = std::make_shared<StopOptions>();
  line.Add({"stop list", "what is stopped", "Prints the stops that stand, newest first.", "",
            "comity stop list --all"},
           Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--all", "", "also those that were lifted", false}, options->all)
      .Add({"--limit", "N", "how many, 1 to 1000; default 100", false},
           CountTarget{options->limit, 1, kMaxListed});
  options = std::make_shared<StopOptions>();
  line.Add({"stop lift", "propose to lift a stop",
            "Takes effect when another supervisor or signatory has approved it (comity approvals\n"
            "approve).",
            "", "comity stop lift stop-... --reason 'the complaint was unfounded'"},
           Asks::kGateway, [options, &session] { return Lift(*options, session); })
      .Add({"stop", "STOP", "stop id", true}, options->stop)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
