// SPDX-License-Identifier: Apache-2.0
// A whole direct search, from the engine's send to its answer, through two real gateways over
// loopback mutual TLS, beside what it is made of, measured in turns with it in the same run: two
// echo hops, one scan, two signatures and two verifications, the durable commits.
// `direct_search_bench [--json] [ENTRIES [DIMENSION]]`. Data folders are in TMPDIR; SQLite syncs
// every commit.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/check.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/direct_pair.h"
#include "tests/bench/search_costs.h"

namespace comity::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Template = DirectPair::Template;

constexpr double kBarMicros = 500;  // what a search may take beyond its parts
constexpr int kRounds = 10;
constexpr int kPerRound = 200;
constexpr std::size_t kThroughputFaces = 1'500;

struct Options {
  bool json = false;
  std::size_t entries = 10'000;
  std::uint32_t dimension = 512;
};

struct Figures {
  Sample echo, scan, sync, commit, logged, counted, sign, verify, miss, hit;
};

// Parts and whole take turns, so that whatever else the machine does falls on all of them alike.
Figures MeasureLatency(DirectPair& pair, const Options& options) {
  Figures figures;
  const std::vector<std::pair<Sample*, Part>> parts = {
      {&figures.echo, MakeEchoHop()},
      {&figures.scan, MakeScan(pair.entries(), testing::TwoAgencies::kThreshold)},
      {&figures.sync, MakeRawSync()},
      {&figures.commit, MakeDurableCommit()},
      {&figures.logged, MakeLoggedCommit()},
      {&figures.counted, MakeCountedCommit()},
      {&figures.sign, MakeSigning(options.dimension)},
      {&figures.verify, MakeVerifying(options.dimension)}};
  const auto search = [&](const Template& face, int alerts) {
    pair.camera().Send(face);
    pair.camera().Receive(alerts);
  };
  const auto take_turn = [](int round, Sample& sample, const Part& act) {
    Sample discarded;
    (round < 0 ? discarded : sample).TimeMany(kPerRound, act);
  };
  for (int round = -1; round < kRounds; ++round) {
    for (const auto& [sample, part] : parts) take_turn(round, *sample, part);
    take_turn(round, figures.miss, [&] { search(pair.stranger(), 0); });
    take_turn(round, figures.hit, [&] { search(pair.NextListed(), 1); });
  }
  return figures;
}

// Faces a second of one stream with `in_flight` unanswered ones.
double MeasureThroughput(DirectCamera& camera, const Template& face, std::size_t in_flight,
                         int alerts) {
  const auto start = SteadyClock::now();
  std::size_t sent = 0;
  for (std::size_t received = 0; received < kThroughputFaces; ++received) {
    while (sent < kThroughputFaces && sent < received + in_flight) {
      camera.Send(face);
      ++sent;
    }
    camera.Receive(alerts);
  }
  return static_cast<double>(kThroughputFaces) /
         std::chrono::duration<double>(SteadyClock::now() - start).count();
}

struct Line {
  std::string name;
  double value;
  std::string unit;
};

void AddWhole(std::vector<Line>& lines, const std::string& faces, const Sample& whole,
              double parts) {
  lines.push_back({"whole, " + faces + ", p50", whole.p50(), "us"});
  lines.push_back({"whole, " + faces + ", p99", whole.p99(), "us"});
  lines.push_back({"parts, " + faces, parts, "us"});
  lines.push_back({"difference, " + faces, whole.p50() - parts, "us"});
}

// Of both gateways and the engine: of an echo hop both sides count too.
void AddProcessor(std::vector<Line>& lines, const std::string& faces, const Sample& whole,
                  double parts) {
  lines.push_back({"processor time, " + faces, whole.processor(), "us"});
  lines.push_back({"processor time of the parts, " + faces, parts, "us"});
  lines.push_back(
      {"whole of parts (bar 150), " + faces, whole.processor() / parts * 100, "percent"});
}

std::vector<Line> Report(const Figures& figures) {
  std::vector<Line> lines = {{"echo hop, p50", figures.echo.p50(), "us"},
                             {"scan, p50", figures.scan.p50(), "us"},
                             {"raw 4 KiB write and fdatasync, p50", figures.sync.p50(), "us"},
                             {"durable commit, p50", figures.commit.p50(), "us"},
                             {"durable commit through the log, p50", figures.logged.p50(), "us"},
                             {"signing a probe, p50", figures.sign.p50(), "us"},
                             {"verifying a probe, p50", figures.verify.p50(), "us"}};
  const double wire_and_scan = 2 * figures.echo.p50() + figures.scan.p50();
  AddWhole(lines, "face without a hit", figures.miss, wire_and_scan);
  AddWhole(lines, "face with a hit", figures.hit, wire_and_scan + 2 * figures.commit.p50());
  lines.push_back({"bar for the difference", kBarMicros, "us"});
  const std::vector<std::pair<std::string, const Sample*>> parts = {
      {"echo hop", &figures.echo},
      {"scan", &figures.scan},
      {"signing a probe", &figures.sign},
      {"verifying a probe", &figures.verify},
      {"commit: log entry", &figures.logged},
      {"commit: log entry and alarms' counts", &figures.counted}};
  for (const auto& [name, part] : parts) {
    lines.push_back({"processor time, " + name, part->processor(), "us"});
  }
  // The probe and its answer are each signed by one gateway and verified by the other.
  const double miss = 2 * figures.echo.processor() + figures.scan.processor() +
                      2 * figures.sign.processor() + 2 * figures.verify.processor();
  AddProcessor(lines, "face without a hit", figures.miss, miss);
  // Each gateway's entry with its counts.
  AddProcessor(lines, "face with a hit", figures.hit, miss + 2 * figures.counted.processor());
  return lines;
}

void Print(const std::vector<Line>& lines, bool json) {
  if (!json) {
    for (const Line& line : lines)
      fmt::print("{:<44} {:>10.0f} {}\n", line.name, line.value, line.unit);
    return;
  }
  fmt::print("[");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    fmt::print("{}{{\"name\":\"{}\",\"value\":{:.1f},\"unit\":\"{}\"}}", i == 0 ? "" : ",\n ",
               lines[i].name, lines[i].value, lines[i].unit);
  }
  fmt::print("]\n");
}

int Run(const Options& options) {
  COMITY_CHECK(transport::EnforceTls13());
  DirectPair pair(options.dimension, options.entries);
  std::vector<Line> lines = Report(MeasureLatency(pair, options));
  for (const std::size_t in_flight : {1UL, 8UL, 64UL}) {
    lines.push_back({fmt::format("without a hit, {} in flight", in_flight),
                     MeasureThroughput(pair.camera(), pair.stranger(), in_flight, 0), "faces/s"});
    lines.push_back({fmt::format("with a hit, {} in flight", in_flight),
                     MeasureThroughput(pair.camera(), pair.entries()[1], in_flight, 1), "faces/s"});
  }
  Print(lines, options.json);
  return EXIT_SUCCESS;
}

bool ParseArguments(int argc, char** argv, Options& options) {
  int position = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    if (text == "--json") {
      options.json = true;
      continue;
    }
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) return false;
    if (position == 0) options.entries = number;
    if (position == 1) options.dimension = number;
    ++position;
  }
  return position <= 2;
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  comity::bench::Options options;
  if (!comity::bench::ParseArguments(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--json] [ENTRIES [DIMENSION]]\n", argv[0]);
    return 2;
  }
  return comity::bench::Run(options);
}
