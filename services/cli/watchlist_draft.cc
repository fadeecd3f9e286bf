// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_draft.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/watchlist_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDefinition = std::size_t{64} << 10;

struct DraftOptions {
  std::string list, from, file;
  std::vector<std::string> references;
};

Result<ExitCode> Draft(const DraftOptions& options, const Session& session) {
  v1::DraftWatchlistRequest request;
  COMITY_ASSIGN_OR_RETURN(*request.mutable_definition(),
                          ReadLocalText(options.file, kMaxDefinition));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::DraftWatchlistResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Draft, request));
  Json faults = Json::array();
  for (const v1::DefinitionIssue& fault : response.faults()) {
    faults.push_back({{"line", fault.line()},
                      {"column", fault.column()},
                      {"path", fault.path()},
                      {"message", fault.message()}});
    if (session.json) continue;
    PrintError(options.file + ":" + std::to_string(fault.line()) + ":" +
               std::to_string(fault.column()) + ": " + Clean(fault.path()) + ": " +
               Clean(fault.message()));
  }
  const bool drafted = !response.watchlist().empty();
  if (session.json) {
    PrintJson(Json{{"watchlist", response.watchlist()}, {"faults", std::move(faults)}});
  } else {
    Print(drafted ? Clean(response.watchlist()) +
                        ": an empty draft; add entries: comity watchlist add\n"
                  : std::string("nothing was drafted\n"));
  }
  return drafted ? ExitCode::kOk : ExitCode::kNo;
}

Result<ExitCode> Copy(const DraftOptions& options, const Session& session) {
  v1::CopyEntriesRequest request;
  request.set_from(options.from);
  request.set_to(options.list);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::AddEntriesResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Copy, request));
  return ReportAdded(response, options.list, options.from, session.json);
}

Result<ExitCode> Submit(const DraftOptions& options, const Session& session) {
  v1::SubmitWatchlistRequest request;
  request.set_watchlist(options.list);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Submit, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<ExitCode> ApproveEntries(const DraftOptions& options, const Session& session) {
  v1::ApproveEntriesRequest request;
  request.set_watchlist(options.list);
  for (const std::string& reference : options.references) request.add_references(reference);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::PendingAct act,
      gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::ApproveEntries, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

}  // namespace

void AddWatchlistDraft(CommandLine& line, Session& session) {
  auto options = std::make_shared<DraftOptions>();
  line.Add({"watchlist draft", "begin a list",
            "Makes an empty draft from a list definition: to what one operation the list is bound, "
            "and\n"
            "which entries it takes (docs/formats/watchlist_definition.md).",
            "the definition has faults, printed as FILE:LINE:COLUMN: field: message",
            "comity watchlist draft court-warrants.yaml"},
           Asks::kGateway, [options, &session] { return Draft(*options, session); })
      .Add({"file", "FILE", "the definition, YAML, up to 64 KiB", true}, options->file);
  options = std::make_shared<DraftOptions>();
  line.Add({"watchlist copy", "copy entries of a list into a draft",
            "Adds what matches in one list to the draft of another. Every entry is read again "
            "under\n"
            "the draft's own rules, and needs its further approvals again.",
            "an entry does not fit the draft: nothing was copied",
            "comity watchlist copy court-warrants court-warrants-december"},
           Asks::kGateway, [options, &session] { return Copy(*options, session); })
      .Add({"from", "LIST", "an approved list", true}, options->from)
      .Add({"to", "DRAFT", "the draft that gets the entries", true}, options->list);
  options = std::make_shared<DraftOptions>();
  line.Add({"watchlist submit", "propose to approve a draft",
            "Proposes the draft exactly as it stands. A supervisor who had no part in it approves "
            "it:\n"
            "comity approvals. A later change of the draft makes the proposal void.",
            "", "comity watchlist submit court-warrants"},
           Asks::kGateway, [options, &session] { return Submit(*options, session); })
      .Add({"list", "LIST", "the draft", true}, options->list);
  options = std::make_shared<DraftOptions>();
  line.Add({"watchlist approve-entries", "propose to let entries match that need more approval",
            "Entries of victims, witnesses, associates, children and vulnerable people match only "
            "when\n"
            "two supervisors have approved them. Read each first: comity watchlist entry.",
            "", "comity watchlist approve-entries court-warrants ns-2026-0142 ns-2026-0143"},
           Asks::kGateway, [options, &session] { return ApproveEntries(*options, session); })
      .Add({"list", "LIST", "the list", true}, options->list)
      .Add({"references", "REFERENCE", "entries, 1 to 500", true}, options->references);
}

}  // namespace comity::cli
