// SPDX-License-Identifier: Apache-2.0
#include "services/cli/audit_payload.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "comity/v1/audit.grpc.pb.h"
#include "crypto/base/quote.h"
#include "services/cli/approval_text.h"
#include "services/cli/export_folder.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/payload_check.h"
#include "services/cli/payload_file.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{60};

struct PayloadOptions {
  std::vector<std::string> entries, days;
  std::string order, reason, approval, out, file, log, vkey;
  bool show = false;
};

Result<std::vector<std::uint64_t>> IndexesOf(const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> indexes;
  for (const std::string& text : texts) {
    std::uint64_t index = 0;
    const char* const last = text.data() + text.size();
    const auto [end, fault] = std::from_chars(text.data(), last, index);
    if (fault != std::errc() || end != last) {
      return Fail(ErrorCode::kInvalidArgument, "--index " + Quote(text) + " is no number");
    }
    indexes.push_back(index);
  }
  std::ranges::sort(indexes);
  return indexes;
}

Result<ExitCode> RequestOpening(const PayloadOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const auto indexes, IndexesOf(options.entries));
  v1::RequestOpeningRequest request;
  request.mutable_entries()->Add(indexes.begin(), indexes.end());
  std::vector<std::string> days = options.days;
  std::ranges::sort(days);
  for (const std::string& day : days) request.add_days(day);
  request.set_order(options.order);
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Audit>(&v1::Audit::Stub::RequestOpening, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<PayloadOpenings> Fetch(const OwnGateway& gateway, const std::string& approval) {
  v1::OpenPayloadsRequest request;
  request.set_approval(approval);
  PayloadOpenings openings;
  openings.approval = approval;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const auto stub = v1::Audit::NewStub(gateway.channel());
  const auto reader = stub->Open(&context, request);
  v1::OpenedEntry entry;
  while (reader->Read(&entry)) openings.entries.push_back(entry);
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return Fail(gateway.Describe(status));
  return openings;
}

Result<ExitCode> Open(const PayloadOptions& options, const Session& session) {
  // Before the gateway is asked: what was opened and cannot be kept was opened for nothing.
  COMITY_RETURN_IF_ERROR(CheckNewFile(options.out));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const PayloadOpenings openings, Fetch(gateway, options.approval));
  COMITY_RETURN_IF_ERROR(WriteNewPrivateFile(options.out, EncodePayloadOpenings(openings)));
  const auto erased = std::ranges::count(openings.entries, true, &v1::OpenedEntry::erased);
  if (session.json) {
    PrintJson(Json{{"approval", options.approval},
                   {"entries", openings.entries.size()},
                   {"erased", erased},
                   {"file", options.out}});
  } else {
    Print(options.out + ": " + std::to_string(openings.entries.size()) + " entries, " +
          std::to_string(erased) +
          " of them erased. It holds what the log only commits to, and keys; erase it when it has "
          "served.\n");
  }
  return ExitCode::kOk;
}

struct PayloadVerdict {
  tlog::LogSummary log;
  std::vector<EntryFinding> entries;

  bool verified() const {
    return std::ranges::all_of(entries, [](const EntryFinding& entry) {
      return entry.finding == PayloadFinding::kVerified || entry.finding == PayloadFinding::kErased;
    });
  }
};

Result<PayloadVerdict> CheckPayloads(const PayloadOpenings& openings,
                                     const PayloadOptions& options) {
  COMITY_ASSIGN_OR_RETURN(tlog::LogExport log, OpenExportFolder(options.log, options.vkey));
  PayloadCheck check(openings);
  ProgressLine progress("entries verified");
  COMITY_ASSIGN_OR_RETURN(
      tlog::LogSummary summary,
      VerifyOnAllCores(check.Watch(std::move(log)),
                       [&](std::uint64_t done, std::uint64_t all) { progress.Show(done, all); }));
  return PayloadVerdict{std::move(summary), check.Findings()};
}

Json VerdictJson(const PayloadVerdict& verdict) {
  Json json = {{"verified", verdict.verified()},
               {"origin", verdict.log.head.checkpoint.origin},
               {"log_entries", verdict.log.head.checkpoint.size.value},
               {"entries", Json::array()}};
  for (const EntryFinding& one : verdict.entries) {
    json["entries"].push_back(
        {{"index", one.index}, {"finding", Name(one.finding)}, {"detail", Clean(one.words)}});
  }
  return json;
}

