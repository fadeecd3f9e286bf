// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "comity/v1/audit.grpc.pb.h"
#include "crypto/base/encoding.h"
#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/entry.h"
#include "crypto/tlog/proof_text.h"
#include "services/cli/audit_compare.h"
#include "services/cli/audit_export.h"
#include "services/cli/audit_opening.h"
#include "services/cli/audit_payload.h"
#include "services/cli/commands.h"
#include "services/cli/export_folder.h"
#include "services/cli/local_file.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct AuditOptions {
  std::string dir, vkey, exchange, out, file, entry;
  std::optional<std::uint64_t> index;
};

Json SummaryJson(const tlog::LogSummary& summary, bool trusted) {
  Json json = {{"verified", true},
               {"origin", summary.head.checkpoint.origin},
               {"entries", summary.head.checkpoint.size.value},
               {"root", EncodeBase64(summary.head.checkpoint.root.view())},
               {"key_from_export", !trusted},
               {"first", nullptr},
               {"last", nullptr},
               {"by_type", summary.counts.by_type},
               {"witnesses", Json::array()}};
  if (summary.counts.first) json["first"] = tlog::EncodeEntryTime(*summary.counts.first);
  if (summary.counts.last) json["last"] = tlog::EncodeEntryTime(*summary.counts.last);
  for (const auto& witness : summary.witnesses) json["witnesses"].push_back(witness.name);
  return json;
}

std::string SummaryText(const tlog::LogSummary& summary) {
  std::string text = "verified  " + summary.head.checkpoint.origin + "\nentries   " +
                     std::to_string(summary.head.checkpoint.size.value) + "\nroot      " +
                     EncodeBase64(summary.head.checkpoint.root.view()) + "\n";
  if (summary.counts.first && summary.counts.last) {
    text += "from      " + tlog::EncodeEntryTime(*summary.counts.first) + "\nto        " +
            tlog::EncodeEntryTime(*summary.counts.last) + "\n";
  }
  for (const auto& witness : summary.witnesses) text += "witness   " + witness.name + "\n";
  Table table({"TYPE", "ENTRIES"});
  for (const auto& [type, count] : summary.counts.by_type) table.Add({type, std::to_string(count)});
  return text + (table.empty() ? "" : table.Text());
}

Result<ExitCode> Verify(const AuditOptions& options, const Session& session) {
  std::optional<std::string> trusted;
  if (!options.vkey.empty()) trusted = options.vkey;
  const auto verify = [&]() -> Result<tlog::LogSummary> {
    COMITY_ASSIGN_OR_RETURN(const tlog::LogExport log, OpenExportFolder(options.dir, trusted));
    ProgressLine progress("entries verified");
    return VerifyOnAllCores(
        log, [&](std::uint64_t done, std::uint64_t all) { progress.Show(done, all); });
  };
  const Result<tlog::LogSummary> summary = verify();
  std::error_code ignored;
  if (!summary && std::filesystem::is_directory(options.dir, ignored)) {
    // The folder is there: whatever is wrong in it is the answer, not the caller's mistake.
    if (trusted && !ReadVerifierKey(*trusted)) return Fail(summary.error());
    const std::string fault = Clean(summary.error().detail, Lines::kKeep);
    if (session.json) PrintJson(Json{{"verified", false}, {"fault", fault}});
    PrintError("comity: " + options.dir + " is NOT verified: " + fault);
    return ExitCode::kNo;
  }
  if (!summary) return Fail(summary.error());
  if (session.json) {
    PrintJson(SummaryJson(*summary, trusted.has_value()));
  } else {
    Print(SummaryText(*summary));
  }
  if (!trusted) {
    PrintError(
        "comity: the key came from the export itself; compare log.vkey with the agency's, "
        "or give it with --vkey");
  }
  return ExitCode::kOk;
}

Status WriteProof(const std::filesystem::path& dir, const v1::EntryProof& proof) {
  const std::string prefix = "entry-" + std::to_string(proof.index());
  COMITY_RETURN_IF_ERROR(WriteNewFile(dir / (prefix + ".json"), proof.entry()));
  return WriteNewFile(dir / (prefix + ".tlog-proof"), proof.proof());
}

Status ReportProofs(const v1::ProveAuditResponse& response, const AuditOptions& options,
                    bool json) {
  Json all = Json::array();
  for (const v1::EntryProof& proof : response.proofs()) {
    all.push_back({{"index", proof.index()}, {"entry", proof.entry()}, {"proof", proof.proof()}});
    if (!options.out.empty()) {
      COMITY_RETURN_IF_ERROR(WriteProof(options.out, proof));
      if (!json) Print(options.out + "/entry-" + std::to_string(proof.index()) + ".tlog-proof\n");
    } else if (!json) {
      Print("entry " + std::to_string(proof.index()) + "\n" + Clean(proof.entry()) + "\n" +
            Clean(proof.proof(), Lines::kKeep) + "\n");
    }
  }
  if (json) PrintJson(all);
  return {};
}

