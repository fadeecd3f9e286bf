// SPDX-License-Identifier: Apache-2.0
// Whole sealed searches, both roles in one thread, at d = 512, beside plaintext scans of the same
// size with Faiss. Of each step: nanoseconds a comparison. Nothing is left out but network, log and
// policy; pads are made as they are used up.
#include <benchmark/benchmark.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/utils/distances.h>
#include <omp.h>
#include <time.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/seal.h"
#include "crypto/sealed/threshold.h"
#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/requester_round.h"
#include "services/matching/sealed/sealed_outcome.h"

namespace comity::matching {
namespace {

constexpr std::uint32_t kDimension = 512;
constexpr std::uint32_t kCap = sealed::kDefaultCap;

std::vector<float> RandomUnitRows(std::size_t rows, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> matrix(rows * kDimension);
  for (float& x : matrix) x = normal(generator);
  for (std::size_t first = 0; first < matrix.size(); first += kDimension) {
    double sum = 0;
    for (std::size_t k = 0; k < kDimension; ++k) {
      sum += double{matrix[first + k]} * double{matrix[first + k]};
    }
    for (std::size_t k = 0; k < kDimension; ++k) {
      matrix[first + k] = static_cast<float>(double{matrix[first + k]} / std::sqrt(sum));
    }
  }
  return matrix;
}

std::vector<sealed::SecretArray<std::int8_t>> Templates(std::size_t count, std::uint64_t seed) {
  const auto quantiser = *sealed::Quantiser::Create(kDimension);
  const std::vector<float> rows = RandomUnitRows(count, seed);
  std::vector<sealed::SecretArray<std::int8_t>> templates;
  for (std::size_t i = 0; i < count; ++i) {
    templates.push_back(*quantiser.Quantise(std::span(rows).subspan(i * kDimension, kDimension)));
  }
  return templates;
}

sealed::ListHeader Header(const sealed::Scales& scales) {
  return {.holder = "holder",
          .requester = "requester",
          .agreement = "agreement",
          .agreement_version = 1,
          .agreement_sha256 = {},
          .purpose = "purpose",
          .list = "list",
          .epoch = 1,
          .engine_name = "engine",
          .engine_version = "1",
          .scales = scales,
          .delta = sealed::Profile::Create(scales)->delta(),
          .public_seed = {},
          .sealed_at = 0,
          .valid_until = 1};
}

// A sealed list of strangers at both ends.
struct List {
  explicit List(std::size_t entries) {
    const sealed::ListHeader header = Header({.dimension = kDimension});
    const auto profile = *sealed::Profile::Create(header.scales);
    const auto matrix = *sealed::SealingMatrix::Expand(header.public_seed, kDimension);
    SystemRandom random;
    sealed::ListState state{
        .header = sealed::HeaderDigest(header), .sequence = 1, .blocks = {}, .withdrawn = {}};
    sealed::ListView::Blocks blocks;
    sealed::EpochView::Secrets secrets;
    for (std::size_t first = 0; first < entries; first += sealed::kRingDegree) {
      const std::size_t count = std::min(sealed::kRingDegree, entries - first);
      std::vector<std::int8_t> rows;
      for (const auto& x : Templates(count, first + 1)) {
        rows.insert(rows.end(), x.Expose().begin(), x.Expose().end());
      }
      const sealed::BlockIdentity identity{.header = state.header,
                                           .number = static_cast<std::uint32_t>(blocks.size())};
      auto sealed_block = *sealed::Seal(profile, matrix, identity, rows, random);
      secrets.push_back(std::make_shared<const sealed::BlockSecret>(
          *sealed::BlockSecret::Derive(identity, sealed_block.root)));
      state.blocks.push_back({.number = identity.number,
                              .count = sealed_block.root.count,
                              .hash = sealed::BlockHash(state.header, sealed_block.block)});
      blocks.push_back(sealed::ListView::MakeBlock(std::move(sealed_block.block)));
    }
    view = *sealed::ListView::Create(header, state, std::move(blocks), nullptr);
    epoch = *sealed::EpochView::Create(header, state, std::move(secrets));
  }
  std::shared_ptr<const sealed::ListView> view;
  std::shared_ptr<const sealed::EpochView> epoch;
};

const List& ListOf(std::size_t entries) {
  static std::map<std::size_t, List> lists;
  return lists.try_emplace(entries, entries).first->second;
}

// Nanoseconds that this thread has run: other load on the machine does not count.
double ThreadNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

// What one step of all iterations took together.
class StepTimes {
 public:
  template <typename Work>
  auto Time(const std::string& step, const Work& work) {
    const double begin = ThreadNanoseconds();
    auto result = work();
    nanoseconds_[step] += ThreadNanoseconds() - begin;
    return result;
  }
  void Report(benchmark::State& state, double comparisons) const {
    for (const auto& [step, nanoseconds] : nanoseconds_) {
      state.counters[step] = nanoseconds / comparisons;
    }
  }

 private:
  std::map<std::string, double> nanoseconds_;
};

void Must(bool done) {
  if (!done) std::abort();
}

struct Traffic {
  std::size_t to_requester = 0;
  std::size_t to_holder = 0;
  std::size_t ahead = 0;
};

// Both ends of one session, set up.
class Ends {
 public:
  explicit Ends(const List& list)
      : holder_(*SealedHolder::Create({.list = list.epoch,
                                       .terms = Terms(list),
                                       .first_block = 0,
                                       .kernels = kKernels,
                                       .random = random_})),
        requester_(*SealedRequester::Create({.list = list.view,
                                             .terms = Terms(list),
                                             .first_block = 0,
                                             .kernels = kKernels,
                                             .random = random_},
                                            holder_.offer())) {
    if (!requester_.OnTrees(*holder_.OnAnswer(requester_.answer()))) std::abort();
  }

