// SPDX-License-Identifier: Apache-2.0
// The extension of honest parties: against the reference, against recorded values, and its sizes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include "crypto/base/encoding.h"
#include "crypto/hash/blake2b.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/ot/softspoken.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"
#include "tests/unit/crypto/ot/ot_session.h"
#include "tests/unit/crypto/ot/reference.h"

namespace comity {
namespace {

using ot::Block;
using ot::Kernel;
using testing::FailsWith;
using testing::OtSession;
namespace reference = testing::reference;

static_assert(!std::is_copy_constructible_v<ot::SoftSpokenHolder>);
static_assert(!std::is_copy_constructible_v<ot::SoftSpokenRequester>);

std::string Hex(const Block& block) {
  return EncodeHex(ot::Octets(block));
}

std::array<reference::OctetBlock, 32> RootsOf(std::uint64_t seed) {
  testing::SeededRandom random(seed + 2);  // as OpenOtSession
  std::array<reference::OctetBlock, 32> roots;
  for (auto& root : roots) random.Fill(root);
  return roots;
}

struct KernelPair {
  Kernel holder;
  Kernel requester;
};
class SoftSpoken : public ::testing::TestWithParam<KernelPair> {};
INSTANTIATE_TEST_SUITE_P(All, SoftSpoken,
                         ::testing::Values(KernelPair{Kernel::kPortable, Kernel::kPortable},
                                           KernelPair{ot::FastestKernel(), ot::FastestKernel()},
                                           KernelPair{Kernel::kPortable, ot::FastestKernel()}),
                         [](const auto& param) { return "Pair" + std::to_string(param.index); });

TEST_P(SoftSpoken, EveryRowDiffersByChoiceTimesDelta) {
  OtSession session = testing::OpenOtSession(10, GetParam().holder, GetParam().requester);
  for (const std::size_t count : {128UL, 1536UL, 3968UL}) {
    const auto pair = testing::RunBatch(session, count);
    const Block delta = pair.requester.delta.Expose()[0];
    ASSERT_EQ(pair.holder.rows.size(), count);
    ASSERT_EQ(pair.requester.rows.size(), count);
    std::size_t ones = 0;
    for (std::size_t t = 0; t < count; ++t) {
      const std::uint64_t choice = ot::BitOf(pair.holder.choices.Expose()[t / 128], t % 128);
      ones += choice;
      const Block expected = pair.holder.rows.Expose()[t] ^ (delta & ot::BlockMaskOf(choice));
      ASSERT_EQ(Hex(pair.requester.rows.Expose()[t]), Hex(expected)) << t;
    }
    // Fair bits: six standard deviations are 3 sqrt(count).
    EXPECT_NEAR(static_cast<double>(ones), static_cast<double>(count) / 2,
                3 * std::sqrt(static_cast<double>(count)));
  }
}

TEST_P(SoftSpoken, EqualsTheReferenceBitForBit) {
  const std::uint64_t seed = 20;
  OtSession session = testing::OpenOtSession(seed, GetParam().holder, GetParam().requester);
  const auto leaves = reference::LeavesOf(session.sid, RootsOf(seed));
  const auto missing =
      reference::MissingLeaves(testing::DealBaseKeys(seed).receiver.choices.Expose());
  const auto context =
      ot::MakeBatchContext(session.sid, session.base_transcript, session.holder.tree_message());
  std::uint64_t next_ot = 0;
  for (std::uint64_t batch = 0; batch < 2; ++batch) {
    const std::size_t count = batch == 0 ? 128 : 640;
    const ot::BatchPlace place{batch, next_ot, count / 128 + 1};
    next_ot += place.ots();
    const auto side = reference::ExpandHolder(leaves, place);
    const auto pair = testing::RunBatch(session, count);
    ASSERT_EQ(EncodeHex(pair.message), EncodeHex(reference::Message(context, place, side, {})));

    auto w = reference::ExpandRequester(leaves, missing, place);
    EXPECT_EQ(pair.holder.first_ot, place.first_ot);
    EXPECT_EQ(pair.requester.first_ot, place.first_ot);
    for (std::size_t t = 0; t < count; ++t) {
      for (std::size_t j = 0; j < 128; ++j) {
        const int correction = side.u[j / 4][t] ^ side.u[0][t];
        w[j][t] ^= static_cast<std::uint8_t>((missing[j / 4] >> (j % 4) & 1) != 0 ? correction : 0);
      }
      ASSERT_EQ(Hex(pair.holder.rows.Expose()[t]), EncodeHex(reference::Row(side.v, t)));
      ASSERT_EQ(Hex(pair.requester.rows.Expose()[t]), EncodeHex(reference::Row(w, t)));
      ASSERT_EQ(ot::BitOf(pair.holder.choices.Expose()[t / 128], t % 128), side.u[0][t]);
    }
  }
}

TEST(SoftSpokenTrees, TheRequesterHasAllLeavesButTheMissingOnes) {
  auto dealt = testing::DealBaseKeys(30);
  testing::SeededRandom random(32);
  const Digest sid = testing::SeededDigest(33);
  const auto full = ot::MakeTrees(sid, dealt.sender, random);
  const auto punctured = ot::OpenTrees(sid, dealt.receiver, full.message).value();
  const auto missing = reference::MissingLeaves(dealt.receiver.choices.Expose());
  const auto leaves = reference::LeavesOf(sid, RootsOf(30));
  for (std::size_t r = 0; r < ot::kTreeCount; ++r) {
    for (std::size_t x = 0; x < ot::kLeafCount; ++x) {
      const Block key = full.leaf_keys.Expose()[16 * r + x];
      EXPECT_EQ(Hex(key), EncodeHex(leaves[r][x]));
      const Block theirs = punctured.leaf_keys.Expose()[16 * r + (x ^ missing[r])];
      EXPECT_EQ(Hex(theirs), x == missing[r] ? std::string(32, '0') : Hex(key));
    }
    for (std::size_t b = 0; b < 4; ++b) {
      EXPECT_EQ(ot::BitOf(punctured.delta.Expose()[0], 4 * r + b), missing[r] >> b & 1);
    }
  }
}

TEST(SoftSpokenBatch, TheMessageHasTheSizeOnTheLabel) {
  OtSession session = testing::OpenOtSession(40);
  constexpr std::size_t kPads = 16384;
  const Bytes message = session.holder.Begin(kPads * ot::kOtsAPad).value();
  // 31/8 octets an OT, six OTs a pad; the mask, the header and the check are below 0.1 octets.
  EXPECT_NEAR(static_cast<double>(message.size()) / kPads, 23.25, 0.1);
  EXPECT_EQ(message.size(), ot::BatchMessageSize(kPads * ot::kOtsAPad / 128 + 1));
}

TEST(SoftSpokenBatch, NumbersRunOnOverBatchesAlsoOverAbandonedOnes) {
  OtSession session = testing::OpenOtSession(41);
  const auto first = testing::RunBatch(session, 256);
  EXPECT_EQ(first.holder.first_ot, 0U);
  const auto second = testing::RunBatch(session, 128);
  EXPECT_EQ(second.holder.first_ot, 384U);
  const auto third = testing::RunBatch(session, 128);
  EXPECT_EQ(third.requester.first_ot, 640U);
}

TEST(SoftSpokenBatch, StripsFollowOneAnotherAndThenEnd) {
  OtSession session = testing::OpenOtSession(43);
  constexpr std::size_t kCount = 2 * ot::kRowsAStrip + 128;
  ASSERT_THAT(session.holder.Begin(kCount), testing::IsOk());
  ot::HolderRows rows;
  std::uint64_t next = 0;
  for (const std::size_t size : {ot::kRowsAStrip, ot::kRowsAStrip, std::size_t{128}}) {
    EXPECT_THAT(session.holder.Read(rows), testing::IsOkAnd(true));
    EXPECT_EQ(rows.first_ot, next);
    EXPECT_EQ(rows.rows.size(), size);
    EXPECT_EQ(rows.choices.size(), size / 128);
    next += size;
  }
  EXPECT_THAT(session.holder.Read(rows), testing::IsOkAnd(false));
  EXPECT_TRUE(rows.rows.empty());
  EXPECT_THAT(session.holder.Read(rows), FailsWith(ErrorCode::kConflict));
}

TEST(SoftSpokenBatch, AnImpossibleCountIsRefusedAndHurtsNothing) {
  OtSession session = testing::OpenOtSession(42);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{127},
                                  std::size_t{129}, ot::kMaxOtsABatch + 128, ~std::size_t{0}}) {
    EXPECT_THAT(session.holder.Begin(count), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(session.requester.Begin(count), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_EQ(testing::RunBatch(session, 128).holder.first_ot, 0U);
}

TEST(SoftSpokenBatch, ASessionEndsBeforeItsOtNumbersDo) {
  ot::BatchCounter counter;
  std::uint64_t batches = 0;
  auto place = counter.Next(ot::kMaxOtsABatch);
  for (; place; place = counter.Next(ot::kMaxOtsABatch)) {
    EXPECT_EQ(place->first_ot, batches * (ot::kMaxOtsABatch + 128));
    EXPECT_LE(place->first_ot + place->ots(), ot::kMaxOtNumbers);
    ++batches;
  }
  EXPECT_THAT(place, FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(batches, ot::kMaxOtNumbers / (ot::kMaxOtsABatch + 128));
}

std::string FingerprintOf(ByteView octets) {
  return EncodeHex(hash::Blake2b256({octets}).view());
}
nlohmann::json Summary(ByteView octets) {
  return {{"size", octets.size()},
          {"first", EncodeHex(octets.first(16))},
          {"last", EncodeHex(octets.last(16))},
          {"blake2b256", FingerprintOf(octets)}};
}

TEST(SoftSpokenBatch, AFixedSessionIsTheRecordedOne) {
  OtSession session = testing::OpenOtSession(50);
  nlohmann::json actual = {
      {"sid", EncodeHex(session.sid.view())},
      {"base_transcript", EncodeHex(session.base_transcript.view())},
      {"tree_message", Summary(session.holder.tree_message())},
  };
  auto pair = testing::RunBatch(session, 1536);
  actual["delta"] = Hex(pair.requester.delta.Expose()[0]);
  const ByteView message = pair.message;
  actual["header"] = EncodeHex(message.first(ot::kBatchHeaderSize));
  actual["corrections"] = Summary(message.subspan(
      ot::kBatchHeaderSize, message.size() - ot::kBatchHeaderSize - ot::kBatchCheckSize));
  actual["check"] = EncodeHex(message.last(ot::kBatchCheckSize));
  actual["V"] = Summary(ot::AsOctets(pair.holder.rows.Expose()));
  actual["u"] = Summary(ot::AsOctets(pair.holder.choices.Expose()));
  actual["W"] = Summary(ot::AsOctets(pair.requester.rows.Expose()));
  const Block hash_key = ot::PadHashKey(session.sid, session.base_transcript);
  actual["hash_key"] = Hex(hash_key);
  ot::RequesterPadPool requester(hash_key, ot::FastestKernel());
  ot::HolderPadPool holder(hash_key, ot::FastestKernel());
  requester.Add(pair.requester);
  holder.Add(pair.holder);
  std::vector<std::uint64_t> pads(256);
  std::move(*requester.Take(256)).Cover(testing::WritableOctets(pads));
  Bytes offsets(256), zeros(256);
  const SecretBytes bits =
      std::move(*holder.Take(256)).Offsets(zeros, offsets).Open(Bytes(8 * 256));
  actual["pads"] = Summary({reinterpret_cast<const std::uint8_t*>(pads.data()), 8 * pads.size()});
  actual["minus_sigma"] = Summary(offsets);
  actual["bits"] = Summary(bits.Expose());
  nlohmann::json recorded = testing::ReadJsonVector("sealed/softspoken.json");
  recorded.erase("about");
  EXPECT_EQ(actual, recorded) << actual.dump(2);
}

}  // namespace
}  // namespace comity
