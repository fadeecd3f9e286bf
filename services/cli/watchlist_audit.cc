// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_audit.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "comity/v1/watchlists.grpc.pb.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;
using BlockNumbers = google::protobuf::RepeatedField<std::uint32_t>;

// A million entries are made again in some minutes.
constexpr std::chrono::minutes kAuditPatience{30};

struct ListAuditOptions {
  std::string list;
};

Json AuditJson(const v1::SealedListAudit& one) {
  return {{"requester", Clean(one.requester())},
          {"agreement", Clean(one.agreement())},
          {"agreement_version", one.agreement_version()},
          {"purpose", Clean(one.purpose())},
          {"epoch", one.epoch()},
          {"header", HexText(one.header())},
          {"sequence", one.sequence()},
          {"verified", std::vector(one.verified().begin(), one.verified().end())},
          {"differing", std::vector(one.differing().begin(), one.differing().end())},
          {"withdrawn", std::vector(one.withdrawn().begin(), one.withdrawn().end())},
          {"unaccounted", std::vector(one.unaccounted().begin(), one.unaccounted().end())}};
}

std::string BlocksText(const v1::SealedListAudit& one, const BlockNumbers& numbers,
                       const std::string& finding) {
  std::string text;
  for (const std::uint32_t number : numbers) {
    text += Clean(one.requester()) + ", " + Clean(one.purpose()) + ", epoch " +
            std::to_string(one.epoch()) + ": block " + std::to_string(number) + " " + finding +
            "\n";
  }
  return text;
}

void ReportAudit(const std::string& list, const v1::AuditWatchlistResponse& response) {
  if (response.lists().empty()) return Print(list + ": no sealed list of it is in force\n");
  Table table({"PARTNER", "AGREEMENT", "PURPOSE", "EPOCH", "STATE", "VERIFIED", "DIFFERING",
               "WITHDRAWN", "UNACCOUNTED"});
  std::string blocks;
  for (const v1::SealedListAudit& one : response.lists()) {
    table.Add({one.requester(), one.agreement() + "/" + std::to_string(one.agreement_version()),
               one.purpose(), std::to_string(one.epoch()), std::to_string(one.sequence()),
               std::to_string(one.verified_size()), std::to_string(one.differing_size()),
               std::to_string(one.withdrawn_size()), std::to_string(one.unaccounted_size())});
    blocks += BlocksText(one, one.differing(), "DIFFERS: it is not sealed of the list's entries");
    blocks += BlocksText(one, one.withdrawn(),
                         "cannot be checked: an entry of it is withdrawn and erased");
    blocks += BlocksText(one, one.unaccounted(),
                         "cannot be checked, UNACCOUNTED for: it searches for somebody who is not "
                         "on the list; repeat in some minutes");
  }
  Print(table.Text() + blocks);
}

Result<ExitCode> AuditList(const ListAuditOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::AuditWatchlistRequest request;
  request.set_watchlist(options.list);
  COMITY_ASSIGN_OR_RETURN(
      const v1::AuditWatchlistResponse response,
      gateway.Call<v1::Watchlists>(&v1::Watchlists::Stub::Audit, request, kAuditPatience));
  Json lists = Json::array();
  for (const v1::SealedListAudit& one : response.lists()) {
    lists.push_back(AuditJson(one));
  }
  if (session.json) {
    PrintJson(Json{{"watchlist", options.list}, {"lists", std::move(lists)}});
  } else {
    ReportAudit(options.list, response);
  }
  return IsAccountedFor(response) ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

bool IsAccountedFor(const v1::AuditWatchlistResponse& response) {
  return std::ranges::all_of(response.lists(), [](const v1::SealedListAudit& one) {
    return one.differing().empty() && one.unaccounted().empty();
  });
}

void AddWatchlistAudit(CommandLine& line, Session& session) {
  const auto options = std::make_shared<ListAuditOptions>();
  line.Add(
          {"watchlist audit", "check that sealed copies hold the list and nothing else",
           "For auditors. Makes every block of each sealed list in force of this list again, from\n"
           "the entries as they are stored, and compares it with what the partner holds. A block\n"
           "that differs was not sealed of the list's entries: it may be crafted to find out more\n"
           "of the partner's faces than whether they are listed. A block with an erased entry\n"
           "cannot be checked: it is withdrawn if the signed state says so of that entry; a new\n"
           "epoch, at most 24 hours later, is without it. It is unaccounted if the block still\n"
           "searches for an entry that the list has not. While a change is under way that can be\n"
           "so for moments: repeat it; if it stays, treat it as one that differs. One audit at a\n"
           "time. The result is in the log (sealed-list-audited).",
           "a block differs or is unaccounted", "comity watchlist audit court-warrants"},
          Asks::kGateway, [options, &session] { return AuditList(*options, session); })
      .Add({"list", "LIST", "the list", true}, options->list);
}

}  // namespace comity::cli
