// SPDX-License-Identifier: Apache-2.0
// Whether the clock sees a secret: for the AVX-512 kernels, which valgrind cannot run, and for
// sealing, blinding and opening on them. What it prints says how small a leak it would have found.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/ot/bit_transpose.h"
#include "crypto/ot/column_hash.h"
#include "crypto/ot/leaf_expansion.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/row_hash.h"
#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"
#include "tests/constant_time/welch.h"
#include "tests/unit/crypto/ot/seeded_random.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::constant_time {
namespace {

using ot::Block;
using sealed::Element;
using sealed::PublicMatrix;
using sealed::testing::Faces;
using sealed::testing::PublicSeed;
using sealed::testing::SampleIdentity;

constexpr std::size_t kDimension = 512;
constexpr std::size_t kDraws = 64;  // secrets of the random class

// The secret that runs read, and the values it takes in turn. For both classes the same memory is
// read, the fixed value and a random one, and the same is written: of two buffers one is always a
// little nearer than the other, which the clock sees as well.
template <typename T>
class Secret {
 public:
  // In: draws  the first is the fixed one
  explicit Secret(std::vector<std::vector<T>> draws)
      : draws_(std::move(draws)), current(draws_[0]) {}
  void Take(bool fixed) {
    next_ = next_ % (draws_.size() - 1) + 1;
    const T mask = static_cast<T>(-static_cast<int>(fixed));
    const std::vector<T>& random = draws_[next_];
    for (std::size_t i = 0; i < current.size(); ++i) {
      current[i] = static_cast<T>((draws_[0][i] & mask) | (random[i] & ~mask));
    }
  }

 private:
  std::vector<std::vector<T>> draws_;
  std::size_t next_ = 0;

