// SPDX-License-Identifier: Apache-2.0
#include "crypto/envelope/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/base/encoding.h"
#include "tests/support/result_matchers.h"

namespace comity::envelope {
namespace {

using testing::FailsWith;
using testing::IsOk;

// Gives 0x40, 0x41, ...: the nonce of the draft's vector.
class CountingSource final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override {
    std::uint8_t next = 0x40;
    for (std::uint8_t& octet : out) octet = next++;
  }
};

SecretBytes KeyOf(std::uint8_t first) {
  SecretBytes key(kKeySize);
  for (std::uint8_t& octet : key.ExposeMutable()) octet = first++;
  return key;
}

// Source: draft-irtf-cfrg-xchacha-03 appendix A.3.1
TEST(Aead, MatchesTheXChaChaDraft) {
  CountingSource random;
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const Bytes sealed =
      Seal(KeyOf(0x80), AsBytes(text), *ParseHex("50515253c0c1c2c3c4c5c6c7"), random);
  EXPECT_EQ(
      EncodeHex(sealed),
      "01"
      "404142434445464748494a4b4c4d4e4f5051525354555657"
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f"
      "4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f"
      "76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
      "c0875924c1c7987947deafd8780acf49");
}

TEST(Aead, OpensWhatItSealed) {
  SystemRandom random;
  const SecretBytes key = GenerateKey(random);
  for (const std::string& text : {std::string(), std::string("x"), std::string(5000, 'y')}) {
    const Bytes sealed = Seal(key, AsBytes(text), AsBytes("context"), random);
    EXPECT_EQ(sealed.size(), text.size() + kOverhead);
    const auto opened = Open(key, sealed, AsBytes("context"));
    ASSERT_THAT(opened, IsOk());
    EXPECT_EQ(AsText(opened->Expose()), text);
  }
}

TEST(Aead, RefusesEveryFlippedBitAndEveryCut) {
  SystemRandom random;
  const SecretBytes key = GenerateKey(random);
  const Bytes sealed = Seal(key, AsBytes("secret"), AsBytes("context"), random);
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1U << bit % 8);
    EXPECT_THAT(Open(key, changed, AsBytes("context")), FailsWith(ErrorCode::kCorrupt));
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THAT(Open(key, ByteView(sealed).first(size), AsBytes("context")),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(Aead, RefusesAnotherKeyOrContext) {
  SystemRandom random;
  const SecretBytes key = GenerateKey(random);
  const Bytes sealed = Seal(key, AsBytes("secret"), AsBytes("context"), random);
  EXPECT_THAT(Open(GenerateKey(random), sealed, AsBytes("context")),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Open(key, sealed, AsBytes("contexT")), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Open(key, sealed, ByteView()), FailsWith(ErrorCode::kCorrupt));
}

TEST(KeyWrapping, RoundTrips) {
  SystemRandom random;
  const SecretBytes wrapping = GenerateKey(random);
  const SecretBytes data_key = GenerateKey(random);
  const Bytes wrapped = WrapKey(wrapping, data_key, AsBytes("list"), random);
  const auto key = UnwrapKey(wrapping, wrapped, AsBytes("list"));
  ASSERT_THAT(key, IsOk());
  EXPECT_TRUE(ConstantTimeEqual(key->Expose(), data_key.Expose()));
  EXPECT_THAT(UnwrapKey(wrapping, wrapped, AsBytes("other")), FailsWith(ErrorCode::kCorrupt));
}

TEST(KeyWrapping, DoesNotMixWithSealing) {
  SystemRandom random;
  const SecretBytes wrapping = GenerateKey(random);
  const Bytes sealed = Seal(wrapping, Bytes(kKeySize), AsBytes("list"), random);
  const Bytes wrapped = WrapKey(wrapping, SecretBytes(kKeySize), AsBytes("list"), random);
  EXPECT_THAT(UnwrapKey(wrapping, sealed, AsBytes("list")), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Open(wrapping, wrapped, AsBytes("list")), FailsWith(ErrorCode::kCorrupt));
}

TEST(KeyWrapping, RefusesContentOfAnotherSize) {
  EXPECT_THAT(UnwrapKey(KeyOf(0), Bytes(kKeySize + kOverhead - 1), ByteView()),
              FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::envelope
