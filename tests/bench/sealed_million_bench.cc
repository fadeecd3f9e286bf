// SPDX-License-Identifier: Apache-2.0
// A large sealed list between two gateways: published, fetched, loaded again and searched, with the
// memory of the requester, whose `comityd` is a process of its own. The holder's gateway and the
// engine run in this one. Progress is told on standard error.
// `sealed_million_bench [--json] [--faces N] [ENTRIES [DIMENSION]]`, 1,000,000 of 512 by default:
// some ten minutes, 12 GB of memory and 10 GB in TMPDIR.
#include <cstdlib>
#include <fstream>
#include <thread>

#include "crypto/base/check.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/bench_arguments.h"
#include "tests/bench/figure_lines.h"
#include "tests/bench/large_list.h"
#include "tests/bench/sealed_pair.h"
#include "tests/bench/search_costs.h"
#include "tests/e2e/gateway_process.h"
#include "tests/integration/live_acts.h"

namespace comity::bench {
namespace {

using std::chrono::steady_clock;

constexpr double kMebi = 1024 * 1024;
constexpr double kBarMemory = 1.15;  // of the sealed octets
constexpr double kBarProbe = 1;      // s

struct Options {
  bool json = false;
  std::size_t entries = 1'000'000;
  std::uint32_t dimension = 512;
  std::size_t faces = 20;
};

// A line of /proc/PID/status, in octets: VmRSS now, VmHWM at most so far.
double MemoryOf(pid_t pid, const std::string& key) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (file >> word) {
    double kibi = 0;
    if (word == key + ":" && file >> kibi) return kibi * 1024;
  }
  return 0;
}

std::vector<FigureLine> Measure(const Options& options) {
  const auto sealed = static_cast<double>(SealedOctets(options.entries, options.dimension));
  const auto count = static_cast<double>(options.entries);
  std::vector<FigureLine> lines = {{"entries", count, ""}, {"sealed list", sealed / kMebi, "MiB"}};
  const auto timed = [&](const std::string& what, double seconds) {
    lines.push_back({what, seconds, "s"});
    lines.push_back({what + ", a second", count / seconds, "entries/s"});
  };
  Stages stages;
  SealedPair pair({.dimension = options.dimension, .answer_after = {}, .line = {}});
  testing::TwoAgencies& agencies = pair.agencies();
  testing::LiveAgency& council = agencies.council();
  stages.Begin("importing");
  ImportLantern(agencies, options.entries, options.dimension, stages);
  timed("import, all in drafts", stages.End());
  stages.Begin("approving");
  testing::ApproveList(agencies.police(), "lantern");
  timed("approval", stages.End());

  const auto approved = steady_clock::now();
  const std::string deployment = agencies.CreateDeployment();
  council.Stop();
  testing::GatewayProcess requester(council);
  Launch(requester);
  lines.push_back({"requester: memory before", MemoryOf(requester.pid(), "VmRSS") / kMebi, "MiB"});
  const auto octets = [&](const testing::LiveAgency& agency) {
    return OctetsIn(agency.data() / "sealed");
  };
  stages.Begin("sealing");
  while (octets(agencies.police()) < sealed) {
    stages.Tell(
        fmt::format("{:.0f} of {:.0f} MiB", octets(agencies.police()) / kMebi, sealed / kMebi));
    COMITY_CHECK(steady_clock::now() - approved < kPatience);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  stages.End();
  timed("from approval to the last sealed block",
        std::chrono::duration<double>(steady_clock::now() - approved).count());
  stages.Begin("fetching");
  const Template stranger = agencies.Stranger();
  {
    SealedCamera camera(requester.engine(), deployment);
    camera.AwaitSearched(stranger, [&] {
      stages.Tell(fmt::format("{:.0f} of {:.0f} MiB", octets(council) / kMebi, sealed / kMebi));
      COMITY_CHECK(requester.IsRunning() && steady_clock::now() - approved < kPatience);
    });
  }
  timed("fetch, to the first search", stages.End());
  const auto memory = [&](const std::string& when) {
    const double now = MemoryOf(requester.pid(), "VmRSS");
    const double most = MemoryOf(requester.pid(), "VmHWM");
    lines.push_back({"requester: memory " + when, now / kMebi, "MiB"});
    lines.push_back({"requester: memory " + when + " / sealed list", now / sealed, ""});
    lines.push_back({"requester: most memory until then / sealed list", most / sealed, ""});
  };
  memory("after the fetch");

  COMITY_CHECK(requester.Stop(std::chrono::seconds(60)) == 0);
  stages.Begin("loading the copy again");
  Launch(requester);
  timed("start with the copy on the disk", stages.End());
  SealedCamera camera(requester.engine(), deployment);
  camera.AwaitSearched(stranger, [] {});
  stages.Begin("searching");
  Sample searches;
  std::size_t late = 0;
  for (std::size_t i = 0; i < options.faces; ++i) {
    const auto start = steady_clock::now();
    const bool is_answered = camera.TryAsk(stranger);
    if (is_answered) searches.Add(steady_clock::now() - start);
    if (!is_answered) ++late;
    stages.Tell(fmt::format("{} of {}", i + 1, options.faces));
  }
  stages.End();
  lines.push_back({"probes without an answer within 5 s", static_cast<double>(late), ""});
  COMITY_CHECK(searches.size() > 0);
  memory("after searches");
  lines.push_back({"bar for the requester's memory / sealed list", kBarMemory, ""});
  lines.push_back({"probe, p50", searches.p50() / 1e6, "s"});
  lines.push_back({"probe, slowest", searches.At(1) / 1e6, "s"});
  lines.push_back({"bar for a probe", kBarProbe, "s"});
  return lines;
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  using namespace comity;
  const auto arguments = bench::ParseArguments(argc, argv, {"--faces"}, 2);
  if (!arguments || arguments->Option("--faces", 1) < 1) {
    fmt::print(stderr, "usage: {} [--json] [--faces N] [ENTRIES [DIMENSION]]\n", argv[0]);
    return 2;
  }
  if (!transport::EnforceTls13()) return EXIT_FAILURE;
  bench::Options options;
  options.entries = arguments->Position(0, options.entries);
  options.dimension = static_cast<std::uint32_t>(arguments->Position(1, options.dimension));
  options.faces = static_cast<std::size_t>(arguments->Option("--faces", 20));
  bench::PrintFigures(bench::Measure(options), arguments->json);
  return EXIT_SUCCESS;
}
