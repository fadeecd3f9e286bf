// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/score.h"
#include "services/matching/plain/template_matrix.h"

namespace comity::matching {

// The rows of a gallery as canonical templates, a quarter of the memory of float32: proposes every
// row whose cosine can reach a threshold, and few others, for an exact scorer to decide.
//
// With a = a' + r_a and b = b' + r_b of unit length, a' and b' the canonical templates over alpha:
//
//   <a, b> <= <a', b'> + |r_a| + |a'| |r_b|
//
// |r_b| is kept for each row, so the bound holds for any row, also for one that was clipped. For a
// template that is well spread |r| is 0.0125: rows within about 0.025 below the threshold are
// proposed.
//
// Threads: thread-compatible; different rows may be set by different threads at the same time.
class Proposals {
 public:
  // In: rows  all of the same dimension; zero until they are set
  // No proposals can be made for dimensions other than those of canonical templates.
  Proposals(std::size_t dimension, std::size_t rows);

  bool supported() const { return quantiser_.has_value(); }
  std::size_t rows() const { return templates_.rows(); }

  // In:     values  dimension x float32, norm 1 +- 1e-6. Secret: biometric
  // Errors: kInvalidArgument  not finite, or the norm is far from 1
  Status SetRow(std::size_t row, std::span<const float> values);
  void CopyRow(std::size_t row, const Proposals& from, std::size_t from_row);

  // The same of fewer rows. In: rows  at most rows()
  Proposals First(std::size_t rows) const;
  // Forgets the rows behind the first `rows`, none of which was set; their memory stays.
  void Shorten(std::size_t rows);

  // For each probe the proposed rows, rising: at least all with <probe, row> >= threshold, the
  // product of the float32 values computed in binary64 in any order.
  //
  // In:     probes     n x dimension float32
  //         threshold  above 0
  // Errors: kInvalidArgument  a probe's norm is not in [0.5, 2] or it is not finite
  Result<std::vector<std::vector<std::uint32_t>>> Find(std::span<const float> probes,
                                                       double threshold,
                                                       sealed::Kernel kernel) const;

 private:
  struct Bound;
  Bound BoundOf(std::span<const float> probe, const sealed::Quantiser::Approximation& approximation,
                double threshold) const;

  std::size_t dimension_;
  std::optional<sealed::Quantiser> quantiser_;
  TemplateMatrix templates_;
  std::vector<float> residuals_;  // |r_b|
};

}  // namespace comity::matching