std::string VerdictText(const PayloadOpenings& openings, const PayloadVerdict& verdict, bool show) {
  Table table({"ENTRY", "FINDING", "WHY"});
  for (const EntryFinding& one : verdict.entries) {
    table.Add({std::to_string(one.index), Name(one.finding), one.words});
  }
  std::string text = "by the log " + verdict.log.head.checkpoint.origin + " of " +
                     std::to_string(verdict.log.head.checkpoint.size.value) + " entries\n" +
                     table.Text();
  // What does not verify is nobody's word.
  for (std::size_t i = 0; show && i < verdict.entries.size(); ++i) {
    if (verdict.entries[i].finding != PayloadFinding::kVerified) continue;
    text += "\nentry " + std::to_string(verdict.entries[i].index) + "\n";
    for (const v1::OpenedField& field : openings.entries[i].fields()) {
      text += "  " + Clean(field.name()) + "  " + Clean(field.octets()) + "\n";
    }
  }
  return text;
}

Result<ExitCode> VerifyOpened(const PayloadOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const PayloadOpenings openings, ReadPayloadOpenings(options.file));
  COMITY_RETURN_IF_ERROR(ReadVerifierKey(options.vkey));
  const Result<PayloadVerdict> verdict = CheckPayloads(openings, options);
  std::error_code ignored;
  if (!verdict && std::filesystem::is_directory(options.log, ignored)) {
    const std::string fault = Clean(verdict.error().detail, Lines::kKeep);
    if (session.json) PrintJson(Json{{"verified", false}, {"fault", fault}});
    PrintError("comity: " + options.log + " is NOT verified, so nothing is said of " +
               options.file + ": " + fault);
    return ExitCode::kNo;
  }
  if (!verdict) return Fail(verdict.error());
  if (session.json) {
    PrintJson(VerdictJson(*verdict));
  } else {
    Print(VerdictText(openings, *verdict, options.show));
  }
  return verdict->verified() ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

void AddAuditPayload(CommandLine& line, Session& session) {
  auto options = std::make_shared<PayloadOptions>();
  line.Add({"audit request-opening", "ask to open what the log only commits to",
            "For auditors and key administrators, on a lawful request: who searched, for which\n"
            "case. A data protection officer approves it (comity approvals approve); within 24\n"
            "hours you fetch it with 'comity audit open'. With --day, what opens the commitments\n"
            "that partners were sent of the officer and the case of an entry on other days.",
            "",
            "comity audit request-opening --index 812 --order 'court order 7/2026' \\\n"
            "      --reason 'complaint of 12 November'"},
           Asks::kGateway, [options, &session] { return RequestOpening(*options, session); })
      .Add({"--index", "N", "position of an entry, from 0; up to 64 of them", true},
           options->entries)
      .Add({"--order", "TEXT", "reference of the lawful request, up to 120 octets", true},
           options->order)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--day", "DATE", "a UTC day as 2026-11-25; up to 31 of them", false}, options->days);
  options = std::make_shared<PayloadOptions>();
  line.Add({"audit open", "fetch what was approved to be opened",
            "Writes the fields of the entries, with the keys that show that the log commits to\n"
            "exactly them. Of an erased payload it says when its period ended. That you opened\n"
            "them, and on which request, is in the log first, each time.\n"
            "WARNING: the file names people and cases. It is readable by you alone (mode 0600)\n"
            "and not encrypted.",
            "the file exists already, or it is not approved",
            "comity audit open p-... --out opened.json"},
           Asks::kGateway, [options, &session] { return Open(*options, session); })
      .Add({"approval", "APPROVAL", "of request-opening", true}, options->approval)
      .Add({"--out", "FILE", "file to write; it must not exist", true}, options->out);
  options = std::make_shared<PayloadOptions>();
  line.Add({"audit verify-opened", "verify opened payloads against a log",
            "Checks, without network or gateway, a file of 'comity audit open' against an export\n"
            "of the same agency's log: verifies the whole log, and says of each entry:\n"
            "  verified    the log commits to exactly these fields\n"
            "  erased      the log has the entry; its payload was erased\n"
            "  differs     the log has another entry there, or commits to something else\n"
            "  not-in-log  the log is shorter: it was exported before the entry\n"
            "Take --vkey from the agency itself, never from who gave the file or the export.",
            "an entry differs or is not in the log, or the log is not verified",
            "comity audit verify-opened opened.json --log northshire-log --vkey northshire.vkey"},
           Asks::kNobody, [options, &session] { return VerifyOpened(*options, session); })
      .Add({"file", "FILE", "the opened payloads", true}, options->file)
      .Add({"--log", "DIR", "an export of the log", true}, options->log)
      .Add({"--vkey", "FILE|TEXT", "the log's verifier key", true}, options->vkey)
      .Add({"--show", "", "print the fields of what is verified", false}, options->show);
}

}  // namespace comity::cli
