// SPDX-License-Identifier: Apache-2.0
#include "services/cli/audit_opening.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "services/cli/export_folder.h"
#include "services/cli/opening_check.h"
#include "services/cli/opening_file.h"
#include "services/cli/output.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct OpeningOptions {
  std::string file, log, vkey;
  std::vector<std::string> exchanges;
};

struct OpeningVerdict {
  tlog::LogSummary log;
  std::vector<FrameFinding> frames;
  std::vector<std::string> missing;  // exchanges that were asked for

  bool verified() const {
    return missing.empty() && std::ranges::all_of(frames, [](const FrameFinding& frame) {
             return frame.finding == OpeningFinding::kVerified;
           });
  }
};

std::vector<std::string> MissingOf(const std::vector<std::string>& asked,
                                   const std::vector<FrameFinding>& frames) {
  std::vector<std::string> missing;
  for (const std::string& exchange : asked) {
    if (std::ranges::count(frames, exchange, &FrameFinding::exchange) == 0) {
      missing.push_back(exchange);
    }
  }
  return missing;
}

Result<OpeningVerdict> CheckOpening(const v1::AlertOpening& opening,
                                    const OpeningOptions& options) {
  COMITY_ASSIGN_OR_RETURN(tlog::LogExport log, OpenExportFolder(options.log, options.vkey));
  OpeningCheck check(opening);
  ProgressLine progress("entries verified");
  COMITY_ASSIGN_OR_RETURN(
      tlog::LogSummary summary,
      VerifyOnAllCores(check.Watch(std::move(log)),
                       [&](std::uint64_t done, std::uint64_t all) { progress.Show(done, all); }));
  std::vector<FrameFinding> frames = check.Findings();
  std::vector<std::string> missing = MissingOf(options.exchanges, frames);
  return OpeningVerdict{std::move(summary), std::move(frames), std::move(missing)};
}

Json VerdictJson(const v1::AlertOpening& opening, const OpeningVerdict& verdict) {
  Json json = {{"verified", verdict.verified()},
               {"alert", Clean(opening.alert())},
               {"requester", Clean(opening.requester())},
               {"holder", Clean(opening.holder())},
               {"origin", verdict.log.head.checkpoint.origin},
               {"entries", verdict.log.head.checkpoint.size.value},
               {"frames", Json::array()},
               {"missing", Json::array()}};
  for (const FrameFinding& frame : verdict.frames) {
    json["frames"].push_back({{"exchange", Clean(frame.exchange)},
                              {"finding", Name(frame.finding)},
                              {"detail", Clean(frame.words)}});
  }
  for (const std::string& exchange : verdict.missing) json["missing"].push_back(Clean(exchange));
  return json;
}

std::string VerdictText(const v1::AlertOpening& opening, const OpeningVerdict& verdict) {
  Table table({"EXCHANGE", "FINDING", "WHY"});
  for (const FrameFinding& frame : verdict.frames) {
    table.Add({frame.exchange, Name(frame.finding), frame.words});
  }
  for (const std::string& exchange : verdict.missing) {
    table.Add({exchange, "missing", "the opening has no such frame"});
  }
  return "alert " + Clean(opening.alert()) + ": searches of " + Clean(opening.requester()) +
         " in lists of " + Clean(opening.holder()) + ", by the log " +
         verdict.log.head.checkpoint.origin + " of " +
         std::to_string(verdict.log.head.checkpoint.size.value) + " entries\n" + table.Text();
}

Result<ExitCode> VerifyOpenings(const OpeningOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const v1::AlertOpening opening, ReadOpeningFile(options.file));
  COMITY_RETURN_IF_ERROR(ReadVerifierKey(options.vkey));
  const Result<OpeningVerdict> verdict = CheckOpening(opening, options);
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
    PrintJson(VerdictJson(opening, *verdict));
  } else {
    Print(VerdictText(opening, *verdict));
  }
  return verdict->verified() ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

void AddAuditOpening(CommandLine& line, Session& session) {
  const auto options = std::make_shared<OpeningOptions>();
  line.Add(
          {"audit opening", "verify what was searched sealed, against the holder's log",
           "Checks, without network or gateway, a file of 'comity alert open' against an exported\n"
           "log of the agency whose list was searched: verifies the whole log, makes what the\n"
           "requester must have sent of each frame again from its template, and compares it with\n"
           "what the holder logged when it got it. Says of each frame:\n"
           "  verified    the holder got the probe of exactly this template\n"
           "  differs     it got something else: a crafted probe, which is evidence against the\n"
           "              requester's gateway unless the requester's own log (alert-raised,\n"
           "              blinded-N) says otherwise than the holder's\n"
           "  not-in-log  this log says nothing of it; it may have been exported before the "
           "search\n"
           "Who is checked must not choose what is: sample exchanges from the search-hit entries\n"
           "of the holder's log, ask the requester for the openings of those, and name them with\n"
           "--exchange. Take --vkey from the holder itself, never from who gave the file or the\n"
           "export: any log verifies by a key that was made for it.\n"
           "The file holds faces: nothing of them is printed.",
           "a frame is not verified or missing, or the log is not verified",
           "comity audit opening opening.json --log eastvale-log --vkey eastvale.vkey \\\n"
           "      --exchange x-7f3k/42"},
          Asks::kNobody, [options, &session] { return VerifyOpenings(*options, session); })
      .Add({"file", "FILE", "the opening", true}, options->file)
      .Add({"--log", "DIR", "an export of the holder's log", true}, options->log)
      .Add({"--vkey", "FILE|TEXT", "the log's verifier key", true}, options->vkey)
      .Add({"--exchange", "ID", "a probe that must be among the frames, as in the holder's log",
            false},
           options->exchanges);
}

}  // namespace comity::cli
