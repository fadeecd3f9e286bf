// SPDX-License-Identifier: Apache-2.0
// Nanoseconds an entry (six OTs, one pad) of every step of either role, and octets an entry. The
// argument `kernel` is that of crypto/ot/kernel.h: 0 portable, 1 AVX-512.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <optional>
#include <vector>

#include "crypto/hash/blake2b.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/ot/softspoken.h"

namespace comity::ot {
namespace {

Digest SidOf() {
  return hash::Blake2b256({AsBytes("benchmark")});
}

struct Ends {
  std::optional<SoftSpokenHolder> holder;
  std::optional<SoftSpokenRequester> requester;
  Digest transcript;
};

Ends SetUp(Kernel kernel) {
  SystemRandom random;
  BaseOtSender sender(SidOf(), random);
  auto receiver = BaseOtReceiver::Answer(SidOf(), sender.offer(), random);
  auto keys = std::move(sender).Finish(receiver->answer());
  Ends ends{.holder = {}, .requester = {}, .transcript = keys->transcript};
  ends.holder.emplace(SidOf(), std::move(*keys), random, kernel);
  auto requester = SoftSpokenRequester::Create(SidOf(), std::move(*receiver).TakeKeys(),
                                               ends.holder->tree_message(), kernel);
  if (!requester) std::abort();
  ends.requester.emplace(std::move(*requester));
  return ends;
}

Kernel KernelOf(const benchmark::State& state) {
  return state.range(1) == 0 ? Kernel::kPortable : FastestKernel();
}

void ReportAnEntry(benchmark::State& state, std::size_t entries) {
  state.counters["s/entry"] = benchmark::Counter(
      static_cast<double>(entries),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// What one iteration times; the rest of a batch runs with the clock stopped.
enum Step : std::int64_t {
  kHolderExtend,  // trees, corrections, check
  kHolderPads,    // rows from columns, and their pads
  kRequesterExtend,
  kRequesterPads,
  kBoth,  // all four
};

// Sessions are made anew long before their OT numbers are used up.
constexpr std::size_t kBatchesASession = 200;

template <typename Rows, typename Source, typename Pool>
void ReadAll(Source& source, Rows& rows, Pool& pool) {
  while (source.Read(rows).value()) pool.Add(rows);
}

void Batch(benchmark::State& state) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const Kernel kernel = KernelOf(state);
  const auto timed = static_cast<Step>(state.range(2));
  const std::size_t count = entries * kOtsAPad;
  HolderRows ours;
  RequesterRows theirs;
  std::optional<Ends> ends;
  std::optional<HolderPadPool> holder_pads;
  std::optional<RequesterPadPool> requester_pads;
  std::size_t batches = 0;
  std::size_t message_size = 0;
  const auto step = [&](Step which, const auto& work) {
    if (timed == which || timed == kBoth) state.ResumeTiming();
    work();
    if (timed == which || timed == kBoth) state.PauseTiming();
  };
  for (auto _ : state) {
    state.PauseTiming();
    if (batches++ % kBatchesASession == 0) {
      ends = SetUp(kernel);
      const Block key = PadHashKey(SidOf(), ends->transcript);
      holder_pads.emplace(key, kernel);
      requester_pads.emplace(key, kernel);
    }
    Result<Bytes> message;
    step(kHolderExtend, [&] { message = ends->holder->Begin(count); });
    step(kHolderPads, [&] { ReadAll(*ends->holder, ours, *holder_pads); });
    step(kRequesterExtend, [&] {
      (void)ends->requester->Begin(count);
      if (!ends->requester->Receive(*message)) std::abort();
    });
    step(kRequesterPads, [&] { ReadAll(*ends->requester, theirs, *requester_pads); });
    message_size = message->size();
    (void)holder_pads->Take(entries);
    (void)requester_pads->Take(entries);
    state.ResumeTiming();
  }
  ReportAnEntry(state, entries);
  state.counters["octets/entry"] = static_cast<double>(message_size) / static_cast<double>(entries);
}

BENCHMARK(Batch)
    ->ArgNames({"entries", "kernel", "step"})
    ->ArgsProduct({{16384},
                   {0, 1},
                   {kBoth, kHolderExtend, kHolderPads, kRequesterExtend, kRequesterPads}})
    ->ArgsProduct({{2048, 4096, 8192, 32768, 65536}, {1}, {kBoth}})
    ->MinTime(0.1);

void SetUpSession(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(SetUp(FastestKernel()));
  state.counters["octets"] = kBaseOtOfferSize + kBaseOtAnswerSize + kTreeMessageSize;
}
BENCHMARK(SetUpSession)->Unit(benchmark::kMillisecond);

// The parts of the extension, for one role.
void ExpandOnly(benchmark::State& state) {
  const std::size_t blocks = static_cast<std::size_t>(state.range(0)) * kOtsAPad / 128;
  std::vector<LeafExpansion> trees;
  const std::vector<Block> keys(kLeafCount, Block{1, 2});
  for (std::size_t r = 0; r < kTreeCount; ++r) trees.emplace_back(keys, KernelOf(state));
  std::vector<Block> sum(blocks), planes(kColumnCount * blocks);
  for (auto _ : state) {
    for (std::size_t r = 0; r < kTreeCount; ++r) {
      trees[r].Expand(0, {.sum = AsWritableOctets(sum),
                          .planes = &planes[r * kTreeDepth * blocks],
                          .stride = blocks,
                          .count = blocks});
    }
    benchmark::ClobberMemory();
  }
  ReportAnEntry(state, static_cast<std::size_t>(state.range(0)));
}
BENCHMARK(ExpandOnly)->ArgNames({"entries", "kernel"})->ArgsProduct({{16384}, {0, 1}});

void CheckOnly(benchmark::State& state) {
  const std::size_t blocks = static_cast<std::size_t>(state.range(0)) * kOtsAPad / 128 + 1;
  const std::vector<Block> columns(kColumnCount * blocks, Block{3, 4});
  const Digest challenge = SidOf();
  for (auto _ : state) {
    const auto coefficients = CheckCoefficients(challenge, blocks);
    benchmark::DoNotOptimize(HashColumns(columns, coefficients, KernelOf(state)));
  }
  ReportAnEntry(state, static_cast<std::size_t>(state.range(0)));
}
BENCHMARK(CheckOnly)->ArgNames({"entries", "kernel"})->ArgsProduct({{16384}, {0, 1}});

void ChallengeOnly(benchmark::State& state) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const BatchPlace place{0, 0, entries * kOtsAPad / 128 + 1};
  const Bytes message(BatchMessageSize(place.blocks));
  const SystemRandom sodium_is_initialised;  // without it libsodium keeps to its slowest BLAKE2b
  for (auto _ : state) {
    benchmark::DoNotOptimize(BatchChallenge({SidOf(), SidOf()}, place, message));
  }
  ReportAnEntry(state, entries);
}
BENCHMARK(ChallengeOnly)->ArgNames({"entries"})->Arg(16384);

}  // namespace
}  // namespace comity::ot

BENCHMARK_MAIN();
