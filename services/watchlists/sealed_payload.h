// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/sealed/sealed_list.h"

// How header and state of a sealed list travel: DSSE in JSON form, signed by the holder's agency
// key. The payloads are the encodings of crypto/sealed/sealed_list.h.
namespace comity::watchlists {

inline constexpr std::string_view kSealedHeaderPayloadType =
    "application/vnd.comity.sealed-header.v1";
inline constexpr std::string_view kSealedStatePayloadType =
    "application/vnd.comity.sealed-state.v1";

// An envelope with a payload of so many octets in base64, and at most 16 signatures.
constexpr std::size_t MostEnvelopeBytes(std::size_t payload) {
  return (payload + 2) / 3 * 4 + 4096;
}
inline constexpr std::size_t kMaxSealedHeaderEnvelope = MostEnvelopeBytes(sealed::kMaxHeaderBytes);
inline constexpr std::size_t kMaxSealedStateEnvelope = MostEnvelopeBytes(sealed::kMaxStateBytes);

}  // namespace comity::watchlists
