// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "services/cli/commands.h"
#include "services/cli/doctor_checks.h"
#include "services/cli/output.h"
#include "services/runtime/config.h"
#include "services/store/sqlite/examination.h"

namespace comity::cli {
namespace {

using Level = Findings::Level;

struct DoctorOptions {
  std::string config;
};

const char* Mark(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kWarning:
      return "WARN";
    case Level::kWrong:
      return "WRONG";
  }
  return "WRONG";
}

// Nothing that the configuration names is looked at while it is faulty itself.
Findings Examine(const DoctorOptions& options, const Session& session) {
  Findings findings;
  const runtime::Clock& clock = session.clock;
  const auto config = runtime::LoadConfig(options.config);
  if (!config) {
    for (const runtime::ConfigIssue& issue : config.error()) {
      findings.Wrong("configuration", runtime::Describe(issue, options.config));
    }
    return findings;
  }
  findings.Ok("configuration", options.config);
  const auto file_faults = runtime::CheckConfigFiles(*config);
  for (const std::string& fault : file_faults) {
    const std::size_t colon = fault.find(": ");
    findings.Wrong(fault.substr(0, colon),
                   colon == std::string::npos ? fault : fault.substr(colon + 2));
  }
  CheckMachine(findings);
  const bool may_look = CheckDataFolder(*config, findings);
  CheckPorts(*config, store::IsSqliteStoreInUse(config->data_directory), findings);
  if (!file_faults.empty()) return findings;  // each of them would only be told again
  CheckKeys(*config, clock.Now(), findings);
  CheckAdministrators(*config, clock.Now(), findings);
  CheckOwnCard(*config, clock.Now(), findings);
  CheckRevocationFolder(*config, clock.Now(), findings);
  if (!may_look) return findings;
  const auto partners = CheckData(*config, findings);
  CheckPartners({*config, partners, clock.Now()}, findings);
  CheckContacts(session, findings);
  return findings;
}

Result<ExitCode> Doctor(const DoctorOptions& options, const Session& session) {
  std::error_code ignored;
  if (!std::filesystem::exists(options.config, ignored)) {
    return Fail(ErrorCode::kNotFound,
                "there is no file " + options.config + "; 'comity pki config' writes one");
  }
  const Findings findings = Examine(options, session);
  auto json = nlohmann::ordered_json::array();
  for (const Findings::Finding& finding : findings.all()) {
    json.push_back(
        {{"level", Mark(finding.level)}, {"what", finding.what}, {"words", finding.words}});
    if (session.json) continue;
    std::string mark = Mark(finding.level);
    mark.resize(5, ' ');
    Print(mark + "  " + Clean(finding.what) + ": " + Clean(finding.words) + "\n");
  }
  const std::size_t wrong = findings.Count(Level::kWrong);
  const std::size_t warnings = findings.Count(Level::kWarning);
  if (session.json) {
    PrintJson(nlohmann::ordered_json{{"findings", json}, {"wrong", wrong}, {"warnings", warnings}});
  } else {
    Print(std::to_string(wrong) + " wrong, " + std::to_string(warnings) + " to be looked at\n");
  }
  return wrong == 0 ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

std::size_t Findings::Count(Level level) const {
  return static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(), [&](const Finding& finding) { return finding.level == level; }));
}

bool Findings::Has(Level level, std::string_view what) const {
  return std::ranges::any_of(
      all_, [&](const Finding& finding) { return finding.level == level && finding.what == what; });
}

void AddDoctorCommand(CommandLine& line, Session& session) {
  const auto options = std::make_shared<DoctorOptions>();
  line.Add({"doctor", "check a gateway's set-up",
            "Checks the machine, configuration, files and their modes, keys and certificates,\n"
            "revocation lists, the data folder, the database, the published log, the ports and,\n"
            "from here, each partner: reachable, who was enrolled, and admitting this gateway. "
            "With\n"
            "a profile it asks the running gateway how the partners' clocks differ. Run it as the\n"
            "user that runs comityd; it changes nothing. Each line is ok, WARN or WRONG with what\n"
            "to do.",
            "something is wrong", "comity doctor --config comityd.toml"},
           Asks::kGateway, [options, &session] { return Doctor(*options, session); })
      .Add({"--config", "FILE", "the gateway's configuration", true}, options->config);
}

}  // namespace comity::cli
