// SPDX-License-Identifier: Apache-2.0
#include "services/cli/agreement_acts.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/agreements.grpc.pb.h"
#include "crypto/base/encoding.h"
#include "services/cli/agreement_source.h"
#include "services/cli/agreement_statement.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/profile.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using policy::StatementKind;

struct AgreementActOptions {
  std::string target, key, out, text, position, lifts;
};

Result<StatementRequest> RequestOf(StatementKind kind, const AgreementActOptions& options) {
  StatementRequest request;
  request.kind = kind;
  request.text = options.text;
  if (kind == StatementKind::kAdvice) {
    COMITY_ASSIGN_OR_RETURN(request.position, policy::ParseAdvicePosition(options.position));
  }
  if (kind == StatementKind::kResumption) {
    const auto lifts = ParseHexDigest(options.lifts);
    if (!lifts) {
      return Fail(ErrorCode::kInvalidArgument,
                  "--lifts: a statement id has 64 characters 0-9a-f; 'comity agreement status ID' "
                  "lists them");
    }
    request.lifts = *lifts;
  }
  return request;
}

Result<sign::SigningKey> KeyOf(const AgreementActOptions& options, const Session& session) {
  if (!options.key.empty()) return ReadSigningKey(options.key);
  const auto profile = LoadProfile(session);
  if (!profile || !profile->signing_key) {
    return Fail(ErrorCode::kInvalidArgument,
                "no signing key: give --key FILE, or name one in the profile");
  }
  return ReadSigningKey(*profile->signing_key);
}

void Announce(const policy::Agreement& agreement, const SignedStatement& made) {
  PrintError("comity: " + std::string(Name(made.statement.kind)) + " of " +
             made.statement.agreement.id.text() + " version " + std::to_string(agreement.version) +
             ", sha256 " + EncodeHex(agreement.sha256.view()) + ", as " + made.statement.post +
             " of " + made.statement.party.text());
}

nlohmann::ordered_json StatementJson(const SignedStatement& made) {
  return {{"statement", EncodeHex(made.id.view())},
          {"kind", std::string(Name(made.statement.kind))},
          {"party", made.statement.party.text()},
          {"post", made.statement.post}};
}

Result<ExitCode> SubmitMade(const NamedAgreement& named, const SignedStatement& made, bool json) {
  v1::SubmitAgreementRequest request;
  request.set_statement(made.dsse_json);
  COMITY_ASSIGN_OR_RETURN(
      const v1::SubmitAgreementResponse response,
      named.gateway->Call<v1::Agreements>(&v1::Agreements::Stub::Submit, request));
  if (json) {
    auto result = StatementJson(made);
    result.update(SubmittedJson(response));
    PrintJson(result);
  } else {
    Print("statement  " + EncodeHex(made.id.view()) + "\n" + SubmittedText(response));
  }
  return ExitCode::kOk;
}

// What an agreement without a version means to this act.
BareId MeantBy(StatementKind kind) {
  const bool is_of_proposals = kind == StatementKind::kAdvice ||
                               kind == StatementKind::kSignature ||
                               kind == StatementKind::kRejection;
  return is_of_proposals ? BareId::kHighest : BareId::kDeciding;
}

Result<ExitCode> Act(StatementKind kind, const AgreementActOptions& options,
                     const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const StatementRequest request, RequestOf(kind, options));
  COMITY_ASSIGN_OR_RETURN(const NamedAgreement named,
                          FindAgreement(options.target, session, {MeantBy(kind)}));
  COMITY_ASSIGN_OR_RETURN(const sign::SigningKey key, KeyOf(options, session));
  COMITY_ASSIGN_OR_RETURN(const SignedStatement made,
                          SignStatement(named.agreement, key, request, session.clock.Now()));
  Announce(named.agreement, made);
  if (!options.out.empty()) COMITY_RETURN_IF_ERROR(WriteNewFile(options.out, made.dsse_json));
  if (named.gateway) return SubmitMade(named, made, session.json);
  if (options.out.empty()) {
    Print(made.dsse_json);
  } else if (session.json) {
    PrintJson(StatementJson(made));
  }
  return ExitCode::kOk;
}

struct ActText {
  StatementKind kind;
  const char* verb;
  const char* summary;
  const char* detail;
  const char* example;
};

Command AddAct(CommandLine& line, Session& session, const ActText& act,
               const std::shared_ptr<AgreementActOptions>& options) {
  const std::string name = std::string("agreement ") + act.verb;
  Command command = line.Add(
      {name, act.summary,
       std::string(act.detail) +
           "\nWith a FILE everything happens offline and the statement goes to --out or standard\n"
           "output; with an ID the own gateway is asked for the document and gets the statement.\n"
           "Party and post are found by the key.",
       "the gateway refuses the statement", std::string("comity agreement ") + act.example},
      Asks::kGateway,
      [options, kind = act.kind, &session] { return Act(kind, *options, session); });
  command.Add({"agreement", "FILE|ID", "document, or agreement id (ID or ID@VERSION)", true},
              options->target);
  command.Add({"--key", "KEYFILE", "the person's signing key; default: the profile's", false},
              options->key);
  command.Add({"--out", "FILE", "file for the statement", false}, options->out);
  return command;
}

