// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_entries.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxEntry = std::size_t{16} << 10;

struct EntryOptions {
  std::string list, reference, reason, file;
  bool contested = false;
};

Json EntryJson(const v1::ShowEntryResponse& response) {
  const v1::EntrySummary& entry = response.entry();
  const Json fields = Json::parse(response.fields(), nullptr, false);
  return {{"reference", entry.reference()},
          {"category", entry.category()},
          {"state", entry.state()},
          {"restriction", entry.restriction()},
          {"clearance", entry.clearance()},
          {"under_18", entry.under_18()},
          {"valid_from", TimeText(entry.valid_from())},
          {"expires_at", TimeText(entry.expires_at())},
          {"review_by", TimeText(entry.review_by())},
          {"as_of", TimeText(entry.as_of())},
          {"ended_at", TimeText(entry.ended_at())},
          {"fields", fields.is_object() ? fields : Json(nullptr)}};
}

Result<ExitCode> ShowEntry(const EntryOptions& options, const Session& session) {
  v1::ShowEntryRequest request;
  request.set_watchlist(options.list);
  request.set_reference(options.reference);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ShowEntryResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::ShowEntry, request));
  const Json json = EntryJson(response);
  if (session.json) {
    PrintJson(json);
  } else {
    Print(Clean(json.dump(2, ' ', false, Json::error_handler_t::replace), Lines::kKeep) + "\n");
  }
  return ExitCode::kOk;
}

// What came of taking an entry out of matching.
void ReportStopped(const EntryOptions& options, std::uint64_t active, bool json) {
  if (json) {
    PrintJson(
        Json{{"watchlist", options.list}, {"reference", options.reference}, {"active", active}});
  } else {
    Print(options.reference + " matches no more; " + std::to_string(active) + " entries of " +
          options.list + " still do\n");
  }
}

Result<ExitCode> Withdraw(const EntryOptions& options, const Session& session) {
  v1::WithdrawEntryRequest request;
  request.set_watchlist(options.list);
  request.set_reference(options.reference);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::WithdrawEntryResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Withdraw, request));
  ReportStopped(options, response.active(), session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Restrict(const EntryOptions& options, const Session& session) {
  v1::RestrictEntryRequest request;
  request.set_watchlist(options.list);
  request.set_reference(options.reference);
  request.set_contested(options.contested);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::RestrictEntryResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Restrict, request));
  ReportStopped(options, response.active(), session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Unrestrict(const EntryOptions& options, const Session& session) {
  v1::UnrestrictEntryRequest request;
  request.set_watchlist(options.list);
  request.set_reference(options.reference);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Unrestrict, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Correct(const EntryOptions& options, const Session& session) {
  v1::CorrectEntryRequest request;
  request.set_watchlist(options.list);
  request.set_reference(options.reference);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(*request.mutable_entry(), ReadLocalText(options.file, kMaxEntry));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::CorrectEntryResponse response,
                          gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Correct, request));
  const bool corrected = response.faults().empty();
  Json faults = Json::array();
  for (const std::string& fault : response.faults()) {
    faults.push_back(fault);
    if (!session.json) PrintError(options.file + ": " + Clean(fault));
  }
  if (session.json) {
    PrintJson(Json{{"watchlist", options.list},
                   {"reference", options.reference},
                   {"faults", std::move(faults)},
                   {"awaits_approval", response.awaits_approval()}});
  } else {
    Print(options.reference + (corrected ? " is corrected\n" : ": nothing was corrected\n"));
    if (response.awaits_approval()) {
      Print("It does not match until two people approve it: comity watchlist approve-entries\n");
    }
  }
  return corrected ? ExitCode::kOk : ExitCode::kNo;
}

Command AddOne(CommandLine& line, const CommandText& text, EntryOptions& options,
               CommandLine::Run run) {
  return line.Add(text, Asks::kGateway, std::move(run))
      .Add({"list", "LIST", "the list", true}, options.list)
      .Add({"reference", "REFERENCE", "the entry's reference", true}, options.reference);
}

}  // namespace

void AddWatchlistEntries(CommandLine& line, Session& session) {
  auto options = std::make_shared<EntryOptions>();
  AddOne(line,
         {"watchlist entry", "see one entry",
          "Prints state and fields of an entry: no face, and no key to the person. The log keeps\n"
          "who read it, and why: data protection officers and auditors give a reason.",
          "", "comity watchlist entry court-warrants ns-2026-0142"},
         *options, [options, &session] { return ShowEntry(*options, session); })
      .Add({"--reason", "TEXT", "why, up to 1000 octets", false}, options->reason);
  options = std::make_shared<EntryOptions>();
  AddOne(line,
         {"watchlist withdraw", "withdraw one entry",
          "Stops an entry from matching before it answers, and erases its template and fields for\n"
          "good. Partners that were told of it are told.",
          "", "comity watchlist withdraw court-warrants ns-2026-0142 --reason 'arrested'"},
         *options, [options, &session] { return Withdraw(*options, session); })
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
  options = std::make_shared<EntryOptions>();
  AddOne(line,
         {"watchlist correct", "correct one entry",
          "Replaces an entry's fields, never its face, by those of FILE: one JSON object as in\n"
          "`watchlist add`. On an approved list validity can only become shorter, and an entry of\n"
          "people who need more protection waits for its approval again; so does one of which\n"
          "more changes than validity, review, reliability, and whether the person is identified.",
          "the entry has faults: nothing was corrected",
          "comity watchlist correct court-warrants ns-2026-0142 entry.json --reason 'wrong court'"},
         *options, [options, &session] { return Correct(*options, session); })
      .Add({"file", "FILE", "the whole entry as it is to be", true}, options->file)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
  options = std::make_shared<EntryOptions>();
  AddOne(
      line,
      {"watchlist restrict", "stop one entry from matching, for now",
       "Stops an entry from matching before it answers; face and fields stay. Two people lift\n"
       "it: comity watchlist unrestrict.",
       "", "comity watchlist restrict court-warrants ns-2026-0142 --contested --reason 'denies'"},
      *options, [options, &session] { return Restrict(*options, session); })
      .Add({"--contested", "", "the entry's accuracy is contested", false}, options->contested)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
  options = std::make_shared<EntryOptions>();
  AddOne(line,
         {"watchlist unrestrict", "propose to let a restricted entry match again",
          "Proposes it; a supervisor other than you approves it: comity approvals.", "",
          "comity watchlist unrestrict court-warrants ns-2026-0142 --reason 'identity confirmed'"},
         *options, [options, &session] { return Unrestrict(*options, session); })
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
