// SPDX-License-Identifier: Apache-2.0
// Time an entry of one thread of each step of a sealed search, at d = 512. The counter "entry" is
// seconds an entry and, where there are several probes, a probe.
#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/hash/chacha_stream.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/seal.h"
#include "crypto/sealed/sketch_decode.h"

namespace comity::sealed {
namespace {

constexpr std::uint32_t kDimension = 512;
constexpr unsigned kCap = kDefaultCap;

class SeededRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override { hash::ExpandStream(key_, 0, next_++, out); }

 private:
  Bytes key_ = Bytes(32, 1);
  std::uint64_t next_ = 0;
};

std::vector<float> RandomEmbedding(std::mt19937_64& generator) {
  std::normal_distribution<float> normal(0, 0.0441941738F);  // 1 / sqrt(512)
  std::vector<float> v(kDimension);
  for (float& x : v) x = normal(generator);
  return v;
}

std::vector<std::int8_t> RandomTemplates(std::size_t count) {
  std::mt19937_64 generator(1);
  const auto quantiser = *Quantiser::Create(kDimension);
  std::vector<std::int8_t> templates;
  while (templates.size() < count * kDimension) {
    const auto x = quantiser.Quantise(RandomEmbedding(generator));
    if (x) templates.insert(templates.end(), x->Expose().begin(), x->Expose().end());
  }
  return templates;
}

const Profile& TheProfile() {
  static const Profile profile = *Profile::Create({.dimension = kDimension});
  return profile;
}

const PublicMatrix& ThePublicMatrix() {
  static const PublicMatrix matrix = *PublicMatrix::Expand(Bytes(32, 2), kDimension);
  return matrix;
}

void ReportEntries(benchmark::State& state, std::size_t entries) {
  state.counters["entry"] = benchmark::Counter(
      static_cast<double>(entries),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void QuantiseOne(benchmark::State& state) {
  std::mt19937_64 generator(1);
  const auto quantiser = *Quantiser::Create(kDimension);
  const auto embedding = RandomEmbedding(generator);
  for (auto _ : state) benchmark::DoNotOptimize(quantiser.Quantise(embedding));
}
BENCHMARK(QuantiseOne);

void SealBlock(benchmark::State& state) {
  const auto matrix = *SealingMatrix::Expand(Bytes(32, 2), kDimension);
  const auto entries = RandomTemplates(kRingDegree);
  SeededRandom random;
  BlockIdentity identity;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Seal(TheProfile(), matrix, identity, entries, random));
    ++identity.number;
  }
  ReportEntries(state, kRingDegree);
}
BENCHMARK(SealBlock)->Unit(benchmark::kMillisecond);

void HashBlock(benchmark::State& state) {
  const auto matrix = *SealingMatrix::Expand(Bytes(32, 2), kDimension);
  SeededRandom random;
  const auto sealed = *Seal(TheProfile(), matrix, {}, RandomTemplates(kRingDegree), random);
  for (auto _ : state) benchmark::DoNotOptimize(BlockHash({}, sealed.block));
  ReportEntries(state, kRingDegree);
}
BENCHMARK(HashBlock)->Unit(benchmark::kMillisecond);

// Blocks of arbitrary octets: the scan does not know the difference.
std::vector<PlaneMatrix> RandomBlocks(std::size_t entries) {
  std::vector<PlaneMatrix> blocks;
  Bytes row(kDimension * kCoefficientBytes);
  std::uint64_t index = 0;
  for (std::size_t left = entries; left > 0; left -= std::min(left, kRingDegree)) {
    PlaneMatrix block(std::min(left, kRingDegree), kDimension);
    for (std::size_t i = 0; i < block.rows(); ++i) {
      hash::ExpandStream(Bytes(32, 3), 0, index++, row);
      block.SetRow(i, row);
    }
    blocks.push_back(std::move(block));
  }
  return blocks;
}

void Scan(benchmark::State& state) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const auto batch = static_cast<std::size_t>(state.range(1));
  const auto kernel = static_cast<Kernel>(state.range(2));
  const auto kernels = SupportedKernels();
  if (std::find(kernels.begin(), kernels.end(), kernel) == kernels.end()) {
    state.SkipWithError("this processor has no such kernel");
    return;
  }
  const auto blocks = RandomBlocks(entries);
  const auto probes = RandomTemplates(batch);
  std::vector<Element> scores(batch);
  for (auto _ : state) {
    for (const PlaneMatrix& block : blocks) {
      Score(block, probes, kernel, scores);
      benchmark::DoNotOptimize(scores.data());
      benchmark::ClobberMemory();
    }
  }
  ReportEntries(state, entries * batch);
}
BENCHMARK(Scan)
    ->ArgNames({"N", "batch", "kernel"})
    ->ArgsProduct({{10'000, 100'000}, {1, 8, 32}, {2}})
    ->ArgsProduct({{10'000}, {1, 8}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

void BlindProbe(benchmark::State& state) {
  const auto q = RandomTemplates(1);
  SeededRandom random;
  std::uint64_t number = 0;
  for (auto _ : state) {
    auto seed = DrawProbeSeed({}, number++, q, random);
    benchmark::DoNotOptimize(Probe::Blind(ThePublicMatrix(), q, std::move(seed), FastestKernel()));
  }
}
BENCHMARK(BlindProbe)->Unit(benchmark::kMicrosecond);

// The requester's p u for one block.
void AddBlinding(benchmark::State& state) {
  const auto q = RandomTemplates(1);
  SeededRandom random;
  const auto probe =
      *Probe::Blind(ThePublicMatrix(), q, DrawProbeSeed({}, 0, q, random), FastestKernel());
  Element scores{};
  for (auto _ : state) {
    probe.AddBlinding(ThePublicMatrix().first(), scores);
    benchmark::DoNotOptimize(scores.data());
    benchmark::ClobberMemory();
  }
  ReportEntries(state, kRingDegree);
}
BENCHMARK(AddBlinding)->Unit(benchmark::kMicrosecond);

void HolderShare(benchmark::State& state) {
  BlockRoot root{.root = SecretBytes(32), .contents = {}, .count = 1024};
  const auto secret = *BlockSecret::Derive({}, root);
  Element share;
  for (auto _ : state) {
    secret.Share(ThePublicMatrix().first(), share);
    benchmark::DoNotOptimize(share.data());
    benchmark::ClobberMemory();
  }
  ReportEntries(state, kRingDegree);
}
BENCHMARK(HolderShare)->Unit(benchmark::kMicrosecond);

SlotSet Slots(std::size_t entries) {
  std::vector<std::uint32_t> filled;
  for (std::size_t left = entries; left > 0; left -= std::min(left, kRingDegree)) {
    filled.push_back(static_cast<std::uint32_t>(std::min(left, kRingDegree)));
  }
  return *SlotSet::Create(filled, {});
}

void FoldSketch(benchmark::State& state) {
  const SlotSet slots = Slots(static_cast<std::size_t>(state.range(0)));
  const auto table = *SketchTable::Create(slots, kCap);
  std::mt19937_64 generator(4);
  std::vector<std::uint8_t> bits(slots.size());
  for (auto& bit : bits) bit = generator() & 1;
  for (auto _ : state) benchmark::DoNotOptimize(table.Fold(bits));
  ReportEntries(state, slots.size());
}
BENCHMARK(FoldSketch)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void DrawMasks(benchmark::State& state) {
  const auto q = RandomTemplates(1);
  SeededRandom random;
  const auto probe =
      *Probe::Blind(ThePublicMatrix(), q, DrawProbeSeed({}, 0, q, random), FastestKernel());
  const SlotSet slots = Slots(100'000);
  for (auto _ : state) benchmark::DoNotOptimize(probe.Masks(slots));
  ReportEntries(state, slots.size());
}
BENCHMARK(DrawMasks)->Unit(benchmark::kMicrosecond);

void DecodeHits(benchmark::State& state) {
  const SlotSet slots = Slots(100'000);
  const auto table = *SketchTable::Create(slots, kCap);
  std::vector<std::uint8_t> bits(slots.size());
  for (std::int64_t i = 0; i < state.range(0); ++i) bits.at(static_cast<std::size_t>(i * 9973)) = 1;
  const Sketch sketch = table.Fold(bits);
  for (auto _ : state) benchmark::DoNotOptimize(DecodeSketch(sketch, slots));
}
BENCHMARK(DecodeHits)->ArgName("hits")->Arg(1)->Arg(5)->Arg(9)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace comity::sealed

BENCHMARK_MAIN();
