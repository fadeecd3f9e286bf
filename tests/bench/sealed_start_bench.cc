// SPDX-License-Identifier: Apache-2.0
// How long a gateway takes to start with a large sealed list, from the start of its process until
// all its ports serve, which is when its lists can be searched: the holder, who has entries,
// templates and sealed blocks, and the requester, who has the copy; over SQLite, and over a
// PostgreSQL server of its own on this machine, with fsync, to which the very same nodes are
// carried over by `comityd --import-database`, which is measured too. At the end the list is
// searched between the two. Progress is told on standard error. `sealed_start_bench [--json]
// [--starts N] [--wait 1] [ENTRIES [DIMENSION]]`, 1,000,000 of 512 by default and two starts each:
// some 15 minutes, 14 GB of memory and 25 GB in TMPDIR. With --wait 1 each start waits for a line
// on standard input, so that another `comityd` can be put in the place of the first, or what else
// runs can be ended.
#include <cstdlib>
#include <iostream>
#include <limits>
#include <thread>

#include "crypto/base/check.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/bench_arguments.h"
#include "tests/bench/figure_lines.h"
#include "tests/bench/large_list.h"
#include "tests/bench/sealed_pair.h"
#include "tests/e2e/gateway_process.h"
#include "tests/integration/live_acts.h"
#include "tests/support/postgres/test_database.h"

namespace comity::bench {
namespace {

using std::chrono::steady_clock;

constexpr double kBar = 10;  // s
constexpr const char* kSealedTable = "[sealed]\nanswer_after = 0\n";

struct Options {
  bool json = false;
  std::size_t entries = 1'000'000;
  std::uint32_t dimension = 512;
  std::size_t starts = 2;
  bool wait = false;  // for a line on standard input before each start
};

// Published, fetched and searched once; both gateways are stopped then. Returns the deployment.
std::string SetUp(SealedPair& pair, const Options& options, const Stages& stages) {
  testing::TwoAgencies& agencies = pair.agencies();
  ImportLantern(agencies, options.entries, options.dimension, stages);
  stages.Tell("approving");
  testing::ApproveList(agencies.police(), "lantern");
  const std::string deployment = agencies.CreateDeployment();
  const auto began = steady_clock::now();
  {
    SealedCamera camera(agencies.council().engine(), deployment);
    camera.AwaitSearched(agencies.Stranger(), [&] {
      stages.Tell(fmt::format("sealing and fetching, {:.0f} octets there",
                              OctetsIn(agencies.council().data() / "sealed")));
      COMITY_CHECK(steady_clock::now() - began < kPatience);
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    });
  }
  agencies.council().Stop();
  agencies.police().Stop();
  return deployment;
}

class Starts {
 public:
  Starts(SealedPair& pair, const Options& options, std::string deployment)
      : pair_(pair), options_(options), deployment_(std::move(deployment)) {}

  void Measure(const std::string& over) {
    for (std::size_t i = 0; i < options_.starts; ++i) {
      if (options_.wait) {
        fmt::print(stderr, "start {} over {}: waiting for a line\n", i + 1, over);
        std::cin.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
      }
      testing::GatewayProcess holder(agencies().police());
      Start(holder, "holder over " + over);
      testing::GatewayProcess requester(agencies().council());
      Start(requester, "requester over " + over);
      stages_.Begin("searching");
      SealedCamera camera(requester.engine(), deployment_);
      camera.AwaitSearched(agencies().Stranger(), [] {});
      lines_.push_back({"then to the first search over " + over, stages_.End(), "s"});
      COMITY_CHECK(requester.Stop(std::chrono::seconds(60)) == 0);
      COMITY_CHECK(holder.Stop(std::chrono::seconds(60)) == 0);
    }
  }

  // In: settings  of the node, besides those of the database
  void CarryOver(testing::LiveAgency& agency, const testing::TestDatabase& database,
                 const std::string& settings) {
    agency.Configure(settings + "[store]\nurl = \"" + database.Url("comity_gateway") +
                     "\"\nmigration_url = \"" + database.Url("comity_migration") + "\"\n");
    agency.WriteConfig();
    stages_.Begin("importing the database of " + agency.name());
    const auto done = testing::RunCommand(
        {testing::ComitydPath(), "--config", agency.config_file().string(), "--import-database"},
        kPatience);
    COMITY_CHECK(done.has_value());
    if (done->exit_code != 0) fmt::print(stderr, "{}{}\n", done->out, done->err);
    COMITY_CHECK(done->exit_code == 0);
    const double seconds = stages_.End();
    lines_.push_back({"--import-database, " + agency.name(), seconds, "s"});
    fmt::print(stderr, "{}", done->out);
  }

  std::vector<FigureLine> lines() const { return lines_; }

 private:
  testing::TwoAgencies& agencies() { return pair_.agencies(); }

  void Start(testing::GatewayProcess& gateway, const std::string& name) {
    stages_.Begin("starting the " + name);
    Launch(gateway);
    lines_.push_back({"start, " + name, stages_.End(), "s"});
  }

  SealedPair& pair_;
  const Options options_;
  const std::string deployment_;
  Stages stages_;
  std::vector<FigureLine> lines_;
};

std::vector<FigureLine> Measure(const Options& options) {
  const auto server = testing::PostgresServer::Start({.durable = true}).value();
  const testing::TestDatabase of_police(*server), of_council(*server);
  SealedPair pair({.dimension = options.dimension, .answer_after = {}, .line = {}});
  Stages stages;
  stages.Begin("setting up");
  Starts starts(pair, options, SetUp(pair, options, stages));
  stages.End();
  starts.Measure("SQLite");
  starts.CarryOver(pair.agencies().police(), of_police, kSealedTable);
  starts.CarryOver(pair.agencies().council(), of_council, "");
  starts.Measure("PostgreSQL");
  std::vector<FigureLine> lines = {{"entries", static_cast<double>(options.entries), ""}};
  for (FigureLine& line : starts.lines()) lines.push_back(std::move(line));
  lines.push_back({"bar for a start", kBar, "s"});
  return lines;
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  using namespace comity;
  const auto arguments = bench::ParseArguments(argc, argv, {"--starts", "--wait"}, 2);
  if (!arguments || arguments->Option("--starts", 1) < 1) {
    fmt::print(stderr, "usage: {} [--json] [--starts N] [--wait 1] [ENTRIES [DIMENSION]]\n",
               argv[0]);
    return 2;
  }
  if (!transport::EnforceTls13()) return EXIT_FAILURE;
  bench::Options options;
  options.entries = arguments->Position(0, options.entries);
  options.dimension = static_cast<std::uint32_t>(arguments->Position(1, options.dimension));
  options.starts = static_cast<std::size_t>(arguments->Option("--starts", 2));
  options.wait = arguments->Option("--wait", 0) > 0;
  bench::PrintFigures(bench::Measure(options), arguments->json);
  return EXIT_SUCCESS;
}
