// SPDX-License-Identifier: Apache-2.0
// A large sealed list between two gateways: published, fetched, loaded again and searched, with the
// memory of the requester, whose `comityd` is a process of its own. The holder's gateway and the
// engine run in this one. Progress is told on standard error.
// `sealed_million_bench [--json] [--faces N] [ENTRIES [DIMENSION]]`, 1,000,000 of 512 by default:
// some ten minutes, 12 GB of memory and 10 GB in TMPDIR.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "crypto/base/check.h"
#include "crypto/sealed/sealed_block.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/bench_arguments.h"
#include "tests/bench/figure_lines.h"
#include "tests/bench/sealed_pair.h"
#include "tests/bench/search_costs.h"
#include "tests/e2e/gateway_process.h"
#include "tests/integration/live_acts.h"

namespace comity::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kImport = 50'000;  // entries at once: 40 MB of lines
constexpr double kMebi = 1024 * 1024;
constexpr double kBarMemory = 1.15;  // of the sealed octets
constexpr double kBarProbe = 1;      // s
constexpr std::chrono::minutes kPatience{60};

struct Options {
  bool json = false;
  std::size_t entries = 1'000'000;
  std::uint32_t dimension = 512;
  std::size_t faces = 20;
};

class Stages {
 public:
  void Begin(const std::string& name) {
    name_ = name;
    began_ = steady_clock::now();
    Tell("");
  }
  void Tell(const std::string& state) const {
    fmt::print(stderr, "\r\033[K{} ... {} {:.0f} s", name_, state, Elapsed());
  }
  double End() const {
    const double seconds = Elapsed();
    fmt::print(stderr, "\r\033[K{}: {:.1f} s\n", name_, seconds);
    return seconds;
  }
  double Elapsed() const {
    return std::chrono::duration<double>(steady_clock::now() - began_).count();
  }

 private:
  std::string name_;
  steady_clock::time_point began_;
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

double OctetsIn(const std::filesystem::path& folder) {
  std::uintmax_t octets = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator file(folder, error), end;
       !error && file != end; file.increment(error)) {
    std::error_code gone;
    const bool is_file = file->is_regular_file(gone);
    const std::uintmax_t size = is_file && !gone ? file->file_size(gone) : 0;
    if (!gone) octets += size;
  }
  return static_cast<double>(octets);
}

std::size_t SealedOctets(const Options& options) {
  std::size_t octets = 0;
  for (std::size_t first = 0; first < options.entries; first += sealed::kRingDegree) {
    octets += sealed::EncodedBlockBytes(std::min(sealed::kRingDegree, options.entries - first),
                                        options.dimension);
  }
  return octets;
}

// Unit vectors without any likeness; no copy of all is kept.
class Faces {
 public:
  explicit Faces(std::uint32_t dimension) : values_(dimension) {}
  const Template& Next() {
    double sum = 0;
    for (float& value : values_) {
      value = normal_(random_);
      sum += double{value} * double{value};
    }
    for (float& value : values_) value = static_cast<float>(double{value} / std::sqrt(sum));
    return values_;
  }

 private:
  std::mt19937_64 random_{1};
  std::normal_distribution<float> normal_;
  Template values_;
};

void Import(testing::TwoAgencies& agencies, const Options& options, const Stages& stages) {
  const testing::DefinitionText list = agencies.ListNamed("lantern");
  testing::LiveAgency& police = agencies.police();
  testing::DraftList(police, list);
  Faces faces(options.dimension);
  testing::EntryText text;
  text.now = list.starts_at + std::chrono::hours(1);
  text.category = list.categories.front();
  for (std::size_t first = 0; first < options.entries; first += kImport) {
    std::string entries, floats;
    for (std::size_t i = first; i < std::min(first + kImport, options.entries); ++i) {
      text.reference = fmt::format("ref-{}", i);
      entries += testing::EntryLine(text);
      const Template& face = faces.Next();
      floats.append(reinterpret_cast<const char*>(face.data()), face.size() * sizeof(float));
    }
    testing::AddEntries(police, list.reference, entries, floats);
    stages.Tell(
        fmt::format("{} of {}", std::min(first + kImport, options.entries), options.entries));
  }
}

void Launch(testing::GatewayProcess& gateway) {
  COMITY_CHECK(gateway.Begin());
  const auto end = steady_clock::now() + kPatience;
  while (!gateway.AwaitListening()) {  // it loads its copies first
    COMITY_CHECK(gateway.IsRunning() && steady_clock::now() < end);
  }
}

std::vector<FigureLine> Measure(const Options& options) {
  const auto sealed = static_cast<double>(SealedOctets(options));
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
  Import(agencies, options, stages);
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
