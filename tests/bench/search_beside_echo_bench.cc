// SPDX-License-Identifier: Apache-2.0
// Direct and sealed searches through two real gateways each, beside a bare echo over the same kind
// of connection, all in turns in one run, with 1, 8 and 64 in flight: how many a second, how long
// one takes from its send to its answer, and what it costs all threads of the process (both
// gateways, engine, both sides of the echo). Beside the processor time of a search stands the sum
// of its parts, measured in the same turns: hops of its messages' sizes with as many in flight,
// scan or sealed comparison with its pads, signatures and their checks, commits.
// `search_beside_echo_bench [--json] [--rounds N] [ENTRIES [DIMENSION]]`. Sealed answers leave at
// once (sealed.answer_after = 0). Data folders are in TMPDIR; SQLite syncs every commit.
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "services/measure/search_measure.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/bench_arguments.h"
#include "tests/bench/direct_pair.h"
#include "tests/bench/echo_stream.h"
#include "tests/bench/figure_lines.h"
#include "tests/bench/sealed_pair.h"
#include "tests/bench/search_costs.h"

namespace comity::bench {
namespace {

using std::chrono::steady_clock;

constexpr double kMicro = 1e6;
constexpr double kBarOfParts = 1.5;
constexpr std::size_t kSealedBatch = 8;
// Of a sealed probe over n entries, as docs/performance.md measured them: to the holder, back, and
// the pads that are used up.
constexpr double kTablesPerEntry = 8;
constexpr std::size_t kBlindedProbe = 3000;
constexpr double kAnswerPerEntry = 0.75 + 23.32;
constexpr std::size_t kDigested = 600;  // floats: what is signed of a sealed batch has some 2.4 KB

struct Options {
  bool json = false;
  std::size_t entries = 17'000;
  std::uint32_t dimension = 128;
  std::size_t rounds = 10;
};

// One kind of exchange, with an engine's or caller's end to send and receive by.
struct Contender {
  std::string name;
  std::size_t each_round = 0;
  std::function<void()> send;
  std::function<void()> receive;
};

// What was measured of one contender with one number in flight.
struct Course {
  Sample latency;
  double seconds = 0;
  double processor_micros = 0;
  double count() const { return static_cast<double>(latency.size()); }
  double rate() const { return count() / seconds; }
  double processor() const { return processor_micros / count(); }
};

// Runs one turn: `in_flight` have no answer at any time. Sends by a thread of its own, so that
// neither side waits for the other to read.
void TakeTurn(const Contender& contender, std::size_t in_flight, Course& course) {
  std::counting_semaphore<> free(static_cast<std::ptrdiff_t>(in_flight));
  std::mutex mutex;
  std::deque<steady_clock::time_point> sent;  // guarded by `mutex`
  const double processor = ProcessMicros();
  const auto began = steady_clock::now();
  std::jthread sender([&] {
    for (std::size_t i = 0; i < contender.each_round; ++i) {
      free.acquire();
      {
        const std::lock_guard lock(mutex);
        sent.push_back(steady_clock::now());
      }
      contender.send();
    }
  });
  for (std::size_t i = 0; i < contender.each_round; ++i) {
    contender.receive();
    const auto now = steady_clock::now();
    {
      const std::lock_guard lock(mutex);
      course.latency.Add(now - sent.front());
      sent.pop_front();
    }
    free.release();
  }
  sender.join();
  course.seconds += std::chrono::duration<double>(steady_clock::now() - began).count();
  course.processor_micros += ProcessMicros() - processor;
}

// The cryptography of a sealed search, with the code of the gateways, on the calling thread.
class SealedCrypto {
 public:
  explicit SealedCrypto(const Options& options) : entries_(options.entries) {
    const measure::Progress quiet = [](std::uint64_t /*done*/, std::uint64_t /*all*/) {};
    faces_.emplace(
        measure::SyntheticFaces::Make(entries_, options.dimension, kSealedBatch, quiet).value());
    sample_.emplace(measure::SealSample(*faces_, random_, quiet).value());
    session_.emplace(
        measure::MeasuredSession::Create(
            {*sample_, *faces_, {sealed::FastestKernel(), ot::FastestKernel()}, random_, 0})
            .value());
  }
  void TakeTurn() {
    Add(session_->MeasureOnce(1).value(), one_);
    Add(session_->MeasureOnce(kSealedBatch).value(), batch_);
  }
  // Microseconds a probe, both roles, with the pads it uses up.
  double OfProbe(std::size_t in_flight) const {
    const measure::PadFigures pads = session_->pads();
    const double of_pads = (pads.requester + pads.holder) * static_cast<double>(entries_);
    const measure::Samples& batches = in_flight < kSealedBatch ? one_ : batch_;
    const double probes = in_flight < kSealedBatch ? 1 : kSealedBatch;
    return (batches.Median() / probes + of_pads) * kMicro;
  }

