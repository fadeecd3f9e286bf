// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "crypto/base/result.h"
#include "crypto/sealed/score.h"
#include "services/measure/synthetic_faces.h"

namespace comity::measure {

// Scans of the same entries in clear, seconds a comparison of one thread: what a search costs that
// hides nothing.
struct PlainFigures {
  struct Scan {
    double one = 0;    // one probe at a time
    double batch = 0;  // all probes of the faces at once
  };
  Scan faiss_as_shipped;  // IndexFlatIP, the best entry of each probe
  Scan faiss_tuned;       // the same with distance_compute_blas_threshold = 1
  Scan int8;              // canonical templates, as the gateway's direct searches scan them
};

struct PlainWork {
  const SyntheticFaces& faces;
  sealed::Kernel kernel{};   // of the int8 scan
  double least_seconds = 0;  // as SealedWork
};

// Sets Faiss's and BLAS's process-wide settings: not for a process that searches besides.
//
// Errors: kCorrupt    a scan did not find what it must
//         kExhausted  out of memory
Result<PlainFigures> MeasurePlain(const PlainWork& work, const Progress& progress);

}  // namespace comity::measure
