// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/sha256.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/base/encoding.h"

namespace comity::hash {
namespace {

SecretBytes SecretOfHex(std::string_view hex) {
  return SecretBytes::CopyOf(*ParseHex(hex));
}
std::string HexOf(const Digest& digest) {
  return EncodeHex(digest.view());
}

// Source: FIPS 180-4 examples
TEST(Sha256, MatchesFips180Examples) {
  EXPECT_EQ(HexOf(Sha256(ByteView())),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexOf(Sha256(AsBytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, HashesPartsAsOneText) {
  EXPECT_EQ(Sha256({AsBytes("a"), ByteView(), AsBytes("bc")}), Sha256(AsBytes("abc")));
}

struct HmacCase {
  std::string key;
  std::string data;
  std::string mac;
};

// Source: RFC 4231 test cases 1, 2, 3, 4, 6 and 7
TEST(HmacSha256, MatchesRfc4231) {
  const std::string long_key(262, 'a');
  const HmacCase cases[] = {
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"4a656665", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"0102030405060708090a0b0c0d0e0f10111213141516171819", std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {long_key,
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const HmacCase& one : cases) {
    EXPECT_EQ(HexOf(HmacSha256(SecretOfHex(one.key), {AsBytes(one.data)})), one.mac) << one.data;
  }
}

// Source: RFC 5869 test case 3 (empty salt and info): the first of its two blocks
TEST(DeriveKey, MatchesRfc5869WithEmptySalt) {
  const SecretBytes key =
      DeriveKey(SecretOfHex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), ByteView());
  EXPECT_EQ(EncodeHex(key.Expose()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(DeriveKey, SeparatesUses) {
  const SecretBytes material(32);
  EXPECT_FALSE(ConstantTimeEqual(DeriveKey(material, AsBytes("a")).Expose(),
                                 DeriveKey(material, AsBytes("b")).Expose()));
}

}  // namespace
}  // namespace comity::hash
