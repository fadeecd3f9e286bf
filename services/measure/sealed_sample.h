// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "services/measure/synthetic_faces.h"

namespace comity::measure {

// Synthetic faces as a sealed list, at both ends. Entry i has slot number i + 1.
struct SealedSample {
  std::shared_ptr<const sealed::ListView> requester;
  std::shared_ptr<const sealed::EpochView> holder;
  double seal_seconds = 0;          // of one thread, all blocks, with the expansion of the seed
  std::uint64_t sealed_octets = 0;  // all blocks, encoded
};

// As an agreement with a threshold of SyntheticFaces::kThreshold would have it sealed.
// Errors: those of sealing
Result<SealedSample> SealSample(const SyntheticFaces& faces, RandomSource& random,
                                const Progress& progress);

// The agreed threshold in units of 1e-4.
std::int32_t SampleTau();

}  // namespace comity::measure
