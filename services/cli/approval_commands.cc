// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/approvals.grpc.pb.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "services/cli/approval_text.h"
#include "services/cli/card_approval.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/person_key.h"
#include "services/cli/wire_text.h"
#include "services/identity/approval_decision.h"

namespace comity::cli {
namespace {

using identity::DecisionKind;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxListed = 1000;
constexpr std::size_t kFewestDigits = 8;  // of --sha256: 32 bits, of a hash that nobody can choose

struct ApprovalOptions {
  std::string approval, reason, key, sha256, fingerprint;
  std::optional<std::uint64_t> limit;
  bool all = false;
  bool uphold = false;
  bool overturn = false;
};

Result<ExitCode> List(const ApprovalOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::ListApprovalsRequest request;
  request.set_all(options.all);
  request.set_limit(static_cast<std::uint32_t>(options.limit.value_or(0)));
  COMITY_ASSIGN_OR_RETURN(const v1::ListApprovalsResponse response,
                          gateway.Call<v1::Approvals>(&v1::Approvals::Stub::List, request));
  Table table({"APPROVAL", "STATE", "ACT", "SUBJECT", "PROPOSED BY", "EXPIRES"});
  Json json = Json::array();
  for (const v1::PendingAct& act : response.approvals()) {
    json.push_back(PendingJson(act));
    table.Add({act.approval(), act.state(), act.act(), act.subject(), act.proposed_by(),
               act.state() == "pending" ? TimeText(act.expires_at()) : ""});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no acts\n" : table.Text());
  }
  return ExitCode::kOk;
}

// The act, with a hash that is really that of its content.
Result<v1::PendingAct> Get(const OwnGateway& gateway, const std::string& approval) {
  v1::GetApprovalRequest request;
  request.set_approval(approval);
  COMITY_ASSIGN_OR_RETURN(v1::PendingAct act,
                          gateway.Call<v1::Approvals>(&v1::Approvals::Stub::Get, request));
  if (hash::Sha256(AsBytes(act.content())).view().size() != act.sha256().size() ||
      AsText(hash::Sha256(AsBytes(act.content())).view()) != act.sha256()) {
    return Fail(ErrorCode::kCorrupt, "the gateway's hash is not that of the content it sent");
  }
  return act;
}

Result<ExitCode> Show(const ApprovalOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act, Get(gateway, options.approval));
  if (session.json) {
    Json json = PendingJson(act);
    json["content"] = act.content();
    PrintJson(json);
  } else {
    Print(PendingText(act));
  }
  return ExitCode::kOk;
}

// What is signed is what was read: it is named by the hash that stood beside it, or the words are
// shown and somebody answers.
Status CheckRead(const v1::PendingAct& act, const std::string& sha256) {
  const std::string digits = EncodeHex(hash::Sha256(AsBytes(act.content())).view());
  if (!sha256.empty() && sha256.size() < kFewestDigits) {
    return Fail(ErrorCode::kInvalidArgument, "--sha256 takes at least 8 hexadecimal digits");
  }
  if (!digits.starts_with(sha256)) {
    return Fail(ErrorCode::kConflict,
                "the content has another SHA-256 than --sha256; look again: "
                "comity approvals show " +
                    act.approval());
  }
  if (!sha256.empty() || TakesCard(act)) return {};  // a card is named by its fingerprint
  if (isatty(STDIN_FILENO) == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "give --sha256 with the hash of what you have read: comity approvals show " +
                    act.approval());
  }
  PrintError(Clean(act.words(), Lines::kKeep));
  std::cerr << "Content SHA-256 " << digits << "\nSign this? Type yes: " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  if (line == "yes") return {};
  return Fail(ErrorCode::kConflict, "nothing was signed");
}

bool CarriesOut(DecisionKind kind) {
  return kind == DecisionKind::kApprove || kind == DecisionKind::kUrgent;
}

Result<ExitCode> Decide(DecisionKind kind, const ApprovalOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const PersonSigner signer, LoadSigner(session, options.key));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act, Get(gateway, options.approval));
  identity::Decision decision;
  decision.approval = act.approval();
  decision.act = act.act();
  decision.sha256 = hash::Sha256(AsBytes(act.content()));
  if (CarriesOut(kind) || !options.sha256.empty()) {
    COMITY_RETURN_IF_ERROR(CheckRead(act, options.sha256));
  }
  decision.kind = kind;
  decision.person = signer.person;
  decision.at = session.clock.Now();
  decision.reason = options.reason;
  if (kind == DecisionKind::kApprove && TakesCard(act)) {
    COMITY_ASSIGN_OR_RETURN(decision.reason, ComparedFingerprint(act, options.fingerprint));
  } else if (!options.fingerprint.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "--fingerprint is for acts that take a partner's card");
  }
  // What is signed is what is shown.
  PrintError(Clean(act.words(), Lines::kKeep));
  v1::DecideApprovalRequest request;
  COMITY_ASSIGN_OR_RETURN(*request.mutable_decision(),
                          identity::SignDecision(signer.key, decision));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct decided,
                          gateway.Call<v1::Approvals>(&v1::Approvals::Stub::Decide, request));
  if (session.json) {
    PrintJson(PendingJson(decided));
  } else {
    Print(decided.approval() + " is " + Clean(decided.state()) + "\n");
  }
  return ExitCode::kOk;
}

