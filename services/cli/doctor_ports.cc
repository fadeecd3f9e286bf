// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <string>
#include <system_error>

#include "services/cli/doctor_checks.h"
#include "services/cli/tcp_probe.h"

namespace comity::cli {
namespace {

void CheckTakenPort(const std::string& what, const runtime::Endpoint& endpoint, bool is_running,
                    Findings& findings) {
  const std::string address = endpoint.text();
  const bool answers = TryConnect(endpoint, std::chrono::seconds(1)).has_value();
  if (is_running && answers) {
    findings.Ok(what, address + " is served; this gateway runs");
  } else if (is_running) {
    findings.Warn(what, address +
                            " is taken and does not answer, though this gateway runs: ss "
                            "-ltnp shows who has it");
  } else {
    findings.Wrong(what, address +
                             " is in use by another program, and comityd does not run: ss "
                             "-ltnp shows who has it; end that one or name another port");
  }
}

void CheckPort(const std::string& what, const runtime::Endpoint& endpoint, bool is_running,
               Findings& findings) {
  const std::string address = endpoint.text();
  const int fault = TryListen(endpoint);
  if (fault == EADDRINUSE) {
    CheckTakenPort(what, endpoint, is_running, findings);
  } else if (fault == EACCES) {
    findings.Wrong(what, address + " may not be used by this user: name a port above 1023");
  } else if (fault == EADDRNOTAVAIL) {
    findings.Wrong(what, address + " is no address of this machine: ip addr shows them");
  } else if (fault != 0) {
    findings.Wrong(what, address + ": " + std::generic_category().message(fault));
  } else if (is_running && endpoint.port != 0) {
    findings.Warn(what, address +
                            " is free, though this gateway runs: it was started with another "
                            "configuration; start it again");
  } else {
    findings.Ok(what, address + " is free");
  }
}

}  // namespace

void CheckPorts(const runtime::Config& config, bool is_running, Findings& findings) {
  CheckPort("listen.federation", config.listen.federation, is_running, findings);
  CheckPort("listen.agency", config.listen.agency, is_running, findings);
  CheckPort("listen.web", config.listen.web, is_running, findings);
}

}  // namespace comity::cli