  void Search(std::span<const sealed::SecretArray<std::int8_t>> probes, StepTimes& times,
              Traffic& traffic) {
    auto begun = times.Time("r_blind", [&] { return *requester_.Begin(probes, number_ += 100); });
    times.Time("r_scan", [&] {
      requester_.Prepare(*begun.round);
      return 0;
    });
    const std::size_t slots = requester_.list().slot_count();
    while (holder_.pads() < slots * probes.size()) {
      const Bytes pads = times.Time("h_pads", [&] { return *holder_.MakePads(); });
      traffic.ahead += pads.size();
      Must(times.Time("r_pads", [&] { return requester_.OnPads(pads).has_value(); }));
    }
    const std::vector<ByteView> messages(begun.probes.begin(), begun.probes.end());
    const auto round = times.Time("h_begin", [&] { return *holder_.Begin(messages); });
    std::vector<std::size_t> all(probes.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    Must(times.Time("r_accept", [&] { return requester_.Accept(*begun.round, all).has_value(); }));
    for (const std::size_t index : all) {
      sealed::Sketch masks{.cap = kCap};
      sealed::Sketch bits{.cap = kCap};
      const Bytes offsets =
          times.Time("h_offsets", [&] { return *holder_.Offsets(*round, index); });
      const Bytes tables = times.Time(
          "r_tables", [&] { return *requester_.Tables(*begun.round, index, offsets, masks); });
      Must(times.Time("h_open",
                      [&] { return holder_.Open(*round, index, tables, bits).has_value(); }));
      const Bytes sketch = sealed::EncodeSketch(masks);
      const SealedHolder::Round* rounds[] = {round.get()};
      const auto outcome =
          times.Time("h_decode", [&] { return *DecodeOutcome(bits, sketch, rounds); });
      if (outcome.over_cap) std::abort();
      traffic.to_requester += offsets.size();
      traffic.to_holder += begun.probes[index].size() + tables.size() + sketch.size();
    }
  }
  bool NearlyUsedUp() const { return holder_.pads_taken() > (std::uint64_t{1} << 28); }

 private:
  static SealedSessionTerms Terms(const List& list) {
    return {.header = list.view->header_digest(),
            .tau = 4000,
            .cap = kCap,
            .hit_opening = HitOpening::kAuditor,
            .requester_nonce = {},
            .holder_nonce = {},
            .requester_certificate = {},
            .holder_certificate = {}};
  }
  inline static const SealedKernels kKernels = {.score = sealed::FastestKernel(),
                                                .ot = ot::FastestKernel()};
  SystemRandom random_;
  std::uint64_t number_ = 0;
  SealedHolder holder_;
  SealedRequester requester_;
};

void SealedSearch(benchmark::State& state) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const auto batch = static_cast<std::size_t>(state.range(1));
  const auto probes = Templates(batch, 77);
  const List& list = ListOf(entries);
  auto ends = std::make_unique<Ends>(list);
  StepTimes times;
  Traffic traffic;
  for (auto _ : state) {
    if (ends->NearlyUsedUp()) {
      state.PauseTiming();
      ends = std::make_unique<Ends>(list);
      state.ResumeTiming();
    }
    ends->Search(probes, times, traffic);
  }
  const auto searches = static_cast<double>(state.iterations()) * static_cast<double>(batch);
  times.Report(state, searches * static_cast<double>(entries));
  state.counters["comparisons/s"] =
      benchmark::Counter(searches * static_cast<double>(entries), benchmark::Counter::kIsRate);
  state.counters["B_to_requester"] = static_cast<double>(traffic.to_requester) / searches;
  state.counters["B_to_holder"] = static_cast<double>(traffic.to_holder) / searches;
  state.counters["B_ahead"] = static_cast<double>(traffic.ahead) / searches;
}
BENCHMARK(SealedSearch)
    ->ArgNames({"N", "batch"})
    ->ArgsProduct({{10'000, 100'000}, {1, 8}})
    ->Unit(benchmark::kMillisecond)
    ->MinTime(1);

// Setting up one list's session: base OTs and trees.
void SealedSetUp(benchmark::State& state) {
  const List& list = ListOf(10'000);
  for (auto _ : state) benchmark::DoNotOptimize(std::make_unique<Ends>(list));
}
BENCHMARK(SealedSetUp)->Unit(benchmark::kMillisecond);

void PlaintextFaiss(benchmark::State& state) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const auto batch = static_cast<std::size_t>(state.range(1));
  const std::vector<float> rows = RandomUnitRows(entries, 1);
  const std::vector<float> probes = RandomUnitRows(batch, 2);
  constexpr int kShippedThreshold = 20;
  faiss::distance_compute_blas_threshold = state.range(2) == 0 ? kShippedThreshold : 1;
  omp_set_num_threads(1);
  for (auto _ : state) {
    faiss::RangeSearchResult found(static_cast<std::int64_t>(batch));
    faiss::range_search_inner_product(probes.data(), rows.data(), kDimension, batch, entries, 0.4F,
                                      &found);
    benchmark::DoNotOptimize(found.lims[batch]);
  }
  state.counters["comparisons/s"] = benchmark::Counter(
      static_cast<double>(entries * batch), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(PlaintextFaiss)
    ->ArgNames({"N", "batch", "tuned"})
    ->ArgsProduct({{10'000, 100'000}, {1, 8}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace comity::matching

BENCHMARK_MAIN();
