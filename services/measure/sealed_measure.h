// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "crypto/base/result.h"
#include "services/matching/sealed/session_terms.h"
#include "services/measure/plain_measure.h"
#include "services/measure/search_measure.h"

namespace comity::measure {

// What is measured: a list of synthetic faces and batches of probes.
struct SealedWork {
  std::size_t entries = 0;    // 1..kMostEntries
  std::size_t dimension = 0;  // 128, 256, 512 or 1024
  std::size_t batch = 0;      // 1..kMaxProbesInBatch, at most matching::MostProbes(entries)
  matching::SealedKernels kernels;
  double least_seconds = 0;  // a step is run so long, and 3 times, and its median taken
};
// A list in one session has at most so many slots (sealed::kMaxSlotNumber).
inline constexpr std::size_t kMostEntries = 1'000'000;

// Everything of one thread, in its processor time.
struct SealedFigures {
  SealedWork work;
  double seal = 0;           // seconds an entry
  double sealed_octets = 0;  // an entry
  double scan_one = 0;       // seconds an entry: the sealed scan alone, one probe
  double scan_batch = 0;     // and probe: the same, a batch
  double sketch = 0;         // seconds an entry: folding the bits of a probe, either side
  SetUpFigures set_up;
  PadFigures pads;
  BatchFigures one;    // of one probe
  BatchFigures batch;  // of work.batch probes
  PlainFigures plain;
};

// Seconds an entry and probe of both roles together, with the pads that are used up.
double WholeSearch(const BatchFigures& batch, const PadFigures& pads, std::size_t entries);

// Measures on the calling thread; takes some seconds to minutes. As MeasurePlain, not for a process
// that searches besides.
//
// In:     report  is told which step begins, and gives what is told how far it is
// Errors: kInvalidArgument  no such dimension, or too many entries or probes
//         kCorrupt          a search did not find what it must: never a figure of a wrong result
//         kExhausted        out of memory
Result<SealedFigures> MeasureSealed(const SealedWork& work,
                                    const std::function<Progress(std::string_view step)>& report);

}  // namespace comity::measure
