// SPDX-License-Identifier: Apache-2.0
// The load of many partners on one requester: `comityd` processes of a requester and N holders on
// this machine, cameras that show faces in open loop, one fan-out over all holders. Measures each
// face from its scheduled time to the last holder's answer, and memory, descriptors, threads and
// processor time of every gateway. Exit code 1: a bar was missed.
//
// The requester's added latency is bounded from above: nothing is subtracted, neither the search at
// the slowest holder, nor the line, nor the time by which a face was sent late; WatchAnswer does
// not say how long a holder took. A p99 within the bar shows that the added one is; a p99 beyond
// it shows nothing of the requester alone.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "services/cli/log_comparison.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/camera_load.h"
#include "tests/bench/load_report.h"
#include "tests/bench/partner_world.h"
#include "tests/bench/process_samples.h"
#include "tests/e2e/exported_log.h"

namespace comity::bench {
namespace {

std::atomic<bool> stop_asked{false};

constexpr double kSamplePause = 10;  // s

struct Options {
  PartnerTerms partners;
  LoadTerms load;
  LoadBars bars;
  std::string mode = "direct";
  std::filesystem::path out = "partner_load";
  std::filesystem::path json;
};

bool Tell(const std::string& step) {
  fmt::print(stderr, "set-up: {}\n", step);
  return !stop_asked;
}

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--holders", options.partners.holders, "partners that are searched")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  app.add_option("--entries", options.partners.entries, "entries of each partner's list")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--dimension", options.partners.dimension, "of the templates")
      ->check(CLI::Range(32, 1024))
      ->capture_default_str();
  app.add_option("--mode", options.mode,
                 "of search; sealed over 20 x 17,000 needs some 9 cores: take fewer holders")
      ->check(CLI::IsMember({"direct", "sealed"}))
      ->capture_default_str();
  app.add_option("--cameras", options.load.cameras)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--faces", options.load.faces_per_minute, "a minute and camera")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", options.load.seconds, "measured, after the warm-up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warm-up", options.load.warm_up_s, "seconds at the same rate, not measured")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--enrolled-every", options.load.enrolled_every,
                 "one face of so many is on one holder's list; 0: none")
      ->capture_default_str();
  app.add_option("--p99", options.bars.p99_ms, "bar, milliseconds")->capture_default_str();
  app.add_option("--rss-growth", options.bars.flat.rss_percent, "bar, % of the first span")
      ->capture_default_str();
  app.add_option("--rss-least", options.bars.flat.rss_mib, "MiB of growth that are flat anyway")
      ->capture_default_str();
  app.add_option("--fds-growth", options.bars.flat.descriptors, "bar")->capture_default_str();
  app.add_option("--threads-growth", options.bars.flat.threads, "bar")->capture_default_str();
  app.add_option("--out", options.out, "folder of samples.csv, faces.csv, requester.log")
      ->capture_default_str();
  app.add_option("--json", options.json, "file for all figures");
  app.footer(
      "Set-up takes two to three minutes for 20 x 17,000. The gateways' data is in TMPDIR and is\n"
      "removed at the end. Ctrl-C ends all gateways.\n"
      "Exit codes: 0 every bar met, 1 one missed, 2 not measured.");
}

// Shows the faces and samples the processes. False: it was interrupted, or a part ended.
bool Play(CameraLoad& load, ProcessSamples& samples, const LoadTerms& terms) {
  const double end = terms.warm_up_s + terms.seconds;
  double next = 0;
  load.Start();
  while (load.elapsed_s() < end && !stop_asked) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (load.elapsed_s() < next) continue;
    next += kSamplePause;
    if (!samples.Take(load.elapsed_s())) {
      fmt::print(stderr, "{} has ended\n", samples.ended());
      return false;
    }
    const CameraLoad::Counts now = load.counts();
    fmt::print(stderr, "{:6.0f} s: {} of {} faces sent, {} under way, {:.0f} s to go\n",
               load.elapsed_s(), now.sent, now.all, now.sent - now.complete,
               end - load.elapsed_s());
    if (now.stream_ended) {
      fmt::print(stderr, "the engine's stream has ended\n");
      return false;
    }
  }
  return !stop_asked && samples.Take(load.elapsed_s());
}

void WriteFaces(const std::vector<FaceRecord>& faces, const std::filesystem::path& csv) {
  std::ofstream file(csv);
  file << "scheduled_s,camera,enrolled_at,late_ms,complete_ms,answers\n";
  for (const FaceRecord& face : faces) {
    file << fmt::format("{:.4f},{},{},{:.3f},{:.3f},{}\n", face.scheduled_s, face.camera + 1,
                        face.enrolled_at, face.late_ms, face.complete_ms, face.answers);
  }
}

