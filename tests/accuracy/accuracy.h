// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/score.h"
#include "tests/demo/face_set.h"

namespace comity::accuracy {

// Open-set identification at one threshold. TPIR: the share of mated faces whose own entry is among
// the hits. FPIR: the share of non-mated faces with at least one hit. No cap.
struct Rates {
  double tpir = 0;
  double fpir = 0;
};

// The exact search: cosines of the float32 templates in double precision.
// In: taus  thresholds in 1e-4
std::vector<Rates> ExactRates(const demo::FaceSet& faces, std::span<const std::int32_t> taus);

// The same, averaged evenly over thresholds within half a step of the comparison: what the dither
// makes of it, without quantisation and noise. A search with a dither cannot follow the steps that
// a few faces make at one threshold.
std::vector<Rates> DitheredRates(const demo::FaceSet& faces, const sealed::Profile& profile,
                                 std::span<const std::int32_t> taus);

// One run of the sealed search: the list sealed anew in a random order, every face blinded anew.
// The shares are those of the real messages; the comparison is its formula, to which the
// table-by-table one is equal (tests/unit/crypto/sealed/comparison_test.cc).
std::vector<Rates> SealedRates(const demo::FaceSet& faces, const sealed::Profile& profile,
                               std::span<const std::int32_t> taus, sealed::Kernel kernel,
                               RandomSource& random);

// Mean over runs with the half width of its 95 % interval (Student's t).
struct Mean {
  double value = 0;
  double half_width = 0;
};
// In: values  2..60
Mean MeanOf(std::span<const double> values);

struct Row {
  std::int32_t tau = 0;
  Rates exact;
  Rates dithered;
  Mean tpir;
  Mean fpir;
  // The bars: the mean TPIR loses at most 0.2 percentage points, the mean FPIR is at most 1.1 times
  // the exact one and 0.1 points.
  double tpir_loss() const { return exact.tpir - tpir.value; }
  bool within() const { return tpir_loss() <= 0.002 && fpir.value <= 1.1 * exact.fpir + 0.001; }
};
std::vector<Row> Evaluate(const demo::FaceSet& faces, const sealed::Profile& profile,
                          std::span<const std::int32_t> taus, int runs, sealed::Kernel kernel,
                          RandomSource& random);

}  // namespace comity::accuracy
