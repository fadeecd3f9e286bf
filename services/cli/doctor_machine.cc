// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/timex.h>

#include <fstream>
#include <iterator>
#include <string>

#include "services/cli/doctor_checks.h"
#include "services/cli/swap_check.h"

namespace comity::cli {
namespace {

constexpr rlim_t kFewFiles = 1024;      // below, a gateway with some partners runs out of them
constexpr rlim_t kEnoughFiles = 65536;  // docs/operations/running.md

// Of the shell that runs this program: that of a service is set where the service is.
void CheckOpenFiles(Findings& findings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const std::string at = std::to_string(limit.rlim_cur) + " files may be open at once here";
  const char* remedy =
      "; comityd wants 65536: ulimit -n 65536, or LimitNOFILE=65536 in its unit, which sets it "
      "apart from this shell";
  if (limit.rlim_cur < kFewFiles) {
    findings.Wrong("open files", at + remedy);
  } else if (limit.rlim_cur < kEnoughFiles) {
    findings.Warn("open files", at + remedy);
  } else {
    findings.Ok("open files", at);
  }
}

void CheckHugePages(Findings& findings) {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  if (!std::getline(file, line)) return;  // a system without them says nothing
  if (line.find("[never]") == std::string::npos) {
    findings.Ok("huge pages", "given to whoever asks");
    return;
  }
  findings.Warn("huge pages",
                "none are given; searches of large lists take several times as long on virtual "
                "machines: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
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

// The difference to a partner's clock is told by the gateway; here only whether anybody keeps ours.
void CheckClockIsKept(Findings& findings) {
  timex state{};
  const int kept = ::adjtimex(&state);
  if (kept < 0) return;
  if (kept != TIME_ERROR && (static_cast<unsigned>(state.status) & STA_UNSYNC) == 0) {
    findings.Ok("clock", "the system says that it is synchronised");
    return;
  }
  findings.Warn("clock",
                "the system says that nothing keeps it right; partners refuse messages "
                "that are more than 60 s off: run chrony or systemd-timesyncd");
}

}  // namespace

void CheckMachine(Findings& findings) {
  CheckOpenFiles(findings);
  CheckHugePages(findings);
  CheckSwap(findings);
  CheckClockIsKept(findings);
}

}  // namespace comity::cli
