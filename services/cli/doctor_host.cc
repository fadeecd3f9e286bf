// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "services/cli/doctor_checks.h"
#include "services/cli/swap_check.h"
#include "services/cli/tcp_probe.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

// The nearest folder upwards that exists: the one in which the data folder would be made.
fs::path ExistingParent(fs::path path) {
  std::error_code ignored;
  path = fs::absolute(path, ignored);
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

void CheckSpace(const fs::path& folder, Findings& findings) {
  constexpr std::uintmax_t kLeast = std::uintmax_t{512} << 20;
  std::error_code fault;
  const fs::space_info space = fs::space(folder, fault);
  if (!fault && space.available < kLeast) {
    findings.Warn("data.directory", folder.string() + ": less than 512 MiB are free on this disk");
  }
}

void CheckDataFolder(const fs::path& folder, Findings& findings) {
  constexpr mode_t kOthers = 077;
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    const fs::path parent = ExistingParent(folder);
    if (::access(parent.c_str(), W_OK) != 0) {
      findings.Wrong("data.directory", folder.string() + " is not there, and " + parent.string() +
                                           " is not writable: mkdir -m 0700 " + folder.string());
    } else {
      findings.Ok("data.directory", folder.string() + " will be made at the first start");
    }
    return;
  }
  if (!S_ISDIR(status.st_mode)) {
    findings.Wrong("data.directory", folder.string() + " is no folder: name another one");
  } else if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.Wrong("data.directory", folder.string() +
                                         " is not writable by this user: chown it to "
                                         "the user that runs comityd");
  } else if ((status.st_mode & kOthers) != 0) {
    findings.Wrong("data.directory",
                   folder.string() + " is open to others: chmod 0700 " + folder.string());
  } else {
    findings.Ok("data.directory", folder.string() + " is writable and private");
  }
  CheckSpace(folder, findings);
}

void CheckPort(const std::string& what, const runtime::Endpoint& endpoint, Findings& findings) {
  const std::string address = endpoint.text();
  const int fault = TryListen(endpoint);
  if (fault == 0) {
    findings.Ok(what, address + " is free");
  } else if (fault == EADDRINUSE) {
    const bool answers = TryConnect(endpoint, std::chrono::seconds(1)).has_value();
    findings.Warn(what, address + (answers ? " is taken and answers: fine if this gateway runs, "
                                             "else name another port (ss -ltnp shows who has it)"
                                           : " is taken and does not answer: ss -ltnp shows who "
                                             "has it"));
  } else if (fault == EACCES) {
    findings.Wrong(what, address + " may not be used by this user: name a port above 1023");
  } else if (fault == EADDRNOTAVAIL) {
    findings.Wrong(what, address + " is no address of this machine: ip addr shows them");
  } else {
    findings.Wrong(what, address + ": " + std::generic_category().message(fault));
  }
}

void CheckSwap(Findings& findings) {
  std::ifstream file("/proc/swaps");
  const std::string swaps{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open()) {
    findings.Warn("swap", "/proc/swaps is not readable: whether memory is swapped is not known");
    return;
  }
  for (const std::string& area : UnencryptedSwap(swaps, "/sys/class/block")) {
    findings.Warn("swap",
                  area +
                      " is not encrypted, and templates are in memory in the clear: swapoff "
                      "it, encrypt it, or keep the gateway out of it (MemorySwapMax=0 in "
                      "its unit, as the package's has)");
  }
}

}  // namespace

void CheckHost(const runtime::Config& config, Findings& findings) {
  CheckDataFolder(config.data_directory, findings);
  CheckSwap(findings);
  CheckPort("listen.federation", config.listen.federation, findings);
  CheckPort("listen.agency", config.listen.agency, findings);
  CheckPort("listen.web", config.listen.web, findings);
}

}  // namespace comity::cli
