// SPDX-License-Identifier: Apache-2.0
#include "services/matching/scan.h"

#include <dlfcn.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/utils/distances.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <new>

namespace comity::matching {
namespace {

void ConfigureLibraries() {
  // As shipped, Faiss compares batches of fewer than 20 probes row by row; BLAS is 3 to 5 times
  // faster for one probe already (docs/performance.md).
  faiss::distance_compute_blas_threshold = 1;
  // Which BLAS is in use is decided when the program starts; only OpenBLAS has threads to turn off.
  using SetThreads = void (*)(int);
  if (const auto set_threads =
          reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set_threads(1);
  }
}

// How far below the threshold a row is still scored exactly. Bounds the error of a float32 inner
// product of unit vectors in any order of summation: dimension x 2^-24, and what was asked for on
// top.
double Margin(std::size_t dimension) {
  return 1e-4 + std::ldexp(static_cast<double>(dimension), -24);
}

double ExactScore(const float* left, const float* right, std::size_t dimension) {
  double sum = 0;
  for (std::size_t i = 0; i < dimension; ++i) sum += double{left[i]} * double{right[i]};
  return sum;
}

void SortBestFirst(const Gallery& gallery, std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return a.score > b.score;
    return gallery.row(a.row).reference < gallery.row(b.row).reference;
  });
}

using RowLists = std::vector<std::vector<std::uint32_t>>;  // one list a probe

RowLists ProposeByFaiss(const Gallery& gallery, std::span<const float> probes, double threshold) {
  const std::size_t dimension = gallery.profile().dimension;
  const std::size_t count = probes.size() / dimension;
  faiss::RangeSearchResult proposed(static_cast<faiss::RangeSearchResult::idx_t>(count));
  // The setting belongs to the calling thread, so it is made for each search.
  omp_set_num_threads(1);
  faiss::range_search_inner_product(probes.data(), gallery.Expose().data(), dimension, count,
                                    gallery.size(),
                                    static_cast<float>(threshold - Margin(dimension)), &proposed);
  RowLists lists(count);
  for (std::size_t probe = 0; probe < count; ++probe) {
    for (std::size_t i = proposed.lims[probe]; i < proposed.lims[probe + 1]; ++i) {
      lists[probe].push_back(static_cast<std::uint32_t>(proposed.labels[i]));
    }
  }
  return lists;
}

RowLists Propose(const Gallery& gallery, std::span<const float> probes, double threshold,
                 sealed::Kernel kernel) {
  if (gallery.proposals().supported()) {
    auto lists = gallery.proposals().Find(probes, threshold, kernel);
    if (lists) return *std::move(lists);  // else: a probe far from the unit sphere
  }
  return ProposeByFaiss(gallery, probes, threshold);
}

std::vector<std::vector<Candidate>> Search(const Gallery& gallery, std::span<const float> probes,
                                           double threshold, sealed::Kernel kernel) {
  const std::size_t dimension = gallery.profile().dimension;
  const float* rows = gallery.Expose().data();
  const RowLists proposed = Propose(gallery, probes, threshold, kernel);
  std::vector<std::vector<Candidate>> found(proposed.size());
  for (std::size_t probe = 0; probe < proposed.size(); ++probe) {
    for (const std::uint32_t row : proposed[probe]) {
      const double score = ExactScore(probes.data() + probe * dimension,
                                      rows + std::size_t{row} * dimension, dimension);
      if (score >= threshold) found[probe].push_back({row, score});
    }
    SortBestFirst(gallery, found[probe]);
  }
  return found;
}

}  // namespace

Scanner::Scanner(sealed::Kernel kernel) : kernel_(kernel) {
  static std::once_flag once;  // Faiss's setting is a plain global
  std::call_once(once, ConfigureLibraries);
}

Result<std::vector<std::vector<Candidate>>> Scanner::Scan(const Gallery& gallery,
                                                          std::span<const float> probes,
                                                          double threshold) const {
  const std::size_t dimension = gallery.profile().dimension;
  if (probes.size() % dimension != 0) {
    return Fail(ErrorCode::kInvalidArgument, "the probes have another dimension than the list");
  }
  if (!(threshold > 0 && threshold <= 1)) {
    return Fail(ErrorCode::kInvalidArgument, "the threshold is not in (0, 1]");
  }
  if (!std::all_of(probes.begin(), probes.end(), [](float x) { return std::isfinite(x); })) {
    return Fail(ErrorCode::kInvalidArgument, "a template value is not a finite number");
  }
  // Faiss leaves the result untouched when one side is empty.
  if (probes.empty() || gallery.size() == 0) {
    return std::vector<std::vector<Candidate>>(probes.size() / dimension);
  }
  try {
    return Search(gallery, probes, threshold, kernel_);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kExhausted, "out of memory while searching a list");
  } catch (const std::exception&) {
    return Fail(ErrorCode::kInternal, "the search library failed");
  }
}

}  // namespace comity::matching
