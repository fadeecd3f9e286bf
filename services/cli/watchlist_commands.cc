// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/watchlist_import.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string list, reference, reason;
};

// A protobuf map has no order; people and scripts get one.
std::map<std::string, std::uint64_t> CategoriesOf(const v1::WatchlistSummary& summary) {
  return {summary.active_by_category().begin(), summary.active_by_category().end()};
}

Json SummaryJson(const v1::WatchlistSummary& summary) {
  return {{"watchlist", summary.watchlist()},
          {"engine", ToJson(summary.engine())},
          {"imported_at", TimeText(summary.imported_at())},
          {"active", summary.active()},
          {"withdrawn", summary.withdrawn()},
          {"expired", summary.expired()},
          {"not_yet_valid", summary.not_yet_valid()},
          {"active_by_category", CategoriesOf(summary)}};
}

Result<ExitCode> Status(const Options& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::WatchlistStatusRequest request;
  request.set_watchlist(options.list);
  COMITY_ASSIGN_OR_RETURN(const v1::WatchlistStatusResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Status, request));
  Table table({"WATCHLIST", "ENGINE", "IMPORTED", "ACTIVE", "WITHDRAWN", "EXPIRED", "NOT YET VALID",
               "CATEGORIES"});
  Json json = Json::array();
  for (const v1::WatchlistSummary& summary : response.watchlists()) {
    json.push_back(SummaryJson(summary));
    std::string categories;
    for (const auto& [category, count] : CategoriesOf(summary)) {
      categories += (categories.empty() ? "" : ", ") + category + " " + std::to_string(count);
    }
    table.Add({summary.watchlist(), EngineText(summary.engine()), TimeText(summary.imported_at()),
               std::to_string(summary.active()), std::to_string(summary.withdrawn()),
               std::to_string(summary.expired()), std::to_string(summary.not_yet_valid()),
               categories});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no watchlists\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Withdraw(const Options& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::WithdrawEntryRequest request;
  request.set_watchlist(options.list);
  request.set_reference(options.reference);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const v1::WithdrawEntryResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Withdraw, request));
  if (session.json) {
    PrintJson(Json{{"watchlist", options.list},
                   {"reference", options.reference},
                   {"active", response.active()}});
  } else {
    Print(options.reference + " matches no more; " + std::to_string(response.active()) +
          " entries of " + options.list + " still do\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddWatchlistCommands(CommandLine& line, Session& session) {
  line.Group("watchlist", "lists of this agency");
  AddWatchlistImport(line, session);
  auto options = std::make_shared<Options>();
  line.Add({"watchlist status", "lists and how many entries match",
            "Prints each list with its engine profile and how many of its entries match now.", "",
            "comity watchlist status"},
           Asks::kGateway, [options, &session] { return Status(*options, session); })
      .Add({"list", "LIST", "one list; default: all", false}, options->list);
  options = std::make_shared<Options>();
  line.Add({"watchlist withdraw", "withdraw one entry",
            "Stops an entry from matching before it answers, and erases its template and fields "
            "for\n"
            "good.",
            "", "comity watchlist withdraw court-warrants ns-2026-0142 --reason 'arrested'"},
           Asks::kGateway, [options, &session] { return Withdraw(*options, session); })
      .Add({"list", "LIST", "the list", true}, options->list)
      .Add({"reference", "REFERENCE", "the entry's reference", true}, options->reference)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
