// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "crypto/sealed/score.h"
#include "services/matching/gallery.h"

namespace comity::matching {

// A row at or above the threshold.
struct Candidate {
  std::size_t row = 0;
  double score = 0;  // float64 inner product of the float32 values: cosine of unit vectors
};

// Exact search. Rows that can reach the threshold are proposed, and each proposal is scored again
// in float64, so that the result equals a search of every row. For 128, 256, 512 and 1024
// dimensions canonical templates propose (Proposals); for others, and probes that have none, Faiss
// does, in float32 through BLAS, within a margin for any order of its sums.
//
// One search runs on one thread; many may run at once. Constructing a Scanner sets Faiss's and
// BLAS's process-wide settings accordingly.
//
// Threads: immutable; safe from any thread.
class Scanner {
 public:
  // In: kernel  one of sealed::SupportedKernels(); all find the same
  explicit Scanner(sealed::Kernel kernel = sealed::FastestKernel());

  // For each probe the rows with score >= threshold, best first, equal scores by reference. Filters
  // and caps are the caller's, and belong after this.
  //
  // In:     probes     n x dimension float32, as NormalizeTemplate left them
  //         threshold  cosine in (0, 1]
  // Errors: kInvalidArgument  probes are not a whole number of templates or not finite, or the
  // threshold
  //                           is outside its range
  //         kExhausted        out of memory for the search
  // Leaks:  where Faiss proposes, BLAS keeps scaled copies of probes in its own work memory until a
  //         later search overwrites them; they cannot be wiped from outside
  Result<std::vector<std::vector<Candidate>>> Scan(const Gallery& gallery,
                                                   std::span<const float> probes,
                                                   double threshold) const;

 private:
  sealed::Kernel kernel_;
};

}  // namespace comity::matching
