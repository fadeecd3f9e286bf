// SPDX-License-Identifier: Apache-2.0
// Comparisons a second of one thread: Faiss as Debian ships it (argument mode 0), with every batch
// sent to BLAS (1), and the Scanner, whose int8 scan proposes and whose float64 score decides: by
// the fastest kernel (2), the portable one (3) and AVX2 (4).
#include <benchmark/benchmark.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/utils/distances.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "services/matching/gallery.h"
#include "services/matching/scan.h"

namespace comity::matching {
namespace {

constexpr double kThreshold = 0.6;
enum Mode : std::int64_t { kAsShipped, kTuned, kScanner, kPortable, kAvx2 };

std::vector<float> RandomUnitRows(std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> matrix(rows * dimension);
  for (float& x : matrix) x = normal(generator);
  for (std::size_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < dimension; ++k) {
      sum += double{matrix[i * dimension + k]} * double{matrix[i * dimension + k]};
    }
    for (std::size_t k = 0; k < dimension; ++k) {
      float& x = matrix[i * dimension + k];
      x = static_cast<float>(double{x} / std::sqrt(sum));
    }
  }
  return matrix;
}

std::shared_ptr<const Gallery> MakeGallery(std::size_t rows, std::uint32_t dimension) {
  const std::vector<float> templates = RandomUnitRows(rows, dimension, 1);
  auto builder = GalleryBuilder::Create({"synthetic", "1", dimension}, rows);
  const auto category = policy::ListCategory::Parse("wanted-by-courts");
  for (std::size_t i = 0; i < rows; ++i) {
    GalleryRow row{.reference = "r" + std::to_string(i),
                   .category = *category,
                   .response_code = "detain",
                   .valid_from = {},
                   .expires_at = policy::Instant(std::chrono::hours(1))};
    const auto values = std::span(templates).subspan(i * dimension, dimension);
    if (!builder->Add(std::move(row), values)) std::abort();
  }
  return std::move(*builder).Build();
}

void SearchWithFaiss(const Gallery& gallery, std::span<const float> probes) {
  const std::size_t dimension = gallery.profile().dimension;
  const std::size_t count = probes.size() / dimension;
  faiss::RangeSearchResult found(static_cast<std::int64_t>(count));
  faiss::range_search_inner_product(probes.data(), gallery.Expose().data(), dimension, count,
                                    gallery.size(), static_cast<float>(kThreshold), &found);
  benchmark::DoNotOptimize(found.lims[count]);
}

sealed::Kernel KernelOf(std::int64_t mode) {
  if (mode == kPortable) return sealed::Kernel::kPortable;
  return mode == kAvx2 ? sealed::Kernel::kAvx2 : sealed::FastestKernel();
}

void Scan(benchmark::State& state) {
  const auto dimension = static_cast<std::uint32_t>(state.range(0));
  const auto rows = static_cast<std::size_t>(state.range(1));
  const auto batch = static_cast<std::size_t>(state.range(2));
  const std::int64_t mode = state.range(3);
  const auto gallery = MakeGallery(rows, dimension);
  const std::vector<float> probes = RandomUnitRows(batch, dimension, 2);
  const auto kernels = sealed::SupportedKernels();
  if (std::find(kernels.begin(), kernels.end(), KernelOf(mode)) == kernels.end()) {
    state.SkipWithError("this processor has no such kernel");
    return;
  }
  const Scanner scanner(KernelOf(mode));  // sets BLAS to one thread and the threshold to 1
  constexpr int kShippedThreshold = 20;
  faiss::distance_compute_blas_threshold = mode == kAsShipped ? kShippedThreshold : 1;
  omp_set_num_threads(1);
  for (auto _ : state) {
    if (mode >= kScanner) {
      benchmark::DoNotOptimize(scanner.Scan(*gallery, probes, kThreshold));
    } else {
      SearchWithFaiss(*gallery, probes);
    }
  }
  state.counters["comparisons/s"] = benchmark::Counter(
      static_cast<double>(rows * batch), benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(Scan)
    ->ArgNames({"d", "N", "batch", "mode"})
    ->ArgsProduct({{128, 512}, {10'000, 100'000}, {1, 8, 32}, {kAsShipped, kTuned, kScanner}})
    ->ArgsProduct({{512}, {10'000}, {1, 8}, {kPortable, kAvx2}})
    ->Unit(benchmark::kMillisecond)
    ->MinTime(0.2);

}  // namespace
}  // namespace comity::matching

BENCHMARK_MAIN();
