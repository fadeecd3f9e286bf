// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/sketch.h"
#include "services/matching/sealed/sealed_holder.h"

namespace comity::matching {

// One entry that a probe hit.
struct SealedHit {
  std::size_t list = 0;    // index of the list in the session
  std::uint32_t slot = 0;  // slot number in that list
  bool operator==(const SealedHit&) const = default;
};

// What the holder learns of one probe.
struct SealedOutcome {
  bool over_cap = false;        // or anything else that is not an honest probe's answer
  std::vector<SealedHit> hits;  // <= cap over all lists, in order; none when over the cap
  bool operator==(const SealedOutcome&) const = default;
};

// In:      bits    what SealedHolder::Open has added for this probe, of every list of the session
//          sketch  the requester's, untrusted: SketchBytes(cap) octets
//          rounds  of the probe's batch, one a list in the session's order
// Leaks:   as sealed::DecodeSketch: answer at a fixed time
// Errors:  kInvalidArgument  a sketch of a wrong form
// Threads: pure function
Result<SealedOutcome> DecodeOutcome(const sealed::Sketch& bits, ByteView sketch,
                                    std::span<const SealedHolder::Round* const> rounds);

}  // namespace comity::matching