 public:
  std::vector<T> current;
};

Secret<std::int8_t> SecretTemplates(std::size_t count) {
  Faces faces(kDimension, 1);
  std::vector<std::vector<std::int8_t>> draws;
  for (std::size_t i = 0; i < kDraws; ++i) draws.push_back(faces.Templates(count));
  return Secret(std::move(draws));
}

// The first is all zeros, or all ones of `mask`.
template <typename T>
Secret<T> SecretWords(std::size_t count, T mask, bool ones = false) {
  std::mt19937_64 generator(1);
  std::vector<std::vector<T>> draws{std::vector<T>(count, ones ? mask : T{0})};
  while (draws.size() < kDraws) {
    std::vector<T> draw(count);
    for (T& word : draw) word = static_cast<T>(static_cast<T>(generator()) & mask);
    draws.push_back(std::move(draw));
  }
  return Secret<T>(std::move(draws));
}

// Two words a block.
void CopyBlocks(const std::vector<std::uint64_t>& words, std::vector<Block>& blocks) {
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = {words[2 * i], words[2 * i + 1]};
}

class Timing : public ::testing::Test {
 protected:
  static void ExpectNoLeak(const Timed& timed, std::size_t measurements) {
    const std::string_view name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    Verdict verdict = Measure(timed, measurements);
    Print(name, verdict);
    // A chance of 10^-4 over all cuts and tests is worth a second look; a leak is there again.
    if (verdict.leaks()) {
      verdict = Measure(timed, 2 * measurements);
      Print(name, verdict);
    }
    EXPECT_FALSE(verdict.leaks());
  }
};

class FastestKernels : public Timing {
 protected:
  void SetUp() override {
    if (sealed::FastestKernel() != sealed::Kernel::kAvx512Vnni ||
        ot::FastestKernel() != ot::Kernel::kAvx512) {
      std::puts("this machine has no AVX-512: its fastest kernels are measured");
    }
  }
  static std::vector<Block> Blocks(const std::vector<std::uint64_t>& words) {
    std::vector<Block> blocks(words.size() / 2);
    CopyBlocks(words, blocks);
    return blocks;
  }
};

TEST_F(FastestKernels, Score) {
  const PublicMatrix matrix = *PublicMatrix::Expand(PublicSeed(), kDimension);
  for (const std::size_t probes : {std::size_t{1}, std::size_t{8}}) {
    auto q = SecretTemplates(probes);
    std::vector<Element> scores(probes);
    ExpectNoLeak(
        {.prepare = [&](bool fixed) { q.Take(fixed); },
         .run =
             [&] { sealed::Score(matrix.elements(), q.current, sealed::FastestKernel(), scores); }},
        20'000 / probes);
  }
}

TEST_F(FastestKernels, RowHash) {
  auto rows = SecretWords<std::uint64_t>(2 * 384, ~std::uint64_t{0});
  ot::RowHash hash(Block{1, 2}, ot::FastestKernel());
  std::vector<Block> blocks(384);
  std::vector<std::uint64_t> out(384);
  ExpectNoLeak({.prepare =
                    [&](bool fixed) {
                      rows.Take(fixed);
                      CopyBlocks(rows.current, blocks);
                    },
                .run = [&] { hash.Hash(0, blocks, blocks[0], out); }},
               200'000);
}

// Both the leaf keys and the bits of Delta, which say where the correction goes.
TEST_F(FastestKernels, LeafExpansion) {
  auto keys = SecretWords<std::uint64_t>(2 * ot::kLeafCount + 1, ~std::uint64_t{0});
  constexpr std::size_t kBlocks = 64;
  std::vector<Block> planes(ot::kTreeDepth * kBlocks);
  const Bytes correction(kBlocks * Block::kSize, 0x5a);
  std::optional<ot::LeafExpansion> expansion;
  ExpectNoLeak({.prepare =
                    [&](bool fixed) {
                      keys.Take(fixed);
                      expansion.emplace(Blocks(keys.current), ot::FastestKernel());
                    },
                .run =
                    [&] {
                      expansion->Expand(0, {.correction = correction,
                                            .correction_planes = keys.current.back() & 15,
                                            .planes = planes.data(),
                                            .stride = kBlocks,
                                            .count = kBlocks});
                    }},
               100'000);
}

TEST_F(FastestKernels, Transpose) {
  constexpr std::size_t kBlocks = 12;
  auto words = SecretWords<std::uint64_t>(2 * 128 * kBlocks, ~std::uint64_t{0});
  std::vector<Block> columns(128 * kBlocks);
  std::vector<Block> rows(128 * kBlocks);
  ExpectNoLeak({.prepare =
                    [&](bool fixed) {
                      words.Take(fixed);
                      CopyBlocks(words.current, columns);
                    },
                .run =
                    [&] {
                      ot::TransposeColumns(
                          {.columns = columns.data(), .stride = kBlocks, .count = kBlocks},
                          ot::FastestKernel(), rows);
                    }},
               100'000);
}

TEST_F(FastestKernels, ColumnHash) {
  auto words = SecretWords<std::uint64_t>(2 * 257, ~std::uint64_t{0});
  std::vector<Block> column(257);
  const std::vector<Block> coefficients(256, Block{0x1234567, 0x89abcdef});
  Block sum;
  ExpectNoLeak({.prepare =
                    [&](bool fixed) {
                      words.Take(fixed);
                      CopyBlocks(words.current, column);
                    },
                .run = [&] { sum ^= ot::HashColumn(column, coefficients, ot::FastestKernel()); }},
               200'000);
}

TEST_F(FastestKernels, Blind) {
  const PublicMatrix matrix = *PublicMatrix::Expand(PublicSeed(), kDimension);
  auto q = SecretTemplates(1);
  const Bytes seed(32, 7);  // how many octets of it are skipped is public (expand.h)
  std::array<std::uint8_t, 1> sink{};
  ExpectNoLeak({.prepare = [&](bool fixed) { q.Take(fixed); },
                .run =
                    [&] {
                      const auto probe = sealed::Probe::Blind(
                          matrix, q.current, SecretBytes::CopyOf(seed), sealed::FastestKernel());
                      sink[0] ^= probe->message()[0];
                    }},
               20'000);
}

// Entries change the root's key through its hash, hence what is skipped of the secret: the same
// entries under the same root have the same time, others a public difference. So each class seals
// under keys whose expansion skips whatever it skips, and the noise of that is in both.
TEST_F(Timing, Seal) {
  constexpr std::size_t kSmall = 128;
  const auto profile = *sealed::Profile::Create({.dimension = kSmall});
  const auto matrix = *sealed::SealingMatrix::Expand(PublicSeed(), kSmall);
  Faces faces(kSmall, 1);
  std::vector<std::vector<std::int8_t>> draws;
  for (std::size_t i = 0; i < kDraws; ++i) draws.push_back(faces.Templates(16));
  Secret entries(std::move(draws));
  testing::SeededRandom random(3);
  std::uint32_t sink = 0;
  ExpectNoLeak({.prepare = [&](bool fixed) { entries.Take(fixed); },
                .run =
                    [&] {
                      const auto sealed =
                          sealed::Seal(profile, matrix, SampleIdentity(), entries.current, random);
                      sink ^= sealed->block.p[0];
                    }},
               2'000);
}

// The ring product of the holder's share: the same function with the block's secret and the probe
// as its two operands.
TEST_F(Timing, RingProduct) {
  auto words = SecretWords<std::uint8_t>(1024, 255);
  std::vector<std::int8_t> ternary(1024);
  const PublicMatrix matrix = *PublicMatrix::Expand(PublicSeed(), 128);
  sealed::Transformed transformed;
  Element out;
  ExpectNoLeak({.prepare =
                    [&](bool fixed) {
                      words.Take(fixed);
                      for (std::size_t i = 0; i < 1024; ++i) {
                        ternary[i] = static_cast<std::int8_t>(words.current[i] % 3 - 1);
                      }
                    },
                .run =
                    [&] {
                      sealed::TransformTernary(std::span<const std::int8_t, 1024>(ternary),
                                               transformed);
                      sealed::MultiplyTransformed(matrix.first(), transformed, out);
                    }},
               40'000);
}

TEST_F(Timing, FoldOfTheSketch) {
  const auto slots = *sealed::SlotSet::Create(std::vector<std::uint32_t>{1024}, {});
  const auto table = *sealed::SketchTable::Create(slots, 5);
  auto bits = SecretWords<std::uint8_t>(1024, 1);
  std::uint32_t sink = 0;
  ExpectNoLeak({.prepare = [&](bool fixed) { bits.Take(fixed); },
                .run = [&] { sink ^= table.Fold(bits.current).sums[0]; }},
               100'000);
}

// The bits that the holder opens, and the tables that the requester covers.
TEST_F(Timing, TablesOfBothSides) {
  constexpr std::size_t kSlots = 1024;
  auto shares = SecretWords<std::uint32_t>(kSlots, sealed::kModulusMask);
  auto masks = SecretWords<std::uint8_t>(kSlots, 1, true);
  constexpr std::size_t kOts = 6 * kSlots;
  ot::HolderRows ours{
      .first_ot = 0, .rows = ot::SecretBlocks(kOts), .choices = ot::SecretBlocks(kOts / 128)};
  ot::RequesterRows theirs{
      .first_ot = 0, .rows = ot::SecretBlocks(kOts), .delta = ot::SecretBlocks(1)};
  std::optional<ot::HolderPads> holder_pads;
  std::optional<ot::RequesterPads> requester_pads;
  std::uint8_t sink = 0;
  ExpectNoLeak(
      {.prepare =
           [&](bool fixed) {
             shares.Take(fixed);
             masks.Take(fixed);
             ot::HolderPadPool holder({}, ot::FastestKernel());
             ot::RequesterPadPool requester({}, ot::FastestKernel());
             holder.Add(ours);
             requester.Add(theirs);
             holder_pads.emplace(*holder.Take(kSlots));
             requester_pads.emplace(*requester.Take(kSlots));
           },
       .run =
           [&] {
             auto told = sealed::TellOffsets(shares.current, std::move(*holder_pads));
             const auto tables = sealed::CoverTables(
                 {.threshold = 1'000'000, .scores = shares.current, .masks = masks.current},
                 told.message, std::move(*requester_pads));
             const auto bits =
                 sealed::OpenTables(shares.current, std::move(told.openings), *tables);
             sink ^= bits->Expose()[0];
           }},
      20'000);
}

// Both classes have one value: what the clock tells apart is the measuring itself.
TEST_F(Timing, MeasuringItself) {
  Secret<std::uint64_t> same(
      std::vector<std::vector<std::uint64_t>>(kDraws, std::vector<std::uint64_t>(3072, 7)));
  std::uint64_t sink = 0;
  ExpectNoLeak({.prepare = [&](bool fixed) { same.Take(fixed); },
                .run =
                    [&] {
                      for (const std::uint64_t word : same.current) sink ^= word;
                    }},
               100'000);
}

// What must be found, or the tests above say nothing.
class PlantedTimingLeak : public Timing {};

void Keep(std::uint32_t& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

TEST_F(PlantedTimingLeak, ScoreThatLeavesOutZeros) {
  auto q = SecretTemplates(1);
  std::uint32_t sum = 0;
  const Verdict verdict = Measure({.prepare = [&](bool fixed) { q.Take(fixed); },
                                   .run =
                                       [&] {
                                         for (const std::int8_t x : q.current) {
                                           if (x < 0) Keep(sum);
                                         }
                                       }},
                                  40'000);
  Print("planted: score by sign", verdict);
  EXPECT_TRUE(verdict.leaks());
}

TEST_F(PlantedTimingLeak, FoldThatLeavesOutZeros) {
  auto bits = SecretWords<std::uint8_t>(1024, 1);
  std::uint32_t sum = 0;
  const Verdict verdict = Measure({.prepare = [&](bool fixed) { bits.Take(fixed); },
                                   .run =
                                       [&] {
                                         for (const std::uint8_t bit : bits.current) {
                                           if (bit != 0) Keep(sum);
                                         }
                                       }},
                                  40'000);
  Print("planted: fold of ones", verdict);
  EXPECT_TRUE(verdict.leaks());
}

// One hundredth more: about what the longest operations above can find.
TEST_F(PlantedTimingLeak, OneStepMoreInAHundred) {
  auto bits = SecretWords<std::uint8_t>(1, 1);
  std::uint32_t sum = 0;
  const Verdict verdict = Measure({.prepare = [&](bool fixed) { bits.Take(fixed); },
                                   .run =
                                       [&] {
                                         const unsigned steps = 1000 + 10U * bits.current[0];
                                         for (unsigned i = 0; i < steps; ++i) Keep(sum);
                                       }},
                                  100'000);
  Print("planted: one step in 100", verdict);
  EXPECT_TRUE(verdict.leaks());
}

}  // namespace
}  // namespace comity::constant_time