 private:
  static void Add(const measure::BatchFigures& batch, measure::Samples& samples) {
    samples.Add(batch.requester + batch.holder);
  }

  const std::size_t entries_;
  SystemRandom random_;
  std::optional<measure::SyntheticFaces> faces_;
  std::optional<measure::SealedSample> sample_;
  std::optional<measure::MeasuredSession> session_;
  measure::Samples one_, batch_;
};

struct Parts {
  Sample scan, sign, verify, digest_sign, digest_verify, commit;
};

struct Contest {
  std::size_t in_flight = 0;
  Course echo, sealed_hop, miss, hit, sealed;
};

Contest Compare(const Options& options, std::size_t in_flight,
                const std::vector<std::pair<const Contender*, Course Contest::*>>& contenders,
                const std::function<void()>& parts) {
  Contest contest;
  contest.in_flight = in_flight;
  for (std::size_t round = 0; round <= options.rounds; ++round) {
    for (const auto& [contender, course] : contenders) {
      Course discarded;  // the first round warms up
      TakeTurn(*contender, in_flight, round == 0 ? discarded : contest.*course);
    }
    parts();
  }
  return contest;
}

void AddCourse(std::vector<FigureLine>& lines, const std::string& name, std::size_t in_flight,
               const Course& course) {
  const std::string of = fmt::format("{}, {} in flight: ", name, in_flight);
  lines.push_back({of + "rate", course.rate(), "1/s"});
  lines.push_back({of + "p50", course.latency.p50() / 1e3, "ms"});
  lines.push_back({of + "p99", course.latency.p99() / 1e3, "ms"});
  lines.push_back({of + "processor time", course.processor(), "us"});
}

void AddParts(std::vector<FigureLine>& lines, const std::string& name, std::size_t in_flight,
              const Course& course, double parts) {
  AddCourse(lines, name, in_flight, course);
  const std::string of = fmt::format("{}, {} in flight: ", name, in_flight);
  lines.push_back({of + "processor time of its parts", parts, "us"});
  lines.push_back({of + "whole / parts", course.processor() / parts, ""});
}

std::vector<FigureLine> Report(const std::vector<Contest>& contests, const Parts& parts,
                               const SealedCrypto& crypto) {
  std::vector<FigureLine> lines = {
      {"part: scan", parts.scan.processor(), "us"},
      {"part: signing and verifying a probe", parts.sign.processor() + parts.verify.processor(),
       "us"},
      {"part: signing and verifying a sealed batch",
       parts.digest_sign.processor() + parts.digest_verify.processor(), "us"},
      {"part: commit of a hit", parts.commit.processor(), "us"}};
  for (const Contest& contest : contests) {
    const std::size_t many = contest.in_flight;
    AddCourse(lines, "echo", many, contest.echo);
    AddCourse(lines, "echo of a sealed search's octets", many, contest.sealed_hop);
    const double signatures = 2 * (parts.sign.processor() + parts.verify.processor());
    const double miss = 2 * contest.echo.processor() + parts.scan.processor() + signatures;
    AddParts(lines, "direct without a hit", many, contest.miss, miss);
    AddParts(lines, "direct with a hit", many, contest.hit, miss + 2 * parts.commit.processor());
    // Batches are signed, not probes.
    const double batch = many < kSealedBatch ? 1 : kSealedBatch;
    const double sealed_signatures =
        2 * (parts.digest_sign.processor() + parts.digest_verify.processor()) / batch;
    lines.push_back({fmt::format("part: sealed comparison with pads, {} in flight", many),
                     crypto.OfProbe(many), "us"});
    AddParts(lines, "sealed without a hit", many, contest.sealed,
             contest.echo.processor() + contest.sealed_hop.processor() + crypto.OfProbe(many) +
                 sealed_signatures);
  }
  lines.push_back({"bar for whole / parts", kBarOfParts, ""});
  return lines;
}

std::vector<FigureLine> Measure(const Options& options) {
  DirectPair direct(options.dimension, options.entries);
  SealedPair pair({options.dimension, std::chrono::milliseconds(0), std::nullopt});
  pair.agencies().ImportEntries(options.entries);
  SealedCamera sealed_camera(pair.agencies().council().engine(),
                             pair.agencies().CreateDeployment());
  const DirectPair::Template& stranger = direct.stranger();
  sealed_camera.AwaitSearched(stranger, [] {});
  const auto of_entries = [&](double octets) {
    return static_cast<std::size_t>(octets * static_cast<double>(options.entries));
  };
  EchoStream echo;
  EchoStream sealed_echo(
      EchoStream::Sizes{kBlindedProbe + of_entries(kTablesPerEntry), of_entries(kAnswerPerEntry)});
  const Contender echo_turn{"echo", 400, [&] { echo.Send(); }, [&] { echo.Receive(); }};
  const Contender hop_turn{"sealed echo", 100, [&] { sealed_echo.Send(); },
                           [&] { sealed_echo.Receive(); }};
  const Contender miss_turn{"miss", 300, [&] { direct.camera().Send(stranger); },
                            [&] { direct.camera().Receive(0); }};
  const Contender hit_turn{"hit", 150, [&] { direct.camera().Send(direct.NextListed()); },
                           [&] { direct.camera().Receive(1); }};
  const Contender sealed_turn{"sealed", 80, [&] { sealed_camera.Send(stranger); },
                              [&] { sealed_camera.Receive(0); }};
  Parts parts;
  SealedCrypto crypto(options);
  const std::vector<std::pair<Sample*, Part>> acts = {
      {&parts.scan, MakeScan(direct.entries(), testing::TwoAgencies::kThreshold)},
      {&parts.sign, MakeSigning(options.dimension)},
      {&parts.verify, MakeVerifying(options.dimension)},
      {&parts.digest_sign, MakeSigning(kDigested)},
      {&parts.digest_verify, MakeVerifying(kDigested)},
      {&parts.commit, MakeCountedCommit()}};
  const auto take_parts = [&] {
    constexpr int kEach = 50;
    for (const auto& [sample, act] : acts) sample->TimeMany(kEach, act);
    crypto.TakeTurn();
  };
  std::vector<Contest> contests;
  for (const std::size_t in_flight : {1UL, 8UL, 64UL}) {
    contests.push_back(Compare(options, in_flight,
                               {{&echo_turn, &Contest::echo},
                                {&hop_turn, &Contest::sealed_hop},
                                {&miss_turn, &Contest::miss},
                                {&hit_turn, &Contest::hit},
                                {&sealed_turn, &Contest::sealed}},
                               take_parts));
    fmt::print(stderr, "{} in flight: measured\n", in_flight);
  }
  return Report(contests, parts, crypto);
}

}  // namespace
}  // namespace comity::bench

int main(int argc, char** argv) {
  using namespace comity;
  const auto arguments = bench::ParseArguments(argc, argv, {"--rounds"}, 2);
  if (!arguments || arguments->Option("--rounds", 1) < 1) {
    fmt::print(stderr, "usage: {} [--json] [--rounds N] [ENTRIES [DIMENSION]]\n", argv[0]);
    return 2;
  }
  if (!transport::EnforceTls13()) return EXIT_FAILURE;
  bench::Options options;
  options.json = arguments->json;
  options.entries = arguments->Position(0, options.entries);
  options.dimension = static_cast<std::uint32_t>(arguments->Position(1, options.dimension));
  options.rounds = static_cast<std::size_t>(arguments->Option("--rounds", 10));
  bench::PrintFigures(bench::Measure(options), options.json);
  return EXIT_SUCCESS;
}
