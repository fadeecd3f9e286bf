// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "comity/v1/agreements.grpc.pb.h"
#include "crypto/base/encoding.h"
#include "policy/agreement/render.h"
#include "policy/agreement/statement.h"
#include "services/cli/agreement_acts.h"
#include "services/cli/agreement_source.h"
#include "services/cli/agreement_status.h"
#include "services/cli/agreement_trials.h"
#include "services/cli/commands.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/watchlist_holders.h"
#include "services/transport/limits.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace limits = transport::limits;

struct AgreementOptions {
  std::string target, dir, against;
  std::vector<std::string> files;
};

Json IssuesJson(const CheckedDocument& document) {
  Json issues = Json::array();
  for (const policy::Issue& issue : document.issues) {
    issues.push_back({{"line", issue.line},
                      {"column", issue.column},
                      {"path", issue.path},
                      {"message", issue.message}});
  }
  return issues;
}

Json ReferenceJson(const policy::Agreement& agreement) {
  return {{"id", agreement.id.text()},
          {"version", agreement.version},
          {"sha256", EncodeHex(agreement.sha256.view())}};
}

Result<ExitCode> Check(const AgreementOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const CheckedDocument checked, CheckDocumentFile(options.target));
  const ExitCode code = checked.agreement ? ExitCode::kOk : ExitCode::kNo;
  if (session.json) {
    PrintJson({{"file", options.target},
               {"agreement", checked.agreement ? ReferenceJson(*checked.agreement) : Json(nullptr)},
               {"faults", IssuesJson(checked)}});
  } else if (checked.agreement) {
    Print(options.target + ": no faults; " + checked.agreement->id.text() + " version " +
          std::to_string(checked.agreement->version) + ", sha256 " +
          EncodeHex(checked.agreement->sha256.view()) + "\n");
  } else {
    Print(Clean(DescribeIssues(checked, options.target), Lines::kKeep) + "\n");
  }
  return code;
}

Result<ExitCode> Show(const AgreementOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const NamedAgreement named, FindAgreement(options.target, session));
  if (!options.against.empty()) {
    COMITY_ASSIGN_OR_RETURN(const NamedAgreement other, FindAgreement(options.against, session));
    return PrintDifference(other.agreement, named.agreement, session);
  }
  const std::string clauses = policy::RenderClauses(named.agreement);
  if (session.json) {
    PrintJson({{"agreement", ReferenceJson(named.agreement)},
               {"title", named.agreement.title},
               {"clauses", clauses}});
  } else {
    Print(clauses + "\nSHA-256 of the document: " + EncodeHex(named.agreement.sha256.view()) +
          "\n");
  }
  return ExitCode::kOk;
}

// A statement is JSON, hence begins with a brace; a document never does.
bool IsStatement(const std::string& content) {
  return !content.empty() && content.front() == '{';
}

Result<v1::SubmitAgreementRequest> ReadSubmission(const std::string& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string content,
                          ReadLocalText(file, limits::kMaxAgreementDocument));
  v1::SubmitAgreementRequest request;
  if (IsStatement(content)) {
    request.set_statement(content);
  } else {
    request.set_document(content);
  }
  return request;
}

// All documents are checked before the first file is sent. True: none has a fault.
Result<bool> CheckSubmissions(const std::vector<std::string>& files) {
  bool all_good = true;
  for (const std::string& file : files) {
    COMITY_ASSIGN_OR_RETURN(const v1::SubmitAgreementRequest request, ReadSubmission(file));
    if (!request.has_document()) continue;
    COMITY_ASSIGN_OR_RETURN(const CheckedDocument checked, CheckDocumentFile(file));
    if (checked.agreement) continue;
    PrintError(Clean(DescribeIssues(checked, file), Lines::kKeep));
    all_good = false;
  }
  return all_good;
}

Result<ExitCode> Submit(const AgreementOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const bool all_good, CheckSubmissions(options.files));
  if (!all_good) return ExitCode::kNo;
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  Json all = Json::array();
  for (const std::string& file : options.files) {
    COMITY_ASSIGN_OR_RETURN(const v1::SubmitAgreementRequest request, ReadSubmission(file));
    auto response = gateway.Call<v1::Agreements>(&v1::Agreements::Stub::Submit, request);
    if (!response) {
      return Fail(response.error().code, file + ": " + response.error().detail);
    }
    if (!session.json) Print("file       " + file + "\n" + SubmittedText(*response));
    all.push_back(SubmittedJson(*response));
    all.back()["file"] = file;
  }
  if (session.json) PrintJson(all);
  return ExitCode::kOk;
}

