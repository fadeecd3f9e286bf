// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign/ed25519.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <string>

#include "crypto/base/encoding.h"
#include "tests/support/result_matchers.h"

namespace comity::sign {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

struct Rfc8032Case {
  std::string seed;
  std::string key;
  std::string message;
  std::string signature;
};

// Source: RFC 8032 section 7.1, TEST 1 to 3
const Rfc8032Case kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

SigningKey KeyOf(const std::string& hex_seed) {
  return std::move(*SigningKey::FromSeed(SecretBytes::CopyOf(*ParseHex(hex_seed))));
}

std::string TextOf(const std::string& hex_point) {
  return "ed25519:" + EncodeBase64(*ParseHex(hex_point));
}

TEST(Ed25519, SignsAsRfc8032Does) {
  for (const Rfc8032Case& one : kRfc8032) {
    const SigningKey key = KeyOf(one.seed);
    EXPECT_EQ(EncodeHex(key.public_key().view()), one.key);
    EXPECT_EQ(EncodeHex(key.Sign(*ParseHex(one.message)).view()), one.signature);
  }
}

TEST(Ed25519, VerifiesOnlyTheSignedMessageAndKey) {
  const SigningKey key = KeyOf(kRfc8032[0].seed);
  const Signature signature = key.Sign(AsBytes("message"));
  EXPECT_THAT(Verify(key.public_key(), AsBytes("message"), signature), IsOk());
  EXPECT_THAT(Verify(key.public_key(), AsBytes("Message"), signature),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Verify(KeyOf(kRfc8032[1].seed).public_key(), AsBytes("message"), signature),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(Ed25519, RefusesASignatureWithAnyBitFlipped) {
  const SigningKey key = KeyOf(kRfc8032[0].seed);
  const Signature signature = key.Sign(AsBytes("message"));
  for (std::size_t bit = 0; bit < 8 * Signature::kSize; ++bit) {
    Signature changed = signature;
    changed.bytes[bit / 8] = static_cast<std::uint8_t>(changed.bytes[bit / 8] ^ 1U << bit % 8);
    EXPECT_THAT(Verify(key.public_key(), AsBytes("message"), changed),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(PublicKeyText, RoundTrips) {
  const PublicKey key = KeyOf(kRfc8032[0].seed).public_key();
  EXPECT_THAT(ParsePublicKey(EncodePublicKey(key)), IsOkAnd(::testing::Eq(key)));
}

TEST(PublicKeyText, RefusesOtherForms) {
  const std::string good = TextOf(kRfc8032[0].key);
  for (const std::string& text :
       {std::string(), good.substr(8), "Ed25519:" + good.substr(8), good + " ", " " + good,
        good.substr(0, good.size() - 4), good + "AAAA", "ed25519:" + std::string(44, '!')}) {
    EXPECT_THAT(ParsePublicKey(text), FailsWith(ErrorCode::kInvalidArgument)) << text;
  }
}

// The canonical encodings of all points of order 1, 2, 4 and 8, with either sign bit, and the
// non-canonical ones of y = 0 and y = 1.
// Source: "Taming the many EdDSAs" (2020), table 1
TEST(PublicKeyText, RefusesEveryPointOfSmallOrder) {
  for (const std::string hex :
       {"0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_THAT(ParsePublicKey(TextOf(hex)), FailsWith(ErrorCode::kInvalidArgument)) << hex;
  }
}

// What the optimised test refuses beyond libsodium's full one, and accepts, against that one.
TEST(PublicKeyText, AgreesWithTheFullTestOnRandomOctets) {
  std::size_t accepted = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    Bytes octets(32);
    Bytes seed(randombytes_SEEDBYTES);
    seed[0] = static_cast<std::uint8_t>(i);
    seed[1] = static_cast<std::uint8_t>(i >> 8U);
    randombytes_buf_deterministic(octets.data(), octets.size(), seed.data());
    const bool usable = PublicKeyFromOctets(octets).has_value();
    accepted += usable ? 1U : 0U;
    // libsodium's test is stricter: it wants the prime-order group, in which an eighth of the
    // points lie; whatever passes it passes here.
    EXPECT_TRUE(usable || crypto_core_ed25519_is_valid_point(octets.data()) == 0);
  }
  EXPECT_GT(accepted, 850U);  // half of all octet strings are a y of the curve
  EXPECT_LT(accepted, 1150U);
}

TEST(KeyFile, RoundTripsAndSignsTheSame) {
  const SigningKey key = KeyOf(kRfc8032[2].seed);
  const SecretBytes file = key.EncodeKeyFile();
  EXPECT_EQ(AsText(file.Expose()),
            "comity-ed25519-private-v1\n" + EncodeBase64(*ParseHex(kRfc8032[2].seed)) + "\n");
  const auto again = SigningKey::ParseKeyFile(AsText(file.Expose()));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->Sign(AsBytes("x")), key.Sign(AsBytes("x")));
}

TEST(KeyFile, RefusesOtherFormsWithoutShowingThem) {
  const std::string seed = EncodeBase64(Bytes(32));
  const std::string head = "comity-ed25519-private-v1\n";
  for (const std::string& text :
       {std::string(), head, head + seed, head + seed + "\n\n", seed + "\n",
        "comity-ed25519-private-v2\n" + seed + "\n", head + seed.substr(4) + "\n",
        head + std::string(44, '!') + "\n", head + EncodeBase64(Bytes(33)) + "\n"}) {
    const auto key = SigningKey::ParseKeyFile(text);
    ASSERT_THAT(key, FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_EQ(key.error().detail.find("AAAA"), std::string::npos);
  }
}

TEST(SigningKey, NeedsASeedOf32Octets) {
  EXPECT_THAT(SigningKey::FromSeed(SecretBytes(31)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SigningKey::FromSeed(SecretBytes(64)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(SigningKey, GeneratesDifferentKeys) {
  SystemRandom random;
  EXPECT_NE(SigningKey::Generate(random).public_key(), SigningKey::Generate(random).public_key());
}

}  // namespace
}  // namespace comity::sign
