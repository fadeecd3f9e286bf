// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign/dsse.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "crypto/base/canonical_json.h"
#include "tests/support/result_matchers.h"

namespace comity::sign {
namespace {

using nlohmann::json;
using testing::FailsWith;
using testing::IsOk;

constexpr std::size_t kLimit = 64 * 1024;

SigningKey KeyOf(std::uint8_t label) {
  SecretBytes seed(32);
  seed.ExposeMutable()[0] = label;
  return std::move(*SigningKey::FromSeed(seed));
}

DsseEnvelope Signed(int signers) {
  DsseEnvelope envelope{"application/vnd.comity.test", ToBytes("{\"a\":1}"), {}};
  for (int i = 0; i < signers; ++i) AddSignature(KeyOf(static_cast<std::uint8_t>(i)), envelope);
  return envelope;
}

// Source: DSSE v1.0 protocol.md, "Test Vectors"
TEST(Dsse, EncodesBeforeSigningAsTheSpecificationDoes) {
  EXPECT_EQ(
      AsText(PreAuthenticationEncoding("http://example.com/HelloWorld", AsBytes("hello world"))),
      "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST(Dsse, VerifiesEachSigner) {
  const DsseEnvelope envelope = Signed(2);
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(0).public_key()), IsOk());
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(1).public_key()), IsOk());
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(2).public_key()), FailsWith(ErrorCode::kCorrupt));
}

TEST(Dsse, SignsTheTypeToo) {
  DsseEnvelope envelope = Signed(1);
  envelope.payload_type = "application/vnd.comity.other";
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(0).public_key()), FailsWith(ErrorCode::kCorrupt));
}

TEST(Dsse, RefusesAChangedPayload) {
  DsseEnvelope envelope = Signed(1);
  envelope.payload[0] ^= 1U;
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(0).public_key()), FailsWith(ErrorCode::kCorrupt));
}

TEST(Dsse, DoesNotTrustTheKeyId) {
  DsseEnvelope envelope = Signed(1);
  envelope.signatures[0].key_id = KeyId(KeyOf(5).public_key());
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(0).public_key()), IsOk());
  EXPECT_THAT(VerifySignedBy(envelope, KeyOf(5).public_key()), FailsWith(ErrorCode::kCorrupt));
}

TEST(Dsse, AddsASignatureOnce) {
  DsseEnvelope envelope = Signed(2);
  AddSignature(KeyOf(0), envelope);
  EXPECT_EQ(envelope.signatures.size(), 2U);
}

TEST(DsseJson, RoundTrips) {
  const DsseEnvelope envelope = Signed(2);
  const std::string text = EncodeDsseJson(envelope);
  EXPECT_TRUE(text.starts_with(
      R"({"payload":"eyJhIjoxfQ==","payloadType":"application/vnd.comity.test","signatures":[)"));
  const auto parsed = ParseDsseJson(text, kLimit);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(EncodeDsseJson(*parsed), text);
  EXPECT_THAT(VerifySignedBy(*parsed, KeyOf(1).public_key()), IsOk());
}

TEST(DsseJson, AcceptsSixteenSignaturesAndNoMore) {
  EXPECT_THAT(ParseDsseJson(EncodeDsseJson(Signed(16)), kLimit), IsOk());
  EXPECT_THAT(ParseDsseJson(EncodeDsseJson(Signed(17)), kLimit),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseDsseJson(EncodeDsseJson(Signed(0)), kLimit),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(DsseJson, BoundsItsSize) {
  const std::string text = EncodeDsseJson(Signed(1));
  EXPECT_THAT(ParseDsseJson(text, text.size()), IsOk());
  EXPECT_THAT(ParseDsseJson(text, text.size() - 1), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(DsseJson, NeedsExactlyOneFinalLineFeed) {
  const std::string text = EncodeDsseJson(Signed(1));
  EXPECT_THAT(ParseDsseJson(text.substr(0, text.size() - 1), kLimit),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseDsseJson(text + "\n", kLimit), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseDsseJson("", kLimit), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(DsseJson, RefusesEachFieldBrokenOnce) {
  const json good = json::parse(EncodeDsseJson(Signed(2)));
  const std::pair<std::string, json> patches[] = {
      {"/payload", 1},
      {"/payload", "eyJhIjoxfQ="},
      {"/payloadType", ""},
      {"/payloadType", "a b"},
      {"/payloadType", std::string(256, 'a')},
      {"/payloadType", json::array()},
      {"/signatures", "x"},
      {"/signatures/0", "x"},
      {"/signatures/0/sig", "AAAA"},
      {"/signatures/0/sig", 5},
      {"/signatures/0/keyid", "XYZ"},
      {"/signatures/0/keyid", good["signatures"][1]["keyid"]},
      {"/signatures/0/extra", "x"},
      {"/extra", "x"},
  };
  for (const auto& [path, value] : patches) {
    json broken = good;
    broken[json::json_pointer(path)] = value;
    EXPECT_THAT(ParseDsseJson(EncodeCanonicalJson(broken) + "\n", kLimit),
                FailsWith(ErrorCode::kInvalidArgument))
        << path << " " << value;
  }
  for (const std::string name : {"payload", "payloadType", "signatures"}) {
    json broken = good;
    broken.erase(name);
    EXPECT_THAT(ParseDsseJson(EncodeCanonicalJson(broken) + "\n", kLimit),
                FailsWith(ErrorCode::kInvalidArgument))
        << name;
  }
}

}  // namespace
}  // namespace comity::sign
