// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <type_traits>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/ot/pads.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/ot/ot_session.h"
#include "tests/unit/crypto/ot/reference.h"

namespace comity {
namespace {

using ot::Kernel;
using testing::FailsWith;
using testing::WritableOctets;
namespace reference = testing::reference;

// A pad cannot be kept by copying what holds it, nor put back.
template <typename T>
constexpr bool kMoveOnly = std::is_move_constructible_v<T> && !std::is_copy_constructible_v<T> &&
                           !std::is_copy_assignable_v<T> && !std::is_move_assignable_v<T>;
static_assert(kMoveOnly<ot::RequesterPads> && kMoveOnly<ot::HolderPads>);
static_assert(kMoveOnly<ot::HolderOpenings>);
static_assert(kMoveOnly<ot::RequesterPadPool> && kMoveOnly<ot::HolderPadPool>);
// Using pads takes them by value: it does not compile on something that keeps a name.
template <typename T>
constexpr bool kKeptAfterUse = requires(T& pads, Bytes octets) { pads.Cover(octets); } ||
                               requires(T& pads, Bytes octets) { pads.Offsets(octets, octets); } ||
                               requires(T& pads, Bytes octets) { pads.Open(octets); };
static_assert(!kKeptAfterUse<ot::RequesterPads> && !kKeptAfterUse<ot::HolderPads>);
static_assert(!kKeptAfterUse<ot::HolderOpenings>);

struct Pools {
  testing::OtSession session;
  ot::RequesterPadPool requester;
  ot::HolderPadPool holder;
};
Pools MakePools(std::uint64_t seed, Kernel kernel = ot::FastestKernel()) {
  testing::OtSession session = testing::OpenOtSession(seed);
  const ot::Block key = ot::PadHashKey(session.sid, session.base_transcript);
  return {std::move(session), ot::RequesterPadPool(key, kernel), ot::HolderPadPool(key, kernel)};
}
testing::BatchPair Refill(Pools& pools, std::size_t pads) {
  auto pair = testing::RunBatch(pools.session, (pads * ot::kOtsAPad + 127) / 128 * 128);
  pools.requester.Add(pair.requester);
  pools.holder.Add(pair.holder);
  return pair;
}

struct OpenPads {
  std::vector<std::uint64_t> pads;
  Bytes sigma;
  SecretBytes bits;
};
// What an honest caller never sees side by side.
OpenPads TakeAll(Pools& pools, std::size_t count) {
  OpenPads open{std::vector<std::uint64_t>(count), Bytes(count), SecretBytes()};
  std::move(*pools.requester.Take(count)).Cover(WritableOctets(open.pads));
  auto openings = std::move(*pools.holder.Take(count)).Offsets(Bytes(count), open.sigma);
  for (auto& sigma : open.sigma) sigma = static_cast<std::uint8_t>((64 - sigma) % 64);
  open.bits = std::move(openings).Open(Bytes(8 * count));
  return open;
}

class OtPads : public ::testing::TestWithParam<Kernel> {};
INSTANTIATE_TEST_SUITE_P(All, OtPads, ::testing::Values(Kernel::kPortable, ot::FastestKernel()),
                         [](const auto& param) { return "Kernel" + std::to_string(param.index); });

TEST_P(OtPads, EqualTheReferenceBitForBit) {
  Pools pools = MakePools(200, GetParam());
  Refill(pools, 21);  // so that the OT numbers of the next batch do not begin at 0
  TakeAll(pools, 21);
  const auto pair = Refill(pools, 106);  // 640 OTs, four of them left over
  ASSERT_EQ(pools.requester.size(), 106U);
  ASSERT_EQ(pools.holder.size(), 106U);
  const auto key = ot::Octets(ot::PadHashKey(pools.session.sid, pools.session.base_transcript));
  const ot::Block delta = pair.requester.delta.Expose()[0];
  const OpenPads open = TakeAll(pools, 106);
  for (std::size_t i = 0; i < 106; ++i) {
    std::uint64_t pad = 0;
    std::size_t sigma = 0;
    for (std::size_t v = 0; v < 64; ++v) {
      std::uint64_t bit = 0;
      for (std::size_t j = 0; j < 6; ++j) {
        const ot::Block row = pair.requester.rows.Expose()[6 * i + j];
        const ot::Block chosen = (v >> j & 1) != 0 ? row ^ delta : row;
        bit ^=
            reference::PadHash(key, pair.requester.first_ot + 6 * i + j, ot::Octets(chosen)) >> v &
            1;
      }
      pad |= bit << v;
    }
    for (std::size_t j = 0; j < 6; ++j) {
      const std::size_t t = 6 * i + j;
      sigma |= static_cast<std::size_t>(ot::BitOf(pair.holder.choices.Expose()[t / 128], t % 128))
               << j;
    }
    ASSERT_EQ(open.pads[i], pad) << i;
    ASSERT_EQ(open.sigma[i], sigma) << i;
    ASSERT_EQ(open.bits.Expose()[i], pad >> sigma & 1) << i;
  }
}

TEST_P(OtPads, AgreeAtSigmaAndAreUnrelatedElsewhere) {
  constexpr std::size_t kPads = 4096;
  Pools pools = MakePools(201, GetParam());
  Refill(pools, kPads);
  const OpenPads open = TakeAll(pools, kPads);
  // How often bit sigma + distance of the pad equals the holder's bit.
  std::array<std::size_t, 64> equal{};
  std::array<std::size_t, 64> sigmas{};
  for (std::size_t i = 0; i < kPads; ++i) {
    ++sigmas[open.sigma[i]];
    for (std::size_t distance = 0; distance < 64; ++distance) {
      const std::size_t v = (open.sigma[i] + distance) % 64;
      equal[distance] += (open.pads[i] >> v & 1) == open.bits.Expose()[i] ? 1U : 0U;
    }
  }
  EXPECT_EQ(equal[0], kPads);
  // Standard deviation 32. Five of them: false alarm 63 * 6e-7; an advantage of 0.06 at any
  // distance (agreement 0.56) is found with probability above 0.99.
  for (std::size_t distance = 1; distance < 64; ++distance) {
    EXPECT_NEAR(static_cast<double>(equal[distance]), kPads / 2.0, 5 * 32.0) << distance;
  }
  for (const std::size_t count : sigmas) EXPECT_NEAR(static_cast<double>(count), 64.0, 6 * 8.0);
}

TEST(OtPads, TheBitsOfAPadAreUnrelatedToOneAnother) {
  constexpr std::size_t kPads = 4096;
  Pools pools = MakePools(202);
  Refill(pools, kPads);
  const OpenPads open = TakeAll(pools, kPads);
  // Within a pad, every bit against the bit `distance` further on: 64 * 4,096 pairs, standard
  // deviation 256; five of them: false alarm 63 * 6e-7.
  for (int distance = 1; distance < 64; ++distance) {
    std::size_t equal = 0;
    for (const std::uint64_t pad : open.pads) {
      equal += static_cast<std::size_t>(std::popcount(~(pad ^ std::rotr(pad, distance))));
    }
    EXPECT_NEAR(static_cast<double>(equal), 64 * kPads / 2.0, 5 * 256.0) << distance;
  }
}

TEST(OtPads, TheHolderReadsItsPositionOfTheTableAndNoOther) {
  constexpr std::size_t kPads = 512;
  Pools pools = MakePools(203);
  Refill(pools, kPads);
  testing::SeededRandom random(204);
  Bytes positions(kPads), offsets(kPads);
  random.Fill(positions);
  for (auto& position : positions) position %= 64;
  std::vector<std::uint64_t> tables(kPads), covered(kPads);
  random.Fill({reinterpret_cast<std::uint8_t*>(tables.data()), 8 * kPads});
  auto openings = std::move(*pools.holder.Take(kPads)).Offsets(positions, offsets);
  for (std::size_t i = 0; i < kPads; ++i) covered[i] = std::rotr(tables[i], offsets[i]);
  std::move(*pools.requester.Take(kPads)).Cover(WritableOctets(covered));
  const SecretBytes bits = std::move(openings).Open(WritableOctets(covered));
  for (std::size_t i = 0; i < kPads; ++i) {
    EXPECT_EQ(bits.Expose()[i], tables[i] >> positions[i] & 1);
  }
}

TEST(OtPads, EveryPadComesOutOnceAndInStep) {
  Pools pools = MakePools(205);
  Refill(pools, 64);
  Refill(pools, 64);
  std::vector<std::uint64_t> seen;
  std::uint64_t next = 0;
  for (const std::size_t count : {10UL, 60UL, 58UL}) {
    auto ours = pools.holder.Take(count);
    auto theirs = pools.requester.Take(count);
    EXPECT_EQ(ours->numbers().first_pad, next);
    EXPECT_EQ(theirs->numbers().first_pad, next);
    EXPECT_EQ(theirs->numbers().first_ot, ours->numbers().first_ot);
    // The second batch begins behind the first one's 384 OTs and the mask.
    EXPECT_EQ(ours->numbers().first_ot, next < 64 ? 6 * next : 512 + 6 * (next - 64));
    std::vector<std::uint64_t> pads(count);
    std::move(*theirs).Cover(WritableOctets(pads));
    seen.insert(seen.end(), pads.begin(), pads.end());
    next += count;
  }
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(OtPads, APoolThatLacksPadsGivesNone) {
  Pools pools = MakePools(206);
  EXPECT_THAT(pools.requester.Take(1), FailsWith(ErrorCode::kExhausted));
  Refill(pools, 64);
  EXPECT_THAT(pools.requester.Take(65), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(pools.holder.Take(65), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(pools.holder.Take(0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(pools.requester.size(), 64U);
  EXPECT_THAT(pools.requester.Take(64), testing::IsOk());
  EXPECT_THAT(pools.requester.Take(1), FailsWith(ErrorCode::kExhausted));
}

TEST(OtPads, TakenPadsThatAreDroppedDoNotComeBack) {
  Pools pools = MakePools(207);
  Refill(pools, 64);
  {
    const auto dropped = pools.requester.Take(40);
  }
  EXPECT_EQ(pools.requester.size(), 24U);
  EXPECT_EQ(pools.requester.Take(1)->numbers().first_pad, 40U);
}

using OtPadsDeathTest = ::testing::Test;

TEST(OtPadsDeathTest, ABatchAddedTwiceEndsTheProcess) {
  Pools pools = MakePools(208);
  const auto pair = Refill(pools, 64);
  EXPECT_DEATH(pools.requester.Add(pair.requester), "invariant broken");
  EXPECT_DEATH(pools.holder.Add(pair.holder), "invariant broken");
}

TEST(OtPadsDeathTest, PadsThatWereUsedEndTheProcess) {
  Pools pools = MakePools(209);
  Refill(pools, 64);
  auto pads = pools.requester.Take(2);
  std::vector<std::uint64_t> tables(2);
  std::move(*pads).Cover(WritableOctets(tables));
  EXPECT_DEATH(std::move(*pads).Cover(WritableOctets(tables)), "invariant broken");
  auto ours = pools.holder.Take(2);
  Bytes offsets(2);
  auto openings = std::move(*ours).Offsets(Bytes(2), offsets);
  EXPECT_DEATH(std::move(*ours).Offsets(Bytes(2), offsets), "invariant broken");
  std::move(openings).Open(WritableOctets(tables));
  EXPECT_DEATH(std::move(openings).Open(WritableOctets(tables)), "invariant broken");
}

TEST(OtPads, TheHashKeyIsThatOfTheSessionAndItsBaseOts) {
  const Digest a = testing::SeededDigest(1), b = testing::SeededDigest(2);
  const auto hex = [](const ot::Block& key) { return EncodeHex(ot::Octets(key)); };
  EXPECT_NE(hex(ot::PadHashKey(a, b)), hex(ot::PadHashKey(b, a)));
  EXPECT_NE(hex(ot::PadHashKey(a, b)), hex(ot::PadHashKey(a, a)));
}

}  // namespace
}  // namespace comity
