// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/note.h"

#include <gtest/gtest.h>

#include "crypto/base/encoding.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::tlog {
namespace {

using nlohmann::json;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;
using testing::ReadJsonVector;

json Vectors() {
  return ReadJsonVector("tlog/notes.json");
}

VerifierKey KeyOf(const json& key) {
  return ParseVerifierKey(key["vkey"].get<std::string>()).value();
}

sign::SigningKey SigningKeyOf(const json& key) {
  const Bytes seed = ParseHex(key["seed_hex"].get<std::string>()).value();
  return std::move(*sign::SigningKey::FromSeed(SecretBytes::CopyOf(seed)));
}

Status Accepts(const std::string& text, const std::vector<VerifierKey>& keys) {
  COMITY_ASSIGN_OR_RETURN(const Note note, ParseNote(text));
  COMITY_RETURN_IF_ERROR(VerifyNote(note, keys));
  return {};
}

TEST(VerifierKey, MatchesTheVectors) {
  const json vectors = Vectors();
  for (const json& key : {vectors["log_key"], vectors["log_key_rotated"],
                          vectors["witness_keys"][0], vectors["witness_keys"][1]}) {
    const VerifierKey parsed = KeyOf(key);
    EXPECT_EQ(parsed.name, key["name"].get<std::string>());
    EXPECT_EQ(static_cast<unsigned>(parsed.type), key["alg"].get<unsigned>());
    EXPECT_EQ(EncodeHex(parsed.key.view()), key["public_hex"].get<std::string>());
    EXPECT_EQ(EncodeHex(KeyIdOf(parsed)), key["key_id_hex"].get<std::string>());
    EXPECT_EQ(EncodeVerifierKey(parsed), key["vkey"].get<std::string>());
  }
}

TEST(VerifierKey, RefusesEverySingleChangedCharacter) {
  const std::string good = Vectors()["log_key"]["vkey"];
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    EXPECT_THAT(ParseVerifierKey(bad), FailsWith(ErrorCode::kInvalidArgument)) << bad;
  }
}

