// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "services/matching/gallery.h"

namespace comity::matching {

// A row at or above the threshold.
struct Candidate {
  std::size_t row = 0;
  double score = 0;  // float64 inner product of the float32 values: cosine of unit vectors
};

// Exact search. Faiss proposes every row within a margin below the threshold through BLAS in
// float32; each proposal is scored again in float64, so that the result does not depend on how BLAS
// orders its sums and equals a search of every row.
//
// One search runs on one thread; many may run at once. Constructing a Scanner sets Faiss's and
// BLAS's process-wide settings accordingly.
//
// Threads: immutable; safe from any thread.
class Scanner {
 public:
  Scanner();

  // For each probe the rows with score >= threshold, best first, equal scores by reference. Filters
  // and caps are the caller's, and belong after this.
  //
  // In:     probes     n x dimension float32, as NormalizeTemplate left them
  //         threshold  cosine in (0, 1]
  // Errors: kInvalidArgument  probes are not a whole number of templates or not finite, or the
  // threshold
  //                           is outside its range
  //         kExhausted        out of memory for the search
  // Leaks:  BLAS keeps scaled copies of probes in its own work memory until a later search
  // overwrites
  //         them; they cannot be wiped from outside
  Result<std::vector<std::vector<Candidate>>> Scan(const Gallery& gallery,
                                                   std::span<const float> probes,
                                                   double threshold) const;
};

}  // namespace comity::matching
