// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <type_traits>

#include "crypto/base/encoding.h"
#include "crypto/hash/blake2b.h"
#include "crypto/ot/base_ot.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"
#include "tests/unit/crypto/ot/ot_session.h"

namespace comity {
namespace {

using ot::kBaseOtCount;
using ot::kBaseOtKeySize;
using ot::kPointSize;
using testing::FailsWith;
using testing::SeededRandom;

static_assert(!std::is_copy_constructible_v<ot::BaseOtSender>);
static_assert(!std::is_copy_constructible_v<ot::BaseOtReceiver>);

const Digest kSid = testing::SeededDigest(99);

struct Transfer {
  ot::BaseOtSender sender;
  ot::BaseOtReceiver receiver;
};
Transfer MakeTransfer(std::uint64_t seed) {
  SeededRandom holder(seed), requester(seed + 1);
  ot::BaseOtSender sender(kSid, holder);
  auto receiver = ot::BaseOtReceiver::Answer(kSid, sender.offer(), requester);
  return {std::move(sender), std::move(receiver).value()};
}

std::string KeyAt(const SecretBytes& keys, std::size_t index) {
  return EncodeHex(keys.Expose().subspan(index * kBaseOtKeySize, kBaseOtKeySize));
}

TEST(BaseOt, TheReceiverHasTheChosenKeysAndNotTheOthers) {
  Transfer run = MakeTransfer(1);
  const Bytes answer = run.receiver.answer();
  const auto sender = std::move(run.sender).Finish(answer).value();
  const auto receiver = std::move(run.receiver).TakeKeys();
  std::size_t ones = 0;
  std::set<std::string> all;
  for (std::size_t i = 0; i < kBaseOtCount; ++i) {
    const std::size_t choice = receiver.choices.Expose()[i];
    ones += choice;
    ASSERT_LE(choice, 1U);
    EXPECT_EQ(KeyAt(receiver.keys, i), KeyAt(sender.keys, 2 * i + choice));
    EXPECT_NE(KeyAt(receiver.keys, i), KeyAt(sender.keys, 2 * i + 1 - choice));
    all.insert({KeyAt(sender.keys, 2 * i), KeyAt(sender.keys, 2 * i + 1)});
  }
  EXPECT_EQ(all.size(), 2 * kBaseOtCount);
  EXPECT_EQ(sender.transcript, receiver.transcript);
  // 128 fair bits: outside 34..94 has probability below 10^-6.
  EXPECT_GE(ones, 34U);
  EXPECT_LE(ones, 94U);
}

// A receiver that repeats one response over all instances must not make the keys repeat: with
// keys that leave out the index or the transcript it could read the holder's choices.
TEST(BaseOt, EqualResponsesDoNotGiveEqualKeys) {
  Transfer run = MakeTransfer(2);
  Bytes answer = run.receiver.answer();
  for (std::size_t at = 2 * kPointSize; at < answer.size(); ++at) {
    answer[at] = answer[at % (2 * kPointSize)];
  }
  const auto sender = std::move(run.sender).Finish(answer).value();
  std::set<std::string> all;
  for (std::size_t i = 0; i < 2 * kBaseOtCount; ++i) all.insert(KeyAt(sender.keys, i));
  EXPECT_EQ(all.size(), 2 * kBaseOtCount);
}

TEST(BaseOt, KeysDependOnTheSession) {
  Transfer run = MakeTransfer(3);
  SeededRandom same(3);
  ot::BaseOtSender other(testing::SeededDigest(100), same);
  ASSERT_EQ(EncodeHex(other.offer()), EncodeHex(run.sender.offer()));
  const Bytes answer = run.receiver.answer();
  const auto here = std::move(run.sender).Finish(answer).value();
  const auto there = std::move(other).Finish(answer).value();
  EXPECT_NE(KeyAt(here.keys, 0), KeyAt(there.keys, 0));
  EXPECT_NE(here.transcript, there.transcript);
}

Bytes NotAPoint() {
  return Bytes(kPointSize, 0xff);  // not a canonical field element
}
Bytes Identity() {
  return Bytes(kPointSize, 0);
}

TEST(BaseOt, AnOfferThatIsNoPointIsRefused) {
  SeededRandom random(4);
  for (const Bytes& offer : {NotAPoint(), Identity(), Bytes(), Bytes(31, 1), Bytes(33, 1)}) {
    EXPECT_THAT(ot::BaseOtReceiver::Answer(kSid, offer, random),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(BaseOt, AnAnswerWithOneBadPointIsRefused) {
  for (const Bytes& bad : {NotAPoint(), Identity()}) {
    for (const std::size_t place : {0UL, 1UL, 100UL, 255UL}) {
      Transfer run = MakeTransfer(5);
      Bytes answer = run.receiver.answer();
      std::ranges::copy(bad, answer.begin() + static_cast<long>(place * kPointSize));
      EXPECT_THAT(std::move(run.sender).Finish(answer), FailsWith(ErrorCode::kInvalidArgument));
    }
  }
}

TEST(BaseOt, AnAnswerOfTheWrongLengthIsRefused) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{64}, ot::kBaseOtAnswerSize - 1, ot::kBaseOtAnswerSize + 1}) {
    Transfer run = MakeTransfer(6);
    Bytes answer = run.receiver.answer();
    answer.resize(size);
    EXPECT_THAT(std::move(run.sender).Finish(answer), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(BaseOt, ATamperedAnswerGivesOtherKeys) {
  Transfer run = MakeTransfer(7), again = MakeTransfer(7);
  Bytes answer = run.receiver.answer();
  // Two valid points change places.
  std::swap_ranges(answer.begin(), answer.begin() + kPointSize, answer.begin() + kPointSize);
  const auto keys = std::move(run.sender).Finish(answer).value();
  const auto honest = std::move(again.sender).Finish(again.receiver.answer()).value();
  EXPECT_NE(KeyAt(keys.keys, 0), KeyAt(honest.keys, 0));
  EXPECT_NE(KeyAt(keys.keys, 0), KeyAt(honest.keys, 1));
  EXPECT_NE(keys.transcript, honest.transcript);
}

std::string FingerprintOf(ByteView octets) {
  return EncodeHex(hash::Blake2b256({octets}).view());
}

TEST(BaseOt, TheTranscriptOfFixedScalarsIsTheRecordedOne) {
  Transfer run = MakeTransfer(8);
  const Bytes answer = run.receiver.answer();
  nlohmann::json actual = {{"sid", EncodeHex(kSid.view())},
                           {"offer", EncodeHex(run.sender.offer())},
                           {"answer_first", EncodeHex(ByteView(answer).first(64))},
                           {"answer_blake2b256", FingerprintOf(answer)}};
  const auto sender = std::move(run.sender).Finish(answer).value();
  const auto receiver = std::move(run.receiver).TakeKeys();
  actual["choices_blake2b256"] = FingerprintOf(receiver.choices.Expose());
  actual["first_choices"] = EncodeHex(receiver.choices.Expose().first(8));
  actual["sender_keys_0"] = {KeyAt(sender.keys, 0), KeyAt(sender.keys, 1)};
  actual["sender_keys_blake2b256"] = FingerprintOf(sender.keys.Expose());
  actual["receiver_keys_blake2b256"] = FingerprintOf(receiver.keys.Expose());
  actual["transcript"] = EncodeHex(sender.transcript.view());
  nlohmann::json recorded = testing::ReadJsonVector("sealed/base_ot.json");
  recorded.erase("about");
  EXPECT_EQ(actual, recorded) << actual.dump(2);
}

}  // namespace
}  // namespace comity
