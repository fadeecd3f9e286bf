// SPDX-License-Identifier: Apache-2.0
// comityd: the gateway of one agency. `comityd --config FILE`.
#include <google/protobuf/stubs/logging.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "services/gateway/gateway.h"
#include "services/gateway/wire/version.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"
#include "services/runtime/config_keys.h"
#include "services/runtime/logging.h"
#include "services/runtime/shutdown.h"
#include "services/transport/tls_policy.h"

namespace {

constexpr const char* kUsage =
    "usage: comityd --config FILE [--check]\n"
    "       comityd --help-config [text|markdown]\n"
    "\n"
    "Runs the gateway of one agency until it is told to stop (SIGTERM, SIGINT).\n"
    "\n"
    "  --config FILE  TOML configuration\n"
    "  --check        read the configuration and the files it names, report every fault, and end\n"
    "  --help-config  print every key of the configuration, its bounds and default, and end\n"
    "  --version      print the version and end\n"
    "  --help         print this and end\n"
    "\n"
    "Logs JSON lines on standard error. Exit status: 0 stopped as asked, 1 the set-up is wrong "
    "(each\n"
    "fault on standard error), 2 usage.\n";

constexpr int kSetupFault = 1;
constexpr int kUsageFault = 2;

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

int Serve(const comity::runtime::Config& config) {
  using namespace comity;
  runtime::SystemClock clock;
  const auto logger = runtime::MakeStderrLogger(config.log_level, clock);
  runtime::Shutdown shutdown;
  while (true) {
    auto gateway = gateway::Gateway::Start(config, clock, *logger);
    if (!gateway) {
      std::fprintf(stderr, "comityd: %s (%s)\n", gateway.error().detail.c_str(),
                   std::string(Name(gateway.error().code)).c_str());
      return kSetupFault;
    }
    const gateway::Ports& ports = (*gateway)->ports();
    std::printf("comityd: %s listens on federation %d, agency %d, web %d\n",
                config.agency.id.c_str(), ports.federation, ports.agency, ports.web);
    std::fflush(stdout);
    const bool again = (*gateway)->AwaitRestart(shutdown.token());
    (*gateway)->Stop(again ? "restoration confirmed" : "signal");
    if (!again) return 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace comity;
  std::string file;
  bool check_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help") return std::fputs(kUsage, stdout) < 0 ? kUsageFault : 0;
    if (argument == "--version") return std::puts(gateway::kSoftware.data()) < 0 ? 1 : 0;
    if (argument == "--help-config") return PrintReference(i + 1 < argc ? argv[i + 1] : "");
    if (argument == "--check") {
      check_only = true;
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
  return check_only ? 0 : Serve(*config);
}
