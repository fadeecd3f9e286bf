// SPDX-License-Identifier: Apache-2.0
// One requester that searches the sealed lists of many partners: what a probe costs it, in its own
// processor time, and what travels. The partners' side is played on the same thread, by the code
// that gateways run, and is not in the requester's figures. Every outcome is checked.
// `sealed_fanout_bench [--json] [--probes N] [PARTNERS [ENTRIES [DIMENSION]]]`; 20 partners of
// 17,000 entries of 512 dimensions take 0.6 GB and some 20 seconds.
#include <cstdlib>
#include <utility>

#include "crypto/base/check.h"
#include "services/measure/search_measure.h"
#include "tests/bench/bench_arguments.h"
#include "tests/bench/figure_lines.h"

namespace comity::bench {
namespace {

using measure::BatchFigures;
using measure::MeasuredSession;
using measure::SealedSample;
using measure::SyntheticFaces;

constexpr double kMilli = 1e3;
constexpr double kBarMilliseconds = 80;
constexpr std::size_t kBatch = 8;

struct Work {
  std::size_t partners, entries, dimension, probes;
  double comparisons() const { return static_cast<double>(partners * entries); }
};

// Of one probe (or batch) over all partners' lists; of the partners, the sum.
struct Round {
  double blind = 0, score = 0, tables = 0, requester = 0, holders = 0;
  double to_holders = 0, to_requester = 0;
};

void Add(const BatchFigures& figures, Round& round) {
  round.blind += figures.blind;
  round.score += figures.score;
  round.tables += figures.tables;
  round.requester += figures.requester;
  round.holders += figures.holder;
  round.to_holders += static_cast<double>(figures.octets.to_holder);
  round.to_requester += static_cast<double>(figures.octets.to_requester);
}

// Lists take turns, so that none is in a cache because it was searched just before.
std::vector<Round> Search(std::vector<MeasuredSession>& sessions, std::size_t batch,
                          std::size_t rounds) {
  std::vector<Round> all;
  for (std::size_t i = 0; i <= rounds; ++i) {
    Round round;
    for (MeasuredSession& session : sessions) {
      const auto figures = session.MeasureOnce(batch);
      COMITY_CHECK(figures.has_value());
      Add(*figures, round);
    }
    if (i > 0) all.push_back(round);  // the first reads everything for the first time
    fmt::print(stderr, "\rbatches of {}: {}/{} ", batch, i, rounds);
  }
  fmt::print(stderr, "\n");
  return all;
}

double Median(const std::vector<Round>& rounds, double Round::* part) {
  measure::Samples samples;
  for (const Round& round : rounds) samples.Add(round.*part);
  return samples.Median();
}

// Pads of all sessions: the median of theirs, seconds or octets a pad.
measure::PadFigures PadsOf(const std::vector<MeasuredSession>& sessions) {
  measure::Samples requester, holder;
  for (const MeasuredSession& session : sessions) {
    requester.Add(session.pads().requester);
    holder.Add(session.pads().holder);
  }
  return {requester.Median(), holder.Median(), sessions.front().pads().octets};
}

void Report(const std::vector<Round>& rounds, std::size_t batch, const Work& work,
            const measure::PadFigures& pads, std::vector<FigureLine>& lines) {
  const std::string of = fmt::format("batch of {}: ", batch);
  const double probes = static_cast<double>(batch);
  const auto milliseconds = [&](const std::string& what, double Round::* part) {
    lines.push_back({of + what, Median(rounds, part) * kMilli / probes, "ms a probe"});
  };
  milliseconds("requester, blinding", &Round::blind);
  milliseconds("requester, scores", &Round::score);
  milliseconds("requester, tables and sketches", &Round::tables);
  milliseconds("requester, all", &Round::requester);
  const double own = Median(rounds, &Round::requester) / probes;
  lines.push_back({of + "requester, all with the pads that it uses up",
                   (own + pads.requester * work.comparisons()) * kMilli, "ms a probe"});
  milliseconds("all partners together", &Round::holders);
  const auto octets = [&](const std::string& what, double Round::* part) {
    lines.push_back({of + what, Median(rounds, part) / probes / 1e6, "MB a probe"});
  };
  octets("to the partners", &Round::to_holders);
  octets("to the requester", &Round::to_requester);
}

int Run(const Work& work, bool json) {
  SystemRandom random;
  const measure::Progress quiet = [](std::uint64_t /*done*/, std::uint64_t /*all*/) {};
  const auto faces = SyntheticFaces::Make(work.entries, work.dimension, kBatch, quiet);
  if (!faces) {
    fmt::print(stderr, "sealed_fanout_bench: {}\n", faces.error().detail);
    return EXIT_FAILURE;
  }
  const matching::SealedKernels kernels{sealed::FastestKernel(), ot::FastestKernel()};
  std::vector<SealedSample> samples;
  samples.reserve(work.partners);  // sessions refer to them
  std::vector<MeasuredSession> sessions;
  measure::SetUpFigures set_up;
  double sealed = 0;
  for (std::size_t i = 0; i < work.partners; ++i) {
    auto sample = measure::SealSample(*faces, random, quiet);
    COMITY_CHECK(sample.has_value());
    samples.push_back(*std::move(sample));
    auto session = MeasuredSession::Create({samples.back(), *faces, kernels, random, 0});
    COMITY_CHECK(session.has_value());
    set_up.requester += session->set_up().requester;
    sealed += static_cast<double>(samples.back().sealed_octets);
    sessions.push_back(*std::move(session));
    fmt::print(stderr, "\rsealed lists: {}/{} ", i + 1, work.partners);
  }
  fmt::print(stderr, "\n");
  const std::vector<Round> one = Search(sessions, 1, work.probes);
  const std::vector<Round> batch = Search(sessions, kBatch, (work.probes + kBatch - 1) / kBatch);
  const measure::PadFigures pads = PadsOf(sessions);
  std::vector<FigureLine> lines = {
      {"partners", static_cast<double>(work.partners), ""},
      {"entries of all", work.comparisons(), ""},
      {"sealed lists", sealed / 1e6, "MB"},
      {"setting up all sessions, requester", set_up.requester * kMilli, "ms"},
      {"pads ahead: requester", pads.requester * work.comparisons() * kMilli, "ms a probe"},
      {"pads ahead: to the requester", pads.octets * work.comparisons() / 1e6, "MB a probe"}};
  Report(one, 1, work, pads, lines);
  lines.push_back({"bar for the requester, all", kBarMilliseconds, "ms a probe"});
  Report(batch, kBatch, work, pads, lines);
  PrintFigures(lines, json);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  using namespace comity::bench;
  const auto arguments = ParseArguments(argc, argv, {"--probes"}, 3);
  if (!arguments || arguments->Option("--probes", 1) < 1) {
    fmt::print(stderr, "usage: {} [--json] [--probes N] [PARTNERS [ENTRIES [DIMENSION]]]\n",
               argv[0]);
    return 2;
  }
  return Run(
      {arguments->Position(0, 20), arguments->Position(1, 17'000), arguments->Position(2, 512),
       static_cast<std::size_t>(arguments->Option("--probes", 24))},
      arguments->json);
}
