// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/expand.h"

#include <array>

#include "crypto/base/secret.h"
#include "crypto/hash/chacha_stream.h"

namespace comity::sealed {
namespace {

constexpr std::size_t kTernaryCallBytes = 512;
constexpr unsigned kDigitsOfOctet = 5;  // 3^5 = 243 <= 256
constexpr std::uint8_t kFirstSkipped = 243;

}  // namespace

void ExpandPublic(ByteView seed, std::uint64_t index, ElementSpan out) {
  std::array<std::uint8_t, kElementBytes> stream;
  hash::ExpandStream(seed, kPublicLabel, index, stream);
  DecodeElement(stream, out);
}

void ExpandError(ByteView key, std::uint32_t label, std::uint64_t index, SmallSpan out) {
  std::array<std::uint8_t, 2 * kRingDegree> stream;
  hash::ExpandStream(key, label, index, stream);
  const std::uint8_t* from = stream.data();
  std::int8_t* to = out.data();
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    const int v = from[2 * i] | from[2 * i + 1] << 8;
    to[i] = static_cast<std::int8_t>((v & 31) - ((v >> 5) & 31));
  }
  Wipe(stream);
}

void ExpandTernary(ByteView key, std::uint32_t label, SmallSpan out) {
  std::array<std::uint8_t, kTernaryCallBytes> stream;
  std::size_t done = 0;
  for (std::uint64_t index = 0; done < kRingDegree; ++index) {
    hash::ExpandStream(key, label, index, stream);
    for (std::size_t at = 0; at < stream.size() && done < kRingDegree; ++at) {
      // Which octets are skipped says nothing of those that are taken.
      if (Declassify(stream[at] >= kFirstSkipped)) continue;
      unsigned rest = stream[at];
      for (unsigned digit = 0; digit < kDigitsOfOctet && done < kRingDegree; ++digit) {
        // rest / 3 for any octet: compilers may emit a division, whose time can depend on `rest`.
        const unsigned third = rest * 171 >> 9;
        out[done++] = static_cast<std::int8_t>(static_cast<int>(rest - 3 * third) - 1);
        rest = third;
      }
    }
  }
  Wipe(stream);
}

}  // namespace comity::sealed
