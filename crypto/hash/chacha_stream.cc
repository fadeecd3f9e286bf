// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/chacha_stream.h"

#include <sodium.h>

#include <array>

#include "crypto/base/check.h"

namespace comity::hash {

void ExpandStream(ByteView key, std::uint32_t label, std::uint64_t index,
                  std::span<std::uint8_t> out) {
  COMITY_CHECK(key.size() == crypto_stream_chacha20_ietf_KEYBYTES);
  std::array<std::uint8_t, crypto_stream_chacha20_ietf_NONCEBYTES> nonce{};
  for (std::size_t i = 0; i < 4; ++i) nonce[i] = static_cast<std::uint8_t>(label >> (8 * i));
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(index >> (8 * i));
  COMITY_CHECK(crypto_stream_chacha20_ietf(out.data(), out.size(), nonce.data(), key.data()) == 0);
}

}  // namespace comity::hash
