// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/session_terms.h"

#include <algorithm>

#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"
#include "crypto/ot/pad_queue.h"
#include "crypto/ot/softspoken_batch.h"

namespace comity::matching {

Digest SessionId(const SealedSessionTerms& terms) {
  return hash::Blake2b256(
      {AsBytes("comity/sealed-v1/session"), terms.header.view(),
       LittleEndian<4>(static_cast<std::uint32_t>(terms.tau)), LittleEndian<4>(terms.cap),
       LittleEndian<1>(static_cast<std::uint8_t>(terms.hit_opening)), terms.requester_nonce,
       terms.holder_nonce, terms.requester_certificate.view(), terms.holder_certificate.view()});
}

Digest SearchBinding(const Digest& sid, const SearchPlace& place) {
  return hash::Blake2b256({AsBytes("comity/sealed-v1/search"), sid.view(),
                           LittleEndian<8>(place.batch), LittleEndian<8>(place.pads_taken),
                           LittleEndian<4>(place.first_block),
                           LittleEndian<8>(place.state_sequence), place.state.view()});
}

std::uint32_t BlocksOf(const sealed::ListState& state) {
  return state.blocks.empty() ? 0 : state.blocks.back().number + 1;
}

std::size_t MostProbes(std::size_t slots) {
  const std::size_t fit = kMaxSlotsABatch / std::max<std::size_t>(slots, 1);
  return std::min<std::size_t>(fit, sealed::kMaxProbesInBatch);
}

PadBatch PadBatchFor(std::size_t slots_at_set_up) {
  constexpr std::size_t kLeast = 1024;
  constexpr std::size_t kMost = 8192;
  constexpr std::size_t kPadsAnEntry = 8;
  PadBatch batch;
  batch.pads =
      kPadsAnEntry * std::clamp(slots_at_set_up, kLeast / kPadsAnEntry, kMost / kPadsAnEntry);
  const std::size_t blocks = (batch.pads * ot::kOtsAPad + ot::kBitsABlock - 1) / ot::kBitsABlock;
  batch.ots = blocks * ot::kBitsABlock;
  batch.pads = batch.ots / ot::kOtsAPad;
  batch.message_bytes = ot::BatchMessageSize(blocks + ot::kMaskOts / ot::kBitsABlock);
  return batch;
}

}  // namespace comity::matching
