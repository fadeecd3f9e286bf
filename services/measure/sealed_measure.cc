// SPDX-License-Identifier: Apache-2.0
#include "services/measure/sealed_measure.h"

#include <new>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/sealed/score.h"
#include "crypto/sealed/sketch.h"

namespace comity::measure {
namespace {

Status CheckWork(const SealedWork& work) {
  if (work.entries < 1 || work.entries > kMostEntries) {
    return Fail(ErrorCode::kInvalidArgument, "entries are 1 to " + std::to_string(kMostEntries));
  }
  if (!sealed::IsDimension(work.dimension)) {
    return Fail(ErrorCode::kInvalidArgument, "the dimension is 128, 256, 512 or 1024");
  }
  const std::size_t most = matching::MostProbes(work.entries);
  if (work.batch < 1 || work.batch > most) {
    return Fail(ErrorCode::kInvalidArgument,
                "a batch over so many entries has 1 to " + std::to_string(most) + " probes");
  }
  return {};
}

// Seconds an entry and probe of the sealed scan alone.
double ScanSeconds(const SealedSample& sample, const SyntheticFaces& faces, std::size_t probes,
                   const SealedWork& work) {
  std::vector<std::int8_t> templates;
  for (const auto& probe : faces.probe_templates().first(probes)) {
    templates.insert(templates.end(), probe.Expose().begin(), probe.Expose().end());
  }
  std::vector<sealed::Element> scores(probes);
  const double seconds = MedianSeconds(work.least_seconds, [&] {
    for (const auto& block : sample.requester->blocks()) {
      sealed::Score(block->block.rows, templates, work.kernels.score, scores);
    }
  });
  return seconds / static_cast<double>(probes * faces.entry_count());
}

Result<double> SketchSeconds(const SealedSample& sample, double least_seconds) {
  const sealed::SlotSet& slots = sample.requester->slots();
  COMITY_ASSIGN_OR_RETURN(const auto table,
                          sealed::SketchTable::Create(slots, sealed::kDefaultCap));
  std::vector<std::uint8_t> bits(slots.size());
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint8_t>(i * 7 / 3 & 1);
  const double seconds = MedianSeconds(least_seconds, [&] { (void)table.Fold(bits); });
  return seconds / static_cast<double>(slots.size());
}

using Report = std::function<Progress(std::string_view step)>;

Status MeasureParts(const SealedSample& sample, const SyntheticFaces& faces, const Report& report,
                    SealedFigures& figures) {
  constexpr std::uint64_t kSteps = 3;
  const Progress progress = report("scanning the sealed list");
  const auto entries = static_cast<double>(faces.entry_count());
  figures.seal = sample.seal_seconds / entries;
  figures.sealed_octets = static_cast<double>(sample.sealed_octets) / entries;
  figures.scan_one = ScanSeconds(sample, faces, 1, figures.work);
  progress(1, kSteps);
  figures.scan_batch = ScanSeconds(sample, faces, figures.work.batch, figures.work);
  progress(2, kSteps);
  COMITY_ASSIGN_OR_RETURN(figures.sketch, SketchSeconds(sample, figures.work.least_seconds));
  progress(kSteps, kSteps);
  return {};
}

Status MeasureSearches(const SealedSample& sample, const SyntheticFaces& faces,
                       RandomSource& random, const Report& report, SealedFigures& figures) {
  COMITY_ASSIGN_OR_RETURN(auto session,
                          MeasuredSession::Create({.sample = sample,
                                                   .faces = faces,
                                                   .kernels = figures.work.kernels,
                                                   .random = random,
                                                   .least_seconds = figures.work.least_seconds}));
  figures.set_up = session.set_up();
  const Progress progress = report("searching");
  COMITY_ASSIGN_OR_RETURN(figures.one, session.Measure(1, progress));
  COMITY_ASSIGN_OR_RETURN(figures.batch, session.Measure(figures.work.batch, progress));
  figures.pads = session.pads();
  return {};
}

Result<SealedFigures> MeasureAll(const SealedWork& work, const Report& report) {
  SealedFigures figures;
  figures.work = work;
  SystemRandom random;
  COMITY_ASSIGN_OR_RETURN(
      const SyntheticFaces faces,
      SyntheticFaces::Make(work.entries, work.dimension, work.batch, report("making faces")));
  {
    COMITY_ASSIGN_OR_RETURN(const SealedSample sample,
                            SealSample(faces, random, report("sealing")));
    COMITY_RETURN_IF_ERROR(MeasureParts(sample, faces, report, figures));
    COMITY_RETURN_IF_ERROR(MeasureSearches(sample, faces, random, report, figures));
  }  // the scans in clear need the memory
  COMITY_ASSIGN_OR_RETURN(figures.plain, MeasurePlain({.faces = faces,
                                                       .kernel = work.kernels.score,
                                                       .least_seconds = work.least_seconds},
                                                      report("scanning in clear")));
  return figures;
}

}  // namespace

double WholeSearch(const BatchFigures& batch, const PadFigures& pads, std::size_t entries) {
  const double comparisons = static_cast<double>(batch.probes) * static_cast<double>(entries);
  return (batch.requester + batch.holder) / comparisons + pads.requester + pads.holder;
}

Result<SealedFigures> MeasureSealed(const SealedWork& work, const Report& report) {
  COMITY_RETURN_IF_ERROR(CheckWork(work));
  try {
    return MeasureAll(work, report);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kExhausted, "out of memory: measure with fewer entries");
  }
}

}  // namespace comity::measure
