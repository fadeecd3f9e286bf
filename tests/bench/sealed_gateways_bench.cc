// SPDX-License-Identifier: Apache-2.0
// A whole sealed search, from the engine's send to its answer, through two real gateways over
// loopback mutual TLS; with --rtt and --mbit over a line as long and as slow, beside what
// `comity bench sealed` predicts for it.
// `sealed_gateways_bench [--json] [--answer-after MS] [--rtt MS --mbit RATE] [--faces N] [ENTRIES
// [DIMENSION]]`. Answers leave at once by default; a gateway as installed holds each back until a
// tick of 250 ms, whatever the work took, which hides what hit (--answer-after 250 shows it).
#include <cstdlib>
#include <ctime>
#include <optional>
#include <utility>

#include "crypto/base/check.h"
#include "services/measure/line_prediction.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/bench_arguments.h"
#include "tests/bench/figure_lines.h"
#include "tests/bench/sealed_pair.h"
#include "tests/bench/search_costs.h"

namespace comity::bench {
namespace {

using std::chrono::steady_clock;

constexpr double kMilli = 1e3;
constexpr double kOctetsAMegabit = 1e6 / 8;
constexpr std::size_t kBatch = 8;
constexpr std::size_t kHits = 20;  // far from the release budget of their blocks
constexpr double kBarSingle = 10;  // ms
constexpr double kBarSingleOnLine = 100;
constexpr double kBarRate = 200;  // probes a second

struct Options {
  bool json = false;
  std::size_t entries = 10'000;
  std::uint32_t dimension = 512;
  std::size_t faces = 400;
  std::chrono::milliseconds answer_after{0};
  std::optional<measure::LineTerms> line;
};

double Seconds(steady_clock::time_point since) {
  return std::chrono::duration<double>(steady_clock::now() - since).count();
}

// Of all threads: both gateways and the engine.
double ProcessSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Rate {
  double probes_per_second = 0;
  double processor_ms = 0;  // a probe
};

// Keeps `under_way` faces without an answer: the requester sends all that wait as one batch.
Rate MeasureRate(SealedCamera& camera, const Template& face, std::size_t under_way,
                 std::size_t faces) {
  const auto start = steady_clock::now();
  const double processor = ProcessSeconds();
  std::size_t sent = 0;
  for (std::size_t received = 0; received < faces; ++received) {
    for (; sent < faces && sent < received + under_way; ++sent) camera.Send(face);
    camera.Receive(0);
  }
  const auto count = static_cast<double>(faces);
  return {count / Seconds(start), (ProcessSeconds() - processor) * kMilli / count};
}

struct Predicted {
  measure::LinePrediction one, batch;
};

// What the command line would print for this line, with the code of its benchmark.
Predicted PredictLine(const Options& options) {
  SystemRandom random;
  const measure::Progress quiet = [](std::uint64_t /*done*/, std::uint64_t /*all*/) {};
  const auto faces =
      measure::SyntheticFaces::Make(options.entries, options.dimension, kBatch, quiet);
  COMITY_CHECK(faces.has_value());
  const auto sample = measure::SealSample(*faces, random, quiet);
  COMITY_CHECK(sample.has_value());
  const matching::SealedKernels kernels{sealed::FastestKernel(), ot::FastestKernel()};
  auto session = measure::MeasuredSession::Create({*sample, *faces, kernels, random, 0.2});
  COMITY_CHECK(session.has_value());
  const auto one = session->Measure(1, quiet);
  const auto batch = session->Measure(kBatch, quiet);
  COMITY_CHECK(one.has_value() && batch.has_value());
  return {measure::Predict(*options.line, *one, session->pads(), options.entries),
          measure::Predict(*options.line, *batch, session->pads(), options.entries)};
}

void AddPrediction(const Options& options, double single, double rate,
                   std::vector<FigureLine>& lines) {
  const Predicted predicted = PredictLine(options);
  const double one = predicted.one.batch * kMilli;
  lines.push_back({"predicted: single probe", one, "ms"});
  lines.push_back({"measured / predicted: single probe", single / one, ""});
  lines.push_back({"predicted: for long", predicted.batch.probes_per_second, "probes/s"});
  lines.push_back({"measured / predicted: for long", rate / predicted.batch.probes_per_second, ""});
}

void AddTraffic(const SealedPair& pair, const std::pair<std::uint64_t, std::uint64_t>& before,
                std::size_t faces, std::vector<FigureLine>& lines) {
  const auto count = static_cast<double>(faces);
  lines.push_back(
      {"line: to the holder",
       static_cast<double>(pair.line()->to_target_octets() - before.first) / count / 1e3,
       "KB a probe"});
  lines.push_back(
      {"line: to the requester, with pads",
       static_cast<double>(pair.line()->from_target_octets() - before.second) / count / 1e3,
       "KB a probe"});
}

std::vector<FigureLine> Measure(const Options& options) {
  SealedTerms terms{options.dimension, options.answer_after, std::nullopt};
  if (options.line) {
    terms.line = testing::DelayProxy::Line{
        std::chrono::microseconds(static_cast<std::int64_t>(options.line->round_trip / 2 * 1e6)),
        static_cast<std::uint64_t>(options.line->octets_per_second)};
  }
  SealedPair pair(terms);
  testing::TwoAgencies& agencies = pair.agencies();
  agencies.ImportEntries(options.entries);
  const auto approved = steady_clock::now();
  SealedCamera camera(agencies.council().engine(), agencies.CreateDeployment());
  const Template stranger = agencies.Stranger();
  camera.AwaitSearched(stranger, [] {});
  std::vector<FigureLine> lines = {
      {"from the list's approval to the first answer", Seconds(approved), "s"}};
  for (std::size_t i = 0; i < kBatch; ++i) camera.Ask(stranger, 0);
  Sample missed, found;
  for (std::size_t i = 0; i < options.faces; ++i) missed.Time([&] { camera.Ask(stranger, 0); });
  const std::size_t hits = std::min(kHits, options.entries);
  for (std::size_t i = 0; i < hits; ++i) {
    const Template& face = agencies.entries()[i * (options.entries / hits)];
    found.Time([&] { camera.Ask(face, 1); });
  }
  const double single = missed.p50() / kMilli;
  lines.push_back({"single probe without a hit, p50", single, "ms"});
  lines.push_back({"single probe without a hit, p99", missed.p99() / kMilli, "ms"});
  lines.push_back({"single probe with a hit, p50", found.p50() / kMilli, "ms"});
  lines.push_back(
      {"bar for a single probe, p50", options.line ? kBarSingleOnLine : kBarSingle, "ms"});
  const auto before =
      options.line ? std::pair(pair.line()->to_target_octets(), pair.line()->from_target_octets())
                   : std::pair<std::uint64_t, std::uint64_t>();
  std::size_t searched = 0;
  double best = 0;
  for (const std::size_t under_way : {std::size_t{1}, kBatch, 2 * kBatch, 4 * kBatch}) {
    const Rate rate = MeasureRate(camera, stranger, under_way, options.faces);
    searched += options.faces;
    best = std::max(best, rate.probes_per_second);
    const std::string of = fmt::format("{} under way: ", under_way);
    lines.push_back({of + "probes", rate.probes_per_second, "probes/s"});
    lines.push_back(
        {of + "processor time, both gateways and engine", rate.processor_ms, "ms a probe"});
  }
  if (!options.line) {
    lines.push_back({"bar for probes, 8 under way", kBarRate, "probes/s"});
    return lines;
  }
  AddTraffic(pair, before, searched, lines);
  AddPrediction(options, single, best, lines);
  return lines;
}

std::optional<Options> OptionsOf(const BenchArguments& arguments) {
  Options options;
  options.json = arguments.json;
  options.entries = arguments.Position(0, options.entries);
  options.dimension = static_cast<std::uint32_t>(arguments.Position(1, options.dimension));
  options.faces =
      static_cast<std::size_t>(arguments.Option("--faces", static_cast<double>(options.faces)));
  options.answer_after =
      std::chrono::milliseconds(static_cast<int>(arguments.Option("--answer-after", 0)));
  const double round_trip = arguments.Option("--rtt", 0);
  const double megabits = arguments.Option("--mbit", 0);
  if ((round_trip > 0) != (megabits > 0) || options.faces < kBatch) return std::nullopt;
  if (megabits > 0) {
    options.line = measure::LineTerms{round_trip / kMilli, megabits * kOctetsAMegabit};
  }
  return options;
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  using namespace comity;
  const auto arguments =
      bench::ParseArguments(argc, argv, {"--answer-after", "--rtt", "--mbit", "--faces"}, 2);
  const auto options = arguments ? bench::OptionsOf(*arguments) : std::nullopt;
  if (!options) {
    fmt::print(stderr,
               "usage: {} [--json] [--answer-after MS] [--rtt MS --mbit RATE] [--faces N] "
               "[ENTRIES [DIMENSION]]\n",
               argv[0]);
    return 2;
  }
  if (!transport::EnforceTls13()) return EXIT_FAILURE;
  bench::PrintFigures(bench::Measure(*options), options->json);
  return EXIT_SUCCESS;
}