const OptionText kReason = {"--reason", "TEXT", "why, up to 4000 octets", true};

}  // namespace

std::string SubmittedText(const v1::SubmitAgreementResponse& response) {
  std::string text = "agreement  " + AgreementText(response.agreement()) + "\nstatus     " +
                     Clean(response.status()) +
                     (response.known_already() ? "  (known already)" : "") + "\n";
  for (const v1::PeerDelivery& delivery : response.deliveries()) {
    text += "peer       " + Clean(delivery.agency()) +
            (delivery.delivered() ? " has it, status there: " + Clean(delivery.peer_status())
                                  : " does not have it yet; the gateway repeats it") +
            (delivery.status_differs() ? " (differs: the stricter one decides)" : "") + "\n";
  }
  return text;
}

nlohmann::ordered_json DeliveryJson(const v1::PeerDelivery& delivery) {
  return {{"agency", delivery.agency()},
          {"delivered", delivery.delivered()},
          {"peer_status", delivery.peer_status()},
          {"status_differs", delivery.status_differs()}};
}

nlohmann::ordered_json SubmittedJson(const v1::SubmitAgreementResponse& response) {
  nlohmann::ordered_json json = {{"agreement", ToJson(response.agreement())},
                                 {"status", response.status()},
                                 {"known_already", response.known_already()},
                                 {"deliveries", nlohmann::ordered_json::array()}};
  for (const v1::PeerDelivery& delivery : response.deliveries()) {
    json["deliveries"].push_back(DeliveryJson(delivery));
  }
  return json;
}

void AddAgreementActs(CommandLine& line, Session& session) {
  auto options = std::make_shared<AgreementActOptions>();
  AddAct(line, session,
         {StatementKind::kSignature, "sign", "sign an agreement",
          "Signs a version of an agreement for a signatory. Read it first: comity agreement show.",
          "sign northshire-eastvale-2026 --key people/chief.key"},
         options);
  options = std::make_shared<AgreementActOptions>();
  AddAct(line, session,
         {StatementKind::kAdvice, "advise", "give a DPO's advice",
          "States the advice of a party's Data Protection Officer.",
          "advise agreement.yaml --key dpo.key --position for --text 'DPIA 2026-014 covers it.'"},
         options)
      .Add({"--position", "POSITION", "for, against or conditional", true}, options->position)
      .Add({"--text", "TEXT", "the advice, up to 4000 octets", true}, options->text);
  options = std::make_shared<AgreementActOptions>();
  AddAct(
      line, session,
      {StatementKind::kSuspension, "suspend", "suspend an agreement at once",
       "Suspends a version and every higher one. It takes effect at once here, and at the other\n"
       "agency with its delivery, also inside open streams. An ID without a version is the\n"
       "version that decides now, also when a higher one is proposed.",
       "suspend northshire-eastvale-2026 --key dpo.key --reason 'inquiry 12'"},
      options)
      .Add(kReason, options->text);
  options = std::make_shared<AgreementActOptions>();
  AddAct(line, session,
         {StatementKind::kResumption, "resume", "lift a suspension",
          "Lifts one suspension; it takes two signatories of the side that suspended. Name the\n"
          "version that was suspended, if it is not the one that decides now.",
          "resume northshire-eastvale-2026 --key chief.key --lifts 5f1c... --reason 'closed'"},
         options)
      .Add({"--lifts", "STATEMENT_ID", "id of the suspension, 64 hexadecimal characters", true},
           options->lifts)
      .Add(kReason, options->text);
  options = std::make_shared<AgreementActOptions>();
  AddAct(
      line, session,
      {StatementKind::kTermination, "terminate", "end an agreement for good",
       "Terminates a version, together with a second signatory of the same party: it ends after\n"
       "the document's notice, or at once when two of each party have said so. It is final.",
       "terminate northshire-eastvale-2026@1 --key chief.key --reason 'replaced'"},
      options)
      .Add(kReason, options->text);
  options = std::make_shared<AgreementActOptions>();
  AddAct(line, session,
         {StatementKind::kRejection, "reject", "refuse a proposed agreement for good",
          "Refuses a version that is not signed by all yet, for a signatory. It is final; what is\n"
          "signed by all is suspended or terminated instead.",
          "reject northshire-eastvale-2026@2 --key chief.key --reason 'retention too long'"},
         options)
      .Add(kReason, options->text);
  options = std::make_shared<AgreementActOptions>();
  AddAct(line, session,
         {StatementKind::kReview, "review", "say that an agreement was reviewed",
          "States that the party's DPO or a signatory has reviewed a version. The review is done\n"
          "when both have, of both parties. To go on beyond review_by takes a higher version.",
          "review northshire-eastvale-2026 --key dpo.key --text 'Still needed; no changes.'"},
         options)
      .Add({"--text", "TEXT", "what was found, up to 4000 octets", true}, options->text);
}

}  // namespace comity::cli