Result<ExitCode> Prove(const AuditOptions& options, const Session& session) {
  if (options.index.has_value() == !options.exchange.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "give one of --index and --exchange");
  }
  v1::ProveAuditRequest request;
  if (options.index) {
    request.set_index(*options.index);
  } else {
    request.set_exchange_id(options.exchange);
  }
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  if (!options.out.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(options.out, ignored);
  }
  COMITY_ASSIGN_OR_RETURN(const v1::ProveAuditResponse response,
                          gateway.Call<v1::Audit>(&v1::Audit::Stub::Prove, request));
  COMITY_RETURN_IF_ERROR(ReportProofs(response, options, session.json));
  return ExitCode::kOk;
}

Result<ExitCode> VerifyProof(const AuditOptions& options, const Session& session) {
  constexpr std::size_t kMaxProof = 512 * 1024;
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadLocalText(options.file, kMaxProof));
  COMITY_ASSIGN_OR_RETURN(const std::string entry,
                          ReadLocalText(options.entry, tlog::kMaxEntrySize));
  COMITY_ASSIGN_OR_RETURN(const tlog::VerifierKey key, ReadVerifierKey(options.vkey));
  const auto verify = [&]() -> Result<std::pair<std::uint64_t, tlog::VerifiedCheckpoint>> {
    COMITY_ASSIGN_OR_RETURN(const tlog::TlogProof proof, tlog::ParseTlogProof(text));
    COMITY_ASSIGN_OR_RETURN(tlog::VerifiedCheckpoint checkpoint,
                            tlog::VerifyTlogProof(proof, merkle::LeafHash(AsBytes(entry)), key));
    return std::pair(proof.index.value, std::move(checkpoint));
  };
  const auto verified = verify();
  if (!verified) {
    if (session.json) {
      PrintJson(Json{{"verified", false}, {"fault", Clean(verified.error().detail)}});
    }
    PrintError("comity: " + options.file + " is NOT verified: " + Clean(verified.error().detail));
    return ExitCode::kNo;
  }
  const auto& [index, head] = *verified;
  if (session.json) {
    PrintJson(Json{{"verified", true},
                   {"origin", head.checkpoint.origin},
                   {"index", index},
                   {"entries", head.checkpoint.size.value}});
  } else {
    Print("verified: entry " + std::to_string(index) + " of " +
          std::to_string(head.checkpoint.size.value) + " in " + head.checkpoint.origin + "\n");
  }
  return ExitCode::kOk;
}

void AddVerify(CommandLine& line, Session& session) {
  const auto options = std::make_shared<AuditOptions>();
  line.Add({"audit verify", "verify an exported log",
            "Checks every octet of an export without network or gateway: signatures, entries, "
            "tiles,\n"
            "root, and that exactly the expected files are there. Prints entries, time range and\n"
            "counts by type. Take --vkey from the agency itself, not from the export.",
            "it is not verified; the file at fault is named",
            "comity audit verify log-2026-11-25 --vkey northshire.vkey"},
           Asks::kNobody, [options, &session] { return Verify(*options, session); })
      .Add({"dir", "DIR", "the export", true}, options->dir)
      .Add({"--vkey", "FILE|TEXT", "the log's verifier key; default: the export's own", false},
           options->vkey);
}

void AddProofs(CommandLine& line, Session& session) {
  auto options = std::make_shared<AuditOptions>();
  line.Add({"audit prove", "a receipt for entries of the log",
            "Asks the own gateway for entries with offline proofs (c2sp.org/tlog-proof@v1), by "
            "index\n"
            "or all of one exchange (at most 64). With --out, writes entry-N.json and\n"
            "entry-N.tlog-proof.",
            "a file exists already", "comity audit prove --exchange x-7f3k --out receipt"},
           Asks::kGateway, [options, &session] { return Prove(*options, session); })
      .Add({"--index", "N", "position of the entry, from 0", false},
           CountTarget{options->index, 0, (std::uint64_t{1} << 62)})
      .Add({"--exchange", "ID", "or all entries of one exchange", false}, options->exchange)
      .Add({"--out", "DIR", "folder for the files", false}, options->out);
  options = std::make_shared<AuditOptions>();
  line.Add({"audit verify-proof", "verify a receipt",
            "Checks that an entry is in the log whose key is given. Needs no gateway.",
            "it is not verified",
            "comity audit verify-proof entry-12.tlog-proof --entry entry-12.json --vkey ns.vkey"},
           Asks::kNobody, [options, &session] { return VerifyProof(*options, session); })
      .Add({"file", "FILE", "the proof", true}, options->file)
      .Add({"--entry", "FILE", "the entry's exact octets", true}, options->entry)
      .Add({"--vkey", "FILE|TEXT", "the log's verifier key", true}, options->vkey);
}

}  // namespace

void AddAuditCommands(CommandLine& line, Session& session) {
  line.Group("audit", "the log of this agency, and proofs from it");
  AddAuditExport(line, session);
  AddVerify(line, session);
  AddAuditCompare(line, session);
  AddProofs(line, session);
  AddAuditOpening(line, session);
  AddAuditPayload(line, session);
}

}  // namespace comity::cli
