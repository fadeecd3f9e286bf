// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/measure/search_measure.h"

namespace comity::measure {

// A line between two agencies.
struct LineTerms {
  double round_trip = 0;         // seconds
  double octets_per_second = 0;  // each way at once; above 0
};

// What limits how many probes a second go on for long.
enum class Bottleneck { kRequester, kHolder, kLineToHolder, kLineToRequester };

struct LinePrediction {
  // Seconds from the beginning of a batch until the holder knows its outcome and the requester has
  // heard of it: two round trips, all octets of the batch one after the other, and the work of both
  // sides. Pads are there already.
  double batch = 0;
  // With one core at either side, both directions of the line and pads counted.
  double probes_per_second = 0;
  Bottleneck bottleneck = Bottleneck::kRequester;
};

// In: entries  of the list that `batch` was measured with
// Threads: pure function
LinePrediction Predict(const LineTerms& line, const BatchFigures& batch, const PadFigures& pads,
                       std::size_t entries);

}  // namespace comity::measure
