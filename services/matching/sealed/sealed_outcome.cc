// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/sealed_outcome.h"

#include "crypto/sealed/sketch_decode.h"
#include "services/matching/sealed/holder_round.h"

namespace comity::matching {

Result<SealedOutcome> DecodeOutcome(const sealed::Sketch& bits, ByteView sketch,
                                    std::span<const SealedHolder::Round* const> rounds) {
  COMITY_ASSIGN_OR_RETURN(const sealed::Sketch masks, sealed::ParseSketch(sketch, bits.cap));
  std::vector<sealed::PlacedSlots> lists;
  for (const SealedHolder::Round* round : rounds) lists.push_back(round->placed());
  const sealed::DecodedHits decoded = sealed::DecodeSketch(sealed::Difference(bits, masks), lists);
  SealedOutcome outcome{.over_cap = decoded.outcome == sealed::HitOutcome::kOverCap, .hits = {}};
  for (const std::uint32_t number : decoded.slots) {
    for (std::size_t list = 0; list < lists.size(); ++list) {
      if (lists[list].Contains(number))
        outcome.hits.push_back({list, number - lists[list].shift()});
    }
  }
  return outcome;
}

}  // namespace comity::matching
