// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/watchlist_add.h"
#include "services/cli/watchlist_audit.h"
#include "services/cli/watchlist_draft.h"
#include "services/cli/watchlist_entries.h"
#include "services/cli/watchlist_holders.h"
#include "services/cli/watchlist_manifest.h"
#include "services/cli/watchlist_text.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct WatchlistOptions {
  std::string list, reason;
};

Result<ExitCode> Status(const WatchlistOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::WatchlistStatusRequest request;
  request.set_watchlist(options.list);
  COMITY_ASSIGN_OR_RETURN(const v1::WatchlistStatusResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Status, request));
  Table table({"WATCHLIST", "STATE", "PURPOSE", "ENDS", "ENTRIES", "ACTIVE", "WAITING", "STALE",
               "RESTRICTED", "CATEGORIES"});
  Json json = Json::array();
  for (const v1::WatchlistSummary& summary : response.watchlists()) {
    json.push_back(SummaryJson(summary));
    table.Add({summary.watchlist(), summary.state(), summary.purpose(), TimeText(summary.ends_at()),
               std::to_string(summary.entries()), std::to_string(summary.active()),
               std::to_string(summary.awaiting_approval()), std::to_string(summary.stale()),
               std::to_string(summary.restricted()), CategoriesText(summary)});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no watchlists\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Show(const WatchlistOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::ShowWatchlistRequest request;
  request.set_watchlist(options.list);
  COMITY_ASSIGN_OR_RETURN(const v1::ShowWatchlistResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Show, request));
  if (session.json) {
    Json json = SummaryJson(response.summary());
    json["definition"] = response.definition();
    json["sha256"] = HexText(response.sha256());
    json["words"] = response.words();
    PrintJson(json);
  } else {
    Print(SummaryText(response.summary()) + "\n" + Clean(response.words(), Lines::kKeep));
  }
  return ExitCode::kOk;
}

Result<ExitCode> Close(const WatchlistOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::CloseWatchlistRequest request;
  request.set_watchlist(options.list);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const v1::CloseWatchlistResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Close, request));
  const std::string delete_by = TimeText(response.delete_by());
  if (session.json) {
    PrintJson(Json{{"watchlist", options.list}, {"delete_by", delete_by}});
  } else {
    Print(options.list + " is closed: nothing of it matches; its faces are deleted by " +
          delete_by + "\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> Shred(const WatchlistOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::ShredWatchlistRequest request;
  request.set_watchlist(options.list);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const v1::ShredWatchlistResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Shred, request));
  if (session.json) {
    PrintJson(Json{{"watchlist", options.list}, {"destroyed", response.destroyed()}});
  } else if (response.destroyed() == 0) {
    Print(options.list + ": no sealed list of it had a key\n");
  } else {
    Print(options.list + ": the keys of " + std::to_string(response.destroyed()) +
          " sealed lists are destroyed: no copy of them can be searched\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddWatchlistCommands(CommandLine& line, Session& session) {
  line.Group("watchlist", "lists of this agency");
  AddWatchlistDraft(line, session);
  AddWatchlistAdd(line, session);
  auto options = std::make_shared<WatchlistOptions>();
  line.Add({"watchlist status", "lists, their states and counts",
            "Prints each list with its state and how many of its entries match now.", "",
            "comity watchlist status"},
           Asks::kGateway, [options, &session] { return Status(*options, session); })
      .Add({"list", "LIST", "one list; default: all", false}, options->list);
  options = std::make_shared<WatchlistOptions>();
  line.Add({"watchlist show", "one list in words",
            "Prints a list's state, counts, predicted false alerts and definition.", "",
            "comity watchlist show court-warrants"},
           Asks::kGateway, [options, &session] { return Show(*options, session); })
      .Add({"list", "LIST", "the list", true}, options->list);
  AddWatchlistEntries(line, session);
  options = std::make_shared<WatchlistOptions>();
  line.Add({"watchlist close", "end a list",
            "Ends all matching before it answers and signs the list's manifest. Faces and fields "
            "are\n"
            "deleted when the agreement says, at most 24 hours later; the manifest stays.",
            "", "comity watchlist close court-warrants --reason 'operation over'"},
           Asks::kGateway, [options, &session] { return Close(*options, session); })
      .Add({"list", "LIST", "the list", true}, options->list)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
  options = std::make_shared<WatchlistOptions>();
  line.Add({"watchlist shred", "make every sealed copy of a list useless",
            "Destroys the keys of all sealed lists made of a list, for whatever partner: when it\n"
            "answers, no copy of them can be searched, wherever it is, and no hit found in one\n"
            "leaves. The list itself stays approved and is sealed anew, under new keys, for whom\n"
            "agreements let search it. To end the searches themselves, close the list or suspend\n"
            "the agreement.",
            "", "comity watchlist shred court-warrants --reason 'a copy was stolen'"},
           Asks::kGateway, [options, &session] { return Shred(*options, session); })
      .Add({"list", "LIST", "the list", true}, options->list)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
  AddWatchlistAudit(line, session);
  AddWatchlistManifest(line, session);
  AddWatchlistHolders(line, session);
}

}  // namespace comity::cli
