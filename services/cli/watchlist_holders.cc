// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_holders.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "comity/v1/holdings.grpc.pb.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct HoldersOptions {
  std::string reference, agreement;
};

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

// How a message to a partner stands, in words.
std::string AnswerText(const v1::PartnerAnswer& answer) {
  if (answer.has_acknowledged_at()) {
    return "acknowledged " + TimeText(answer.acknowledged_at()) +
           (answer.receipt_verified() ? ", receipt verified" : ", RECEIPT DOES NOT VERIFY");
  }
  std::string text = "waits since " + TimeText(answer.sent_at());
  if (!answer.refused().empty()) text += ", refused: " + Clean(answer.refused());
  if (answer.overdue()) text += ", OVERDUE since " + TimeText(answer.due_by());
  return text;
}

Json AnswerJson(const v1::PartnerAnswer& answer) {
  return {{"sent_at", TimeText(answer.sent_at())},
          {"due_by", TextOrNull(TimeText(answer.due_by()))},
          {"acknowledged_at", TextOrNull(TimeText(answer.acknowledged_at()))},
          {"overdue", answer.overdue()},
          {"refused", TextOrNull(answer.refused())},
          {"receipt", TextOrNull(answer.receipt())},
          {"receipt_verified", answer.receipt_verified()}};
}

Json HolderJson(const v1::EntryHolder& holder) {
  return {{"watchlist", holder.watchlist()},
          {"partner", holder.partner()},
          {"agreement", holder.agreement()},
          {"first_told_at", TimeText(holder.first_told_at())},
          {"told_at", TimeText(holder.told_at())},
          {"held_until", TimeText(holder.held_until())},
          {"times", holder.times()},
          {"holds", holder.holds()},
          {"change", TextOrNull(holder.change())},
          {"answer", holder.has_answer() ? AnswerJson(holder.answer()) : Json(nullptr)}};
}

Result<ExitCode> Holders(const HoldersOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::HoldersRequest request;
  request.set_reference(options.reference);
  COMITY_ASSIGN_OR_RETURN(const v1::HoldersResponse response,
                          gateway.Call<v1::Holdings>(&v1::Holdings::Stub::OfReference, request));
  Table table({"PARTNER", "HOLDS", "LIST", "AGREEMENT", "TOLD", "TIMES", "CHANGE", "ANSWER"});
  Json json = Json::array();
  for (const v1::EntryHolder& holder : response.holders()) {
    json.push_back(HolderJson(holder));
    table.Add({holder.partner(), holder.holds() ? "yes" : "no", holder.watchlist(),
               holder.agreement(), TimeText(holder.told_at()), std::to_string(holder.times()),
               holder.change().empty() ? "none" : holder.change(),
               holder.has_answer() ? AnswerText(holder.answer()) : ""});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no partner was told of " + Clean(options.reference) + "\n"
                        : table.Text());
  }
  return ExitCode::kOk;
}

Json DeletionJson(const v1::Deletion& deletion) {
  return {{"agreement", deletion.agreement()},
          {"version", deletion.version()},
          {"holder", deletion.holder()},
          {"ordered_at", TimeText(deletion.ordered_at())},
          {"done_at", TextOrNull(TimeText(deletion.done_at()))},
          {"erased", deletion.erased()},
          {"answer", deletion.has_answer() ? AnswerJson(deletion.answer()) : Json(nullptr)}};
}

Result<ExitCode> Receipts(const HoldersOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::DeletionsRequest request;
  request.set_agreement(options.agreement);
  COMITY_ASSIGN_OR_RETURN(const v1::DeletionsResponse response,
                          gateway.Call<v1::Holdings>(&v1::Holdings::Stub::Deletions, request));
  Table table({"AGREEMENT", "PARTY", "ORDERED", "ERASED", "ANSWER"});
  Json json = Json::array();
  for (const v1::Deletion& deletion : response.deletions()) {
    json.push_back(DeletionJson(deletion));
    table.Add({deletion.agreement() + " v" + std::to_string(deletion.version()), deletion.holder(),
               TimeText(deletion.ordered_at()),
               deletion.has_done_at() ? std::to_string(deletion.erased()) : "",
               deletion.has_answer() ? AnswerText(deletion.answer())
                                     : "done here " + TimeText(deletion.done_at())});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no deletion was started\n" : table.Text());
  }
  const bool all_answered = std::ranges::all_of(
      response.deletions(), [](const v1::Deletion& deletion) { return deletion.has_done_at(); });
  return all_answered ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

void AddWatchlistHolders(CommandLine& line, Session& session) {
  auto options = std::make_shared<HoldersOptions>();
  line.Add({"watchlist holders", "who was told of an entry, and knows of its changes",
            "Prints each partner that a search told of the entry, whether it may still hold it, "
            "what it\n"
            "was last told of the entry, and its signed receipt for that.",
            "", "comity watchlist holders ns-2026-0142"},
           Asks::kGateway, [options, &session] { return Holders(*options, session); })
      .Add({"reference", "REFERENCE", "the entry's reference", true}, options->reference);
}

void AddAgreementReceipts(CommandLine& line, Session& session) {
  auto options = std::make_shared<HoldersOptions>();
  line.Add({"agreement receipts", "who has deleted what an ended agreement gave",
            "When an agreement is terminated, each party erases what it got under it and answers "
            "with a\n"
            "signed receipt. Prints the parties, those that have not answered too.",
            "a party has not answered", "comity agreement receipts northshire-eastvale-2026"},
           Asks::kGateway, [options, &session] { return Receipts(*options, session); })
      .Add({"agreement", "ID", "one agreement; default: all", false}, options->agreement);
}

}  // namespace comity::cli
