// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/chacha_stream.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"

namespace comity::hash {

void ExpandStream(ByteView key, std::uint32_t label, std::uint64_t index,
                  std::span<std::uint8_t> out) {
  COMITY_CHECK(key.size() == crypto_stream_chacha20_ietf_KEYBYTES);
  std::array<std::uint8_t, crypto_stream_chacha20_ietf_NONCEBYTES> nonce{};
  std::ranges::copy(LittleEndian<4>(label), nonce.begin());
  std::ranges::copy(LittleEndian<8>(index), nonce.begin() + 4);
  COMITY_CHECK(crypto_stream_chacha20_ietf(out.data(), out.size(), nonce.data(), key.data()) == 0);
}

}  // namespace comity::hash