// Both logs, exported by the gateways in this process and verified octet by octet.
void CheckLogs(PartnerWorld& world, LoadReport& report) {
  const auto log_of = [&](std::size_t i) -> Result<testing::WholeLog> {
    COMITY_RETURN_IF_ERROR(world.agency(i).Restart());
    return testing::WholeLog::Of(world.agency(i));
  };
  const auto own = log_of(0);
  const auto partner = log_of(1);
  for (const auto* log : {&own, &partner}) {
    if (!*log) return report.Miss("a log does not verify: " + log->error().detail);
  }
  report.AddFact("requester's log verifies, entries", own->entries().size());
  report.AddFact("holder-01's log verifies, entries", partner->entries().size());
  const auto compared =
      cli::CompareLogs(own->side(), partner->side(), {.skew = std::chrono::seconds(0)});
  if (!compared) return report.Miss("the logs cannot be compared: " + compared.error().detail);
  report.AddFact("searches that both logs show", compared->searches);
  report.AddFact("alerts with their hit in both logs", compared->alerts);
  report.AddFact("differences between the two logs", compared->found);
  for (const auto& each : compared->differences) {
    report.Miss(fmt::format("logs differ: {} {} {}", each.kind, each.exchange, each.words));
  }
}

int Run(const Options& options) {
  std::filesystem::create_directories(options.out);
  PartnerWorld world(options.partners);
  if (!world.SetUp(Tell)) return 2;
  std::vector<ProcessSamples::Watched> watched;
  for (std::size_t i = 0; i < world.size(); ++i) {
    watched.push_back({world.agency(i).name(), world.process(i).pid()});
  }
  ProcessSamples samples(std::move(watched), options.out / "samples.csv");
  CameraLoad load(world, options.load);
  if (!load.AwaitHolders(std::chrono::minutes(10), stop_asked)) return 2;
  const auto octets = [&](std::size_t i) {
    return static_cast<double>(FolderOctets(world.agency(i).data()));
  };
  const double own_before = octets(0);
  const double holder_before = octets(1);
  const bool whole = Play(load, samples, options.load);
  load.Finish();
  const double hours = load.elapsed_s() / 3600;
  LoadReport report(options.load, options.bars);
  const CameraLoad::State state = load.state();
  WriteFaces(state.faces, options.out / "faces.csv");
  std::ofstream(options.out / "requester.log") << world.process(0).log();
  report.AddLatency(state);
  // The first and last ten minutes of an hour; of a shorter run a third each.
  const double span = std::min(600.0, options.load.seconds / 3);
  report.AddProcesses(samples.Trends(options.load.warm_up_s, span),
                      samples.last_s() - options.load.warm_up_s);
  report.AddFact("requester's data grows, MiB an hour",
                 (octets(0) - own_before) / (1024.0 * 1024.0) / hours);
  report.AddFact("holder-01's data grows, MiB an hour",
                 (octets(1) - holder_before) / (1024.0 * 1024.0) / hours);
  report.AddFact("requester's output, KiB",
                 static_cast<double>(world.process(0).log().size()) / 1024);
  if (!whole) report.Miss("the run did not last as long as it was asked to");
  if (!world.StopProcesses()) report.Miss("a gateway did not end cleanly");
  if (!stop_asked) CheckLogs(world, report);
  report.json()["terms"] = {{"holders", options.partners.holders},
                            {"entries", options.partners.entries},
                            {"dimension", options.partners.dimension},
                            {"mode", options.mode},
                            {"cameras", options.load.cameras},
                            {"faces_per_minute", options.load.faces_per_minute},
                            {"seconds", options.load.seconds},
                            {"warm_up_s", options.load.warm_up_s},
                            {"enrolled_every", options.load.enrolled_every}};
  const bool met = report.Conclude();
  if (!options.json.empty()) std::ofstream(options.json) << report.json().dump(1) << "\n";
  return met ? 0 : 1;
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  using namespace comity::bench;
  CLI::App app("Measures a requester under the load of many partners; see the options' defaults.");
  Options options;
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.partners.sealed = options.mode == "sealed";
  if (!comity::transport::EnforceTls13()) return 2;
  std::signal(SIGINT, [](int) { stop_asked = true; });
  std::signal(SIGTERM, [](int) { stop_asked = true; });
  return Run(options);
}
