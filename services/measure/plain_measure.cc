// SPDX-License-Identifier: Apache-2.0
#include "services/measure/plain_measure.h"

#include <dlfcn.h>
#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <omp.h>

#include <exception>
#include <new>
#include <vector>

#include "services/matching/plain/proposals.h"
#include "services/measure/stopwatch.h"

namespace comity::measure {
namespace {

// As Faiss is shipped, batches of fewer probes go row by row instead of through BLAS.
constexpr int kShippedThreshold = 20;
constexpr int kTunedThreshold = 1;

void KeepToOneThread() {
  omp_set_num_threads(1);
  // Only OpenBLAS has threads of its own to turn off.
  using SetThreads = void (*)(int);
  if (const auto set_threads =
          reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set_threads(1);
  }
}

// Seconds a comparison. `scan` takes a number of probes and gives the best entry of each.
template <typename ScanProbes>
Result<double> SecondsAComparison(const PlainWork& work, std::size_t probes,
                                  const ScanProbes& scan) {
  const SyntheticFaces& faces = work.faces;
  std::vector<std::size_t> best;
  const double seconds = MedianSeconds(work.least_seconds, [&] { best = scan(probes); });
  for (std::size_t probe = 0; probe < probes; ++probe) {
    const auto matches = faces.Matches(probe);
    if (!matches.empty() && best[probe] != matches.front()) {
      return Fail(ErrorCode::kCorrupt, "a scan in clear did not find what it must");
    }
  }
  return seconds / static_cast<double>(probes * faces.entry_count());
}

template <typename ScanProbes>
Result<PlainFigures::Scan> MeasureScan(const PlainWork& work, const ScanProbes& scan) {
  PlainFigures::Scan figures;
  COMITY_ASSIGN_OR_RETURN(figures.one, SecondsAComparison(work, 1, scan));
  COMITY_ASSIGN_OR_RETURN(figures.batch, SecondsAComparison(work, work.faces.probe_count(), scan));
  return figures;
}

Result<PlainFigures::Scan> MeasureFaiss(const PlainWork& work, const faiss::IndexFlatIP& index,
                                        int blas_threshold) {
  faiss::distance_compute_blas_threshold = blas_threshold;
  const auto scan = [&](std::size_t probes) {
    std::vector<float> scores(probes);
    std::vector<faiss::Index::idx_t> labels(probes);
    index.search(static_cast<faiss::Index::idx_t>(probes), work.faces.probes().data(), 1,
                 scores.data(), labels.data());
    return std::vector<std::size_t>(labels.begin(), labels.end());
  };
  return MeasureScan(work, scan);
}

Result<PlainFigures::Scan> MeasureInt8(const PlainWork& work) {
  const SyntheticFaces& faces = work.faces;
  const std::size_t dimension = faces.dimension();
  matching::Proposals entries(dimension, faces.entry_count());
  for (std::size_t row = 0; row < faces.entry_count(); ++row) {
    COMITY_RETURN_IF_ERROR(
        entries.SetRow(row, faces.entries().subspan(row * dimension, dimension)));
  }
  const auto scan = [&](std::size_t probes) {
    std::vector<std::size_t> best(probes, faces.entry_count());
    const auto found = entries.Find(faces.probes().first(probes * dimension),
                                    SyntheticFaces::kThreshold, work.kernel);
    for (std::size_t probe = 0; found && probe < probes; ++probe) {
      if ((*found)[probe].size() == 1) best[probe] = (*found)[probe].front();
    }
    return best;
  };
  return MeasureScan(work, scan);
}

}  // namespace

Result<PlainFigures> MeasurePlain(const PlainWork& work, const Progress& progress) {
  constexpr std::uint64_t kSteps = 3;
  try {
    KeepToOneThread();
    PlainFigures figures;
    COMITY_ASSIGN_OR_RETURN(figures.int8, MeasureInt8(work));
    progress(1, kSteps);
    const SyntheticFaces& faces = work.faces;
    faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(faces.dimension()));
    index.add(static_cast<faiss::Index::idx_t>(faces.entry_count()), faces.entries().data());
    COMITY_ASSIGN_OR_RETURN(figures.faiss_as_shipped, MeasureFaiss(work, index, kShippedThreshold));
    progress(2, kSteps);
    COMITY_ASSIGN_OR_RETURN(figures.faiss_tuned, MeasureFaiss(work, index, kTunedThreshold));
    progress(kSteps, kSteps);
    return figures;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kExhausted, "out of memory for the scans in clear");
  } catch (const std::exception&) {
    return Fail(ErrorCode::kInternal, "the search library failed");
  }
}

}  // namespace comity::measure
