// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/checkpoint.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::tlog {
namespace {

using nlohmann::json;
using testing::FailsWith;
using testing::IsOk;
using testing::ReadJsonVector;

VerifierKey KeyOf(const json& key) {
  return ParseVerifierKey(key["vkey"].get<std::string>()).value();
}

TEST(Checkpoint, RoundTrips) {
  const json vectors = ReadJsonVector("tlog/notes.json");
  const std::string text = vectors["checkpoint_text"];
  const auto checkpoint = ParseCheckpoint(text);
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->origin, "log.test.example/audit");
  EXPECT_EQ(checkpoint->size.value, 1000U);
  EXPECT_EQ(EncodeCheckpoint(*checkpoint), text);
}

TEST(Checkpoint, RejectsTheVectors) {
  const json vectors = ReadJsonVector("tlog/notes.json");
  ASSERT_EQ(vectors["reject_checkpoint_text"].size(), 10U);
  for (const json& one : vectors["reject_checkpoint_text"]) {
    EXPECT_THAT(ParseCheckpoint(one["text"].get<std::string>()),
                FailsWith(ErrorCode::kInvalidArgument))
        << one["desc"];
  }
}

TEST(Checkpoint, BoundsSizeAndExtensionLines) {
  const std::string root = "0D1jt3KvmQGYF+4+AYKG02omFhvbW/6CKOksAqvpEV0=\n";
  EXPECT_THAT(ParseCheckpoint("o\n9223372036854775807\n" + root), IsOk());
  EXPECT_THAT(ParseCheckpoint("o\n9223372036854775808\n" + root),
              FailsWith(ErrorCode::kInvalidArgument));
  std::string text = "o\n1\n" + root;
  for (int i = 0; i < 16; ++i) text += "x\n";
  EXPECT_THAT(ParseCheckpoint(text), IsOk());
  EXPECT_THAT(ParseCheckpoint(text + "x\n"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseCheckpoint(text + "x"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseCheckpoint(""), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(OpenCheckpoint, AcceptsTheVectorsOfTheLogAndItsWitnesses) {
  const json vectors = ReadJsonVector("tlog/notes.json");
  const std::vector<VerifierKey> witnesses = {KeyOf(vectors["witness_keys"][0]),
                                              KeyOf(vectors["witness_keys"][1])};
  for (const json& one : vectors["accept"]) {
    const auto opened =
        OpenCheckpoint(one["note"].get<std::string>(), KeyOf(vectors["log_key"]), witnesses);
    ASSERT_THAT(opened, IsOk()) << one["desc"];
    EXPECT_EQ(opened->checkpoint.size.value, one["size"].get<std::uint64_t>());
  }
}

TEST(OpenCheckpoint, TellsCosignersFromUnknownSigners) {
  const json vectors = ReadJsonVector("tlog/notes.json");
  const std::vector<VerifierKey> witnesses = {KeyOf(vectors["witness_keys"][1])};
  const auto opened = OpenCheckpoint(vectors["accept"][1]["note"].get<std::string>(),
                                     KeyOf(vectors["log_key"]), witnesses);
  ASSERT_THAT(opened, IsOk());
  ASSERT_EQ(opened->cosignatures.size(), 1U);
  EXPECT_EQ(opened->cosignatures[0].key, 0U);
  EXPECT_EQ(opened->unknown_signers, std::vector<std::string>{"witness.test.example/w1"});
}

TEST(OpenCheckpoint, NeedsTheLogsOwnSignature) {
  const json vectors = ReadJsonVector("tlog/notes.json");
  const std::vector<VerifierKey> witnesses = {KeyOf(vectors["witness_keys"][0])};
  for (const json& one : vectors["reject"]) {
    EXPECT_FALSE(
        OpenCheckpoint(one["note"].get<std::string>(), KeyOf(vectors["log_key"]), witnesses))
        << one["desc"];
  }
}

TEST(OpenCheckpoint, RefusesAnotherOrigin) {
  const json vectors = ReadJsonVector("tlog/notes.json");
  const json& sumdb = vectors["real_world"][1];
  EXPECT_THAT(OpenCheckpoint(sumdb["note"].get<std::string>(), KeyOf(sumdb)),
              FailsWith(ErrorCode::kInvalidArgument));
  const json& tessera = vectors["real_world"][2];
  EXPECT_THAT(OpenCheckpoint(tessera["note"].get<std::string>(), KeyOf(tessera)), IsOk());
}

}  // namespace
}  // namespace comity::tlog
