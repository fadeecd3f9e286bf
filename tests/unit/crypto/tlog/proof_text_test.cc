// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/proof_text.h"

#include <gtest/gtest.h>

#include "crypto/merkle/tree_hash.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::tlog {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::ReadVector;

VerifierKey LogKey() {
  return ParseVerifierKey(
             testing::ReadJsonVector("tlog/notes.json")["log_key"]["vkey"].get<std::string>())
      .value();
}

Digest Leaf512() {
  return merkle::LeafHash(AsBytes("entry-512"));
}

TEST(TlogProof, VerifiesTheVectors) {
  for (const std::string name : {"tlog/entry512.tlog-proof", "tlog/entry512-extra.tlog-proof"}) {
    const std::string text = ReadVector(name);
    const auto proof = ParseTlogProof(text);
    ASSERT_THAT(proof, IsOk());
    EXPECT_EQ(EncodeTlogProof(*proof), text);
    const auto opened = VerifyTlogProof(*proof, Leaf512(), LogKey());
    ASSERT_THAT(opened, IsOk());
    EXPECT_EQ(opened->checkpoint.size.value, 1000U);
  }
}

TEST(TlogProof, CarriesExtraData) {
  EXPECT_EQ(ParseTlogProof(ReadVector("tlog/entry512-extra.tlog-proof"))->extra,
            ToBytes("extra data"));
  EXPECT_EQ(ParseTlogProof(ReadVector("tlog/entry512.tlog-proof"))->extra, std::nullopt);
}

TEST(TlogProof, RefusesAnotherLeafOrIndex) {
  auto proof = ParseTlogProof(ReadVector("tlog/entry512.tlog-proof")).value();
  EXPECT_THAT(VerifyTlogProof(proof, merkle::LeafHash(AsBytes("entry-511")), LogKey()),
              FailsWith(ErrorCode::kCorrupt));
  proof.index.value = 513;
  EXPECT_FALSE(VerifyTlogProof(proof, Leaf512(), LogKey()).has_value());
}

// Without the witness lines every octet is either spelling, hash, or signed.
TEST(TlogProof, RefusesEveryFlippedBit) {
  auto proof = ParseTlogProof(ReadVector("tlog/entry512.tlog-proof")).value();
  Note note = ParseNote(proof.checkpoint).value();
  note.signatures.resize(1);
  proof.checkpoint = EncodeNote(note);
  const std::string good = EncodeTlogProof(proof);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const auto parsed = ParseTlogProof(bad);
    EXPECT_FALSE(parsed && VerifyTlogProof(*parsed, Leaf512(), LogKey())) << bit;
  }
}

TEST(TlogProof, RefusesEveryCut) {
  const std::string good = ReadVector("tlog/entry512.tlog-proof");
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto parsed = ParseTlogProof(good.substr(0, size));
    accepted += parsed ? 1U : 0U;
  }
  EXPECT_EQ(accepted, 2U);  // after the first and the second signature line
}

TEST(TlogProof, RefusesOtherForms) {
  const std::string good = ReadVector("tlog/entry512.tlog-proof");
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  const std::string rest = good.substr(head.size());
  for (const std::string& text :
       {std::string(), head, "c2sp.org/tlog-proof@v2\n" + rest, head + "extra !\n" + rest,
        head + "extra AA==\nextra AA==\n" + rest, head + "index 01\n" + rest.substr(10),
        head + "index -1\n" + rest.substr(10), head + "\n" + rest,
        head + "index 512\nAAAA\n" + rest.substr(10), std::string(600 * 1024, 'a')}) {
    EXPECT_THAT(ParseTlogProof(text), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(TlogProof, RefusesMoreThan64Hashes) {
  auto proof = ParseTlogProof(ReadVector("tlog/entry512.tlog-proof")).value();
  proof.path.resize(64);
  EXPECT_THAT(ParseTlogProof(EncodeTlogProof(proof)), IsOk());
  proof.path.resize(65);
  EXPECT_THAT(ParseTlogProof(EncodeTlogProof(proof)), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::tlog
