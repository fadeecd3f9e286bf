// SPDX-License-Identifier: Apache-2.0
// comityd: the gateway of one agency. `comityd --config FILE`.
#include <google/protobuf/stubs/logging.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "services/gateway/database_import.h"
#include "services/gateway/gateway.h"
#include "services/gateway/wire/version.h"
#include "services/runtime/clock_record.h"
#include "services/runtime/config.h"
#include "services/runtime/config_keys.h"
#include "services/runtime/guarded_clock.h"
#include "services/runtime/logging.h"
#include "services/runtime/shutdown.h"
#include "services/transport/tls_policy.h"

namespace {

constexpr const char* kUsage =
    "usage: comityd --config FILE [--check | --import-database | --accept-clock]\n"
    "       comityd --help-config [text|markdown]\n"
    "\n"
    "Runs the gateway of one agency until it is told to stop (SIGTERM, SIGINT).\n"
    "\n"
    "  --config FILE  TOML configuration\n"
    "  --check        read the configuration and the files it names, report every fault, and end\n"
    "  --import-database\n"
    "                 carry comity.db of the data directory over into the PostgreSQL database of\n"
    "                 [store], which must be empty, and end (docs/operations/postgresql.md)\n"
    "  --accept-clock the machine's clock is right, although it was set, or stood for long, since\n"
    "                 the gateway last ran\n"
    "  --help-config  print every key of the configuration, its bounds and default, and end\n"
    "  --version      print the version and end\n"
    "  --help         print this and end\n"
    "\n"
    "Logs JSON lines on standard error. Exit status: 0 stopped as asked, 1 the set-up is wrong "
    "(each\n"
    "fault on standard error), 2 usage.\n";

constexpr int kSetupFault = 1;
constexpr int kUsageFault = 2;
// Until a database that was never reached counts as a fault of the set-up. So long that systemd,
// which gives up after 5 starts within 10 minutes, goes on trying (deploy/systemd/comityd.service).
constexpr std::chrono::seconds kFirstDatabaseWait{120};

// In: form  empty or "text": for a terminal; "markdown"
int PrintReference(const std::string& form) {
  using namespace comity::runtime;
  if (!form.empty() && form != "text" && form != "markdown") {
    std::fprintf(stderr, "comityd: --help-config is text or markdown\n%s", kUsage);
    return kUsageFault;
  }
  const std::string text = form == "markdown" ? ConfigReferenceMarkdown() : ConfigReferenceText();
  return std::fputs(text.c_str(), stdout) < 0 ? kSetupFault : 0;
}

int Import(const comity::runtime::Config& config) {
  const auto imported = comity::gateway::ImportDatabase(config);
  if (!imported) {
    std::fprintf(stderr, "comityd: %s (%s)\n", imported.error().detail.c_str(),
                 std::string(Name(imported.error().code)).c_str());
    return kSetupFault;
  }
  std::printf(
      "%llu records of %llu tables are carried over. Start the gateway, look at `comity status`, "
      "and\n"
      "then destroy comity.db.imported: what is erased from now on is still in it.\n",
      static_cast<unsigned long long>(imported->rows),
      static_cast<unsigned long long>(imported->tables));
  return 0;
}

std::filesystem::path ClockFile(const comity::runtime::Config& config) {
  return config.data_directory / "clock";
}

// A clock that was set while the gateway did not run would erase, or permit, what is not due.
comity::Status CheckTime(const comity::runtime::Config& config,
                         const comity::runtime::GuardedClock& clock) {
  const auto before = comity::runtime::LoadClockRecord(ClockFile(config));
  if (!before && before.error().code == comity::ErrorCode::kNotFound) return {};
  if (!before) return comity::Fail(before.error());
  return comity::runtime::CheckClock(*before, comity::runtime::RecordOf(clock));
}

int Serve(const comity::runtime::Config& config, bool accepts_clock) {
  using namespace comity;
  runtime::GuardedClock clock;
  const auto logger = runtime::MakeStderrLogger(config.log_level, clock);
  runtime::Shutdown shutdown;
  // At every start, in this process too: another gateway may have worked in between.
  const auto check = [&]() -> Status {
    const Status time = CheckTime(config, clock);
    if (time || !accepts_clock) return time;
    logger->Warn("clock-accepted", {{"reason", time.error().detail}});
    return {};
  };
  gateway::StartRules rules{shutdown.token(), check, kFirstDatabaseWait};
  while (true) {
    auto gateway = gateway::Gateway::Start(config, clock, *logger, rules);
    if (!gateway) {
      if (shutdown.token().stop_requested()) return 0;  // while it waited for another gateway
      std::fprintf(stderr, "comityd: %s (%s)\n", gateway.error().detail.c_str(),
                   std::string(Name(gateway.error().code)).c_str());
      return kSetupFault;
    }
    accepts_clock = false;        // once
    rules.database_wait.reset();  // it was there, so the set-up is right
    const runtime::ClockKeeper keeper(ClockFile(config), clock, *logger);
    const gateway::Ports& ports = (*gateway)->ports();
    std::printf("comityd: %s listens on federation %d, agency %d, web %d\n",
                config.agency.id.c_str(), ports.federation, ports.agency, ports.web);
    std::fflush(stdout);
    const std::string why = (*gateway)->AwaitRestart(shutdown.token());
    (*gateway)->Stop(why.empty() ? "signal" : why);
    if (why.empty()) return 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace comity;
  std::string file;
  bool check_only = false;
  bool import = false;
  bool accepts_clock = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help") return std::fputs(kUsage, stdout) < 0 ? kUsageFault : 0;
    if (argument == "--version") return std::puts(gateway::kSoftware.data()) < 0 ? 1 : 0;
    if (argument == "--help-config") return PrintReference(i + 1 < argc ? argv[i + 1] : "");
    if (argument == "--check") {
      check_only = true;
    } else if (argument == "--import-database") {
      import = true;
    } else if (argument == "--accept-clock") {
      accepts_clock = true;
    } else if (argument == "--config" && i + 1 < argc) {
      file = argv[++i];
    } else {
      std::fprintf(stderr, "comityd: unknown argument '%s'\n%s", argument.c_str(), kUsage);
      return kUsageFault;
    }
  }
  if (file.empty()) {
    std::fprintf(stderr, "comityd: --config is missing\n%s", kUsage);
    return kUsageFault;
  }
  // Templates and keys are in memory: no core file, and no look at it from another process.
  const struct rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  // gRPC's own lines are not of our form and may quote a peer; refused handshakes are logged by us.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  // protobuf would print a line for each text of a peer that is not UTF-8.
  google::protobuf::SetLogHandler(nullptr);
  if (const Status tls = transport::EnforceTls13(); !tls) {
    std::fprintf(stderr, "comityd: %s\n", tls.error().detail.c_str());
    return kSetupFault;
  }
  const auto config = runtime::LoadConfig(file);
  if (!config) {
    for (const runtime::ConfigIssue& issue : config.error()) {
      std::fprintf(stderr, "%s\n", runtime::Describe(issue, file).c_str());
    }
    return kSetupFault;
  }
  const auto faults = runtime::CheckConfigFiles(*config);
  for (const std::string& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
  if (!faults.empty()) return kSetupFault;
  if (check_only) return 0;
  return import ? Import(*config) : Serve(*config, accepts_clock);
}