// ID-v1.signature-5f1c2a3b.json
Result<std::string> StatementFileName(const std::string& prefix, const std::string& text) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope envelope,
                          sign::ParseDsseJson(text, limits::kMaxStatement));
  COMITY_ASSIGN_OR_RETURN(const policy::Statement statement,
                          policy::ParseStatementPayload(AsText(envelope.payload)));
  const std::string id = EncodeHex(policy::StatementId(envelope.payload).view());
  return prefix + "." + std::string(Name(statement.kind)) + "-" + id.substr(0, 16) + ".json";
}

Result<ExitCode> Export(const AgreementOptions& options, const Session& session) {
  if (!ParseAgreementName(options.target)) {
    return Fail(ErrorCode::kInvalidArgument, "export takes an agreement id (ID or ID@VERSION)");
  }
  COMITY_ASSIGN_OR_RETURN(const NamedAgreement named,
                          FindAgreement(options.target, session, {.statements = true}));
  std::error_code fault;
  std::filesystem::create_directories(options.dir, fault);
  const std::string prefix =
      named.agreement.id.text() + "-v" + std::to_string(named.agreement.version);
  std::vector<std::string> written = {prefix + ".yaml"};
  const std::filesystem::path dir = options.dir;
  COMITY_RETURN_IF_ERROR(WriteNewFile(dir / written.front(), named.document));
  for (const std::string& statement : named.statements) {
    COMITY_ASSIGN_OR_RETURN(std::string name, StatementFileName(prefix, statement));
    COMITY_RETURN_IF_ERROR(WriteNewFile(dir / name, statement));
    written.push_back(std::move(name));
  }
  if (session.json) {
    PrintJson(
        {{"agreement", ReferenceJson(named.agreement)}, {"dir", options.dir}, {"files", written}});
  } else {
    for (const std::string& name : written) Print((dir / name).string() + "\n");
  }
  return ExitCode::kOk;
}

void AddReading(CommandLine& line, Session& session) {
  auto options = std::make_shared<AgreementOptions>();
  line.Add(
          {"agreement check", "list all faults of a document",
           "Reads an agreement document as a gateway does and lists every fault with its line and\n"
           "column. Needs no gateway.",
           "the document has faults", "comity agreement check agreement.yaml"},
          Asks::kNobody, [options, &session] { return Check(*options, session); })
      .Add({"file", "FILE", "the YAML document", true}, options->target);
  options = std::make_shared<AgreementOptions>();
  line.Add({"agreement show", "an agreement in plain English",
            "Prints the numbered clauses that the document means, and its SHA-256; with --against\n"
            "only what differs from another version. A FILE needs no gateway.",
            "", "comity agreement show northshire-eastvale-2026"},
           Asks::kGateway, [options, &session] { return Show(*options, session); })
      .Add({"agreement", "FILE|ID", "document, or agreement id (ID or ID@VERSION)", true},
           options->target)
      .Add({"--against", "FILE|ID", "the version before it", false}, options->against);
}

void AddExchange(CommandLine& line, Session& session) {
  auto options = std::make_shared<AgreementOptions>();
  line.Add({"agreement submit", "give documents or statements to the own gateway",
            "Sends files to the own gateway, which keeps them, countersigns statements of its own\n"
            "people and passes all on to the other party. All documents are checked first.",
            "a document has faults, or the gateway refuses a file",
            "comity agreement submit agreement.yaml advice.json"},
           Asks::kGateway, [options, &session] { return Submit(*options, session); })
      .Add({"files", "FILE...", "YAML documents or DSSE JSON statements", true}, options->files);
  options = std::make_shared<AgreementOptions>();
  line.Add({"agreement export", "document and statements as files",
            "Writes ID-vN.yaml and one file a statement into DIR; 'agreement submit' takes them.",
            "a file exists already", "comity agreement export northshire-eastvale-2026 --dir out"},
           Asks::kGateway, [options, &session] { return Export(*options, session); })
      .Add({"id", "ID", "agreement id (ID or ID@VERSION)", true}, options->target)
      .Add({"--dir", "DIR", "folder to write to; made if absent", true}, options->dir);
}

}  // namespace

void AddAgreementCommands(CommandLine& line, Session& session) {
  line.Group("agreement", "data-sharing agreements");
  AddReading(line, session);
  AddAgreementTrials(line, session);
  AddAgreementActs(line, session);
  AddExchange(line, session);
  AddAgreementStatus(line, session);
  AddAgreementReceipts(line, session);
}

}  // namespace comity::cli