Result<ExitCode> Review(const ApprovalOptions& options, const Session& session) {
  if (options.uphold == options.overturn) {
    return Fail(ErrorCode::kInvalidArgument, "give one of --uphold and --overturn");
  }
  return Decide(options.uphold ? DecisionKind::kUphold : DecisionKind::kOverturn, options, session);
}

struct DecideText {
  DecisionKind kind;
  CommandText text;
  bool needs_reason;
};

void AddDecide(CommandLine& line, Session& session, const DecideText& decide) {
  const auto options = std::make_shared<ApprovalOptions>();
  Command command = line.Add(decide.text, Asks::kGateway, [options, kind = decide.kind, &session] {
    return Decide(kind, *options, session);
  });
  command.Add({"approval", "APPROVAL", "id of the act, p-...", true}, options->approval)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", decide.needs_reason}, options->reason)
      .Add({"--sha256", "HEX", "the hash of what you have read, or its first 8 digits or more",
            false},
           options->sha256)
      .Add({"--key", "KEYFILE", "your signing key; default: the profile's", false}, options->key);
  if (decide.kind != DecisionKind::kApprove) return;
  command.Add({"--fingerprint", "HEX",
               "of a partner's card, as the partner read it to you over another way", false},
              options->fingerprint);
}

void AddReading(CommandLine& line, Session& session) {
  auto options = std::make_shared<ApprovalOptions>();
  line.Add({"approvals list", "acts that wait for a second person",
            "Prints acts that wait, or were carried out by one person and wait for their review,\n"
            "newest first: those that your roles may propose, approve or oversee.",
            "", "comity approvals list"},
           Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--all", "", "also those that are decided", false}, options->all)
      .Add({"--limit", "N", "how many, 1 to 1000; default 100", false},
           CountTarget{options->limit, 1, kMaxListed});
  options = std::make_shared<ApprovalOptions>();
  line.Add({"approvals show", "what an act would do, in words",
            "Prints exactly what would be done, the hash of its content, who proposed it, who may\n"
            "approve it and until when.",
            "", "comity approvals show p-..."},
           Asks::kGateway, [options, &session] { return Show(*options, session); })
      .Add({"approval", "APPROVAL", "id of the act, p-...", true}, options->approval);
}

}  // namespace

void AddApprovalCommands(CommandLine& line, Session& session) {
  line.Group("approvals", "acts that need two people");
  AddReading(line, session);
  AddDecide(
      line, session,
      {DecisionKind::kApprove,
       {"approvals approve", "approve an act",
        "Prints what would be done, signs this content with your key and has it carried out.\n"
        "Name what you have read with --sha256; at a terminal the words are shown and you are\n"
        "asked. Nobody approves what they proposed.",
        "it cannot be done any more, or was decided meanwhile",
        "comity approvals approve p-... --sha256 5f1c09aa"},
       false});
  AddDecide(line, session,
            {DecisionKind::kReject,
             {"approvals reject", "reject an act",
              "Ends an act that waits. Who proposed it may do so too.", "it was decided meanwhile",
              "comity approvals reject p-... --reason 'the list is too wide'"},
             true});
  AddDecide(
      line, session,
      {DecisionKind::kUrgent,
       {"approvals urgent", "carry out an own act alone, in an emergency",
        "For acts that allow it: the proposer, who must be of the approving role, carries the\n"
        "act out without a second person, naming it as in `approvals approve`. Everybody who\n"
        "oversees is told at once, and another supervisor must review it within 24 hours.",
        "it was decided meanwhile",
        "comity approvals urgent p-... --sha256 5f1c09aa --reason 'child missing since noon'"},
       true});
  const auto options = std::make_shared<ApprovalOptions>();
  line.Add({"approvals review", "review an act that one person carried out",
            "A supervisor other than who did it upholds or overturns it. Overturning tells "
            "everybody\n"
            "who oversees; what was begun is stopped by the stop control.",
            "it waits for no review",
            "comity approvals review p-... --uphold --reason 'risk to life was real'"},
           Asks::kGateway, [options, &session] { return Review(*options, session); })
      .Add({"approval", "APPROVAL", "id of the act, p-...", true}, options->approval)
      .Add({"--uphold", "", "it was right", false}, options->uphold)
      .Add({"--overturn", "", "it was wrong", false}, options->overturn)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--key", "KEYFILE", "your signing key; default: the profile's", false}, options->key);
}

}  // namespace comity::cli
