// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/hash/blake2b.h"
#include "crypto/hash/chacha_stream.h"

namespace comity {
namespace {

// RFC 7693, appendix A.
TEST(Blake2b, IsThatOfTheStandard) {
  std::array<std::uint8_t, 64> value{};
  hash::Blake2b(64).Update(AsBytes("a")).Update(AsBytes("bc")).Finish(value);
  EXPECT_EQ(EncodeHex(value),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST(Blake2b, AKeyAndThePlaceOfAnOctetMatter) {
  const std::vector<std::uint8_t> key(32, 7);
  const auto keyed = hash::KeyedBlake2b256(key, {AsBytes("ab"), AsBytes("c")});
  const Digest plain = hash::Blake2b256({AsBytes("abc")});
  EXPECT_EQ(plain, hash::Blake2b256({AsBytes("a"), AsBytes(""), AsBytes("bc")}));
  EXPECT_NE(EncodeHex(keyed.Expose()), EncodeHex(plain.view()));
  EXPECT_NE(plain, hash::Blake2b256({AsBytes("acb")}));
}

// RFC 8439, section 2.4.2: its nonce is label 0 and index 0x4a000000, and its text
// starts at block 1.
TEST(ChaChaStream, IsThatOfTheStandard) {
  std::vector<std::uint8_t> key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  std::array<std::uint8_t, 128> stream{};
  hash::ExpandStream(key, 0, 0x4a000000, stream);
  EXPECT_EQ(EncodeHex(std::span(stream).subspan(64, 16)), "224f51f3401bd9e12fde276fb8631ded");
}

TEST(ChaChaStream, EveryLabelAndIndexHasItsOwn) {
  const std::vector<std::uint8_t> key(32, 1);
  std::vector<std::array<std::uint8_t, 32>> streams(4);
  hash::ExpandStream(key, 0, 0, streams[0]);
  hash::ExpandStream(key, 1, 0, streams[1]);
  hash::ExpandStream(key, 0, 1, streams[2]);
  hash::ExpandStream(key, 0, std::uint64_t{1} << 32, streams[3]);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(streams[i], streams[j]);
  }
}

}  // namespace
}  // namespace comity