TEST(VerifierKey, RefusesOtherForms) {
  const std::string good = Vectors()["log_key"]["vkey"];
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("a+b"), std::string("a+00000000+"),
        good + "\n", good + "+", " " + good, "+" + good, std::string(5000, 'a'),
        good.substr(0, good.size() - 4)}) {
    EXPECT_THAT(ParseVerifierKey(text), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(VerifierKey, NamesATypeThatThisBuildCannotVerify) {
  Bytes octets(33);
  octets[0] = 6;
  const auto key = ParseVerifierKey("a.example+00000000+" + EncodeBase64(octets));
  ASSERT_THAT(key, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_NE(key.error().detail.find("type 6"), std::string::npos);
}

TEST(KeyName, HasNoSpacePlusOrControlCharacter) {
  EXPECT_TRUE(IsKeyName("log.test.example/audit"));
  EXPECT_TRUE(IsKeyName("caf\xc3\xa9"));
  EXPECT_TRUE(IsKeyName(std::string(255, 'a')));
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a+b"),
                                  std::string("a\n"), std::string("a\x7f"), std::string("\xff"),
                                  std::string("a\xc2\xa0z"), std::string(256, 'a')}) {
    EXPECT_FALSE(IsKeyName(name));
  }
}

TEST(Note, AcceptsTheVectors) {
  const json vectors = Vectors();
  const std::vector<VerifierKey> keys = {KeyOf(vectors["log_key"]),
                                         KeyOf(vectors["witness_keys"][0]),
                                         KeyOf(vectors["witness_keys"][1])};
  ASSERT_EQ(vectors["accept"].size(), 5U);
  for (const json& one : vectors["accept"]) {
    const std::string text = one["note"];
    EXPECT_THAT(Accepts(text, keys), IsOk()) << one["desc"];
    EXPECT_EQ(EncodeNote(ParseNote(text).value()), text);
  }
}

TEST(Note, RejectsTheVectors) {
  const json vectors = Vectors();
  ASSERT_EQ(vectors["reject"].size(), 12U);
  for (const json& one : vectors["reject"]) {
    EXPECT_FALSE(Accepts(one["note"], {KeyOf(vectors["log_key"])}).has_value()) << one["desc"];
  }
}

TEST(Note, VerifiesPublishedNotes) {
  const json vectors = Vectors();
  ASSERT_EQ(vectors["real_world"].size(), 3U);
  for (const json& one : vectors["real_world"])
    EXPECT_THAT(Accepts(one["note"], {KeyOf(one)}), IsOk());
}

TEST(Note, SignsTheExactOctetsOfTheVectors) {
  const json vectors = Vectors();
  const std::string text = vectors["checkpoint_text"];
  Note note{text, {SignNote(vectors["log_key"]["name"], SigningKeyOf(vectors["log_key"]), text)}};
  EXPECT_EQ(EncodeNote(note), vectors["accept"][0]["note"].get<std::string>());
  for (const json& witness : vectors["witness_keys"]) {
    note.signatures.push_back(Cosign(witness["name"], SigningKeyOf(witness), text,
                                     vectors["cosignature_time"].get<std::uint64_t>()));
  }
  EXPECT_EQ(EncodeNote(note), vectors["accept"][1]["note"].get<std::string>());
}

TEST(Note, GivesTheTimeOfACosignature) {
  const json vectors = Vectors();
  const Note note = ParseNote(vectors["accept"][1]["note"].get<std::string>()).value();
  const auto verified =
      VerifyNote(note, std::vector{KeyOf(vectors["witness_keys"][1]), KeyOf(vectors["log_key"])});
  ASSERT_THAT(verified, IsOk());
  ASSERT_EQ(verified->size(), 2U);
  EXPECT_EQ((*verified)[0].key, 1U);
  EXPECT_EQ((*verified)[0].timestamp, std::nullopt);
  EXPECT_EQ((*verified)[1].key, 0U);
  EXPECT_EQ((*verified)[1].timestamp, vectors["cosignature_time"].get<std::uint64_t>());
}

TEST(Note, RefusesACosignatureWithAnotherTime) {
  const json vectors = Vectors();
  Note note = ParseNote(vectors["accept"][1]["note"].get<std::string>()).value();
  for (std::size_t i = 0; i < 8; ++i) {
    Note changed = note;
    changed.signatures[1].octets[i] ^= 0x80U;
    EXPECT_THAT(VerifyNote(changed, std::vector{KeyOf(vectors["witness_keys"][0])}),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(Note, RefusesEveryFlippedBitUnderAllItsKeys) {
  const json vectors = Vectors();
  const std::string good = vectors["accept"][0]["note"];
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(Accepts(bad, {KeyOf(vectors["log_key"])}).has_value()) << bit;
  }
}

TEST(Note, AcceptsUpTo64Signatures) {
  const json vectors = Vectors();
  Note note = ParseNote(vectors["accept"][0]["note"].get<std::string>()).value();
  while (note.signatures.size() < kMaxNoteSignatures) {
    note.signatures.push_back({"other.example", {1, 2, 3, 4}, Bytes(64)});
  }
  EXPECT_THAT(Accepts(EncodeNote(note), {KeyOf(vectors["log_key"])}), IsOk());
  note.signatures.push_back(note.signatures.back());
  EXPECT_THAT(ParseNote(EncodeNote(note)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Note, BoundsItsSize) {
  EXPECT_THAT(ParseNote(std::string(kMaxNoteSize + 1, '\n')),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Note, SplitsAtTheLastEmptyLine) {
  const Note note = ParseNote("a\n\nb\n\n\xe2\x80\x94 k AAAAAAA=\n").value();
  EXPECT_EQ(note.text, "a\n\nb\n");
}

TEST(SignatureLine, RoundTripsAndIsStrict) {
  const NoteSignature signature{"w.example", {1, 2, 3, 4}, {5}};
  const std::string line = EncodeSignatureLine(signature);
  EXPECT_THAT(ParseSignatureLine(line), IsOkAnd(::testing::Eq(signature)));
  for (const std::string& bad :
       {std::string(), line.substr(0, line.size() - 1), line + "\n", " " + line, line.substr(3),
        std::string("\xe2\x80\x94 w.example\n"), std::string("\xe2\x80\x94 w.example AAAA\n"),
        std::string("\xe2\x80\x94  AQIDBAU=\n"), std::string("\xe2\x80\x94 w.example AQIDBAU= \n"),
        std::string("\xe2\x80\x94 w.example  AQIDBAU=\n")}) {
    EXPECT_THAT(ParseSignatureLine(bad), FailsWith(ErrorCode::kInvalidArgument)) << bad;
  }
}

}  // namespace
}  // namespace comity::tlog
