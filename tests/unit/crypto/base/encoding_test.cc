// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/encoding.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace comity {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOkAnd;

TEST(Hex, RoundTripsEveryOctet) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  EXPECT_THAT(ParseHex(EncodeHex(all)), IsOkAnd(Eq(all)));
}

TEST(Hex, RefusesOtherSpellings) {
  for (const std::string_view text : {"0", "0G", "AB", "0x00", "a b", " 00"}) {
    EXPECT_THAT(ParseHex(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

// Source: RFC 4648 section 10
TEST(Base64, MatchesRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, base64] : vectors) {
    EXPECT_EQ(EncodeBase64(AsBytes(text)), base64);
    EXPECT_THAT(ParseBase64(base64), IsOkAnd(Eq(ToBytes(text))));
  }
}

TEST(Base64, RefusesOtherSpellings) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm9v=", "_-==", "====", "Z"}) {
    EXPECT_THAT(ParseBase64(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

TEST(DigestText, NeedsExactly32Octets) {
  const Digest digest{};
  EXPECT_THAT(ParseHexDigest(std::string(64, '0')), IsOkAnd(Eq(digest)));
  EXPECT_THAT(ParseHexDigest(std::string(62, '0')), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseHexDigest(std::string(66, '0')), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseBase64Digest(std::string(43, 'A') + "="), IsOkAnd(Eq(digest)));
  EXPECT_THAT(ParseBase64Digest("AAAA"), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity
