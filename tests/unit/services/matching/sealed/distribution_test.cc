// SPDX-License-Identifier: Apache-2.0
// What either side is sent looks the same whether the probe hits or is a stranger's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/unit/services/matching/sealed/session.h"

namespace comity::matching {
namespace {

using sealed::testing::Faces;
using testing::SampleList;
using testing::Session;
using testing::Template;

constexpr std::uint32_t kCap = 5;
constexpr std::size_t kSlots = 64;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kBatches = 8;
constexpr std::size_t kProbes = kBatch * kBatches;  // of each class
constexpr std::size_t kSketchBits = 20 * (kCap + 2);
constexpr std::uint32_t kHitSlot = 3;  // its position as well as its number, less 1

// A limit of chi-square that a true hypothesis passes with a probability above 0.9999.
double Limit(std::size_t freedom) {
  return static_cast<double>(freedom) + 5 * std::sqrt(2.0 * static_cast<double>(freedom));
}

struct Counts {
  explicit Counts(std::size_t size) : bins(size) {}
  void AddOctets(ByteView octets) {
    for (const std::uint8_t octet : octets) bins[octet] += 1;
  }
  // Ones of each bit, least significant of an octet first.
  void AddBits(ByteView octets) {
    for (std::size_t bit = 0; bit < bins.size(); ++bit) bins[bit] += octets[bit / 8] >> bit % 8 & 1;
  }
  double FromUniform() const {
    double total = 0;
    for (const double count : bins) total += count;
    const double expected = total / static_cast<double>(bins.size());
    double distance = 0;
    for (const double count : bins) distance += (count - expected) * (count - expected) / expected;
    return distance;
  }
  std::size_t Occupied() const {
    return static_cast<std::size_t>(std::ranges::count_if(bins, [](double n) { return n > 0; }));
  }
  // For bits: from fair ones, of `probes` messages; those that are never 1 left out.
  double FromFair(double probes) const {
    double distance = 0;
    for (const double ones : bins) {
      if (ones > 0) distance += (ones - probes / 2) * (ones - probes / 2) * 4 / probes;
    }
    return distance;
  }
  std::vector<double> bins;
};

double DistanceOfTwo(const Counts& left, const Counts& right) {
  double distance = 0;
  for (std::size_t i = 0; i < left.bins.size(); ++i) {
    const double off = left.bins[i] - right.bins[i];
    if (off != 0) distance += off * off / (left.bins[i] + right.bins[i]);
  }
  return distance;
}

// All messages of the probes of one class.
struct View {
  void Add(ByteView probe, ByteView told, ByteView covered, ByteView sketch) {
    probes.AddOctets(probe);
    offsets.AddOctets(told);
    tables.AddOctets(covered);
    hit_table.AddBits(covered.subspan(8 * (kHitSlot - 1), 8));
    sketches.AddBits(sketch);
    sizes = {probe.size(), told.size(), covered.size(), sketch.size()};
  }
  Counts probes{256};
  Counts offsets{256};
  Counts tables{256};
  Counts hit_table{64};
  Counts sketches{kSketchBits};
  std::array<std::size_t, 4> sizes{};
};

class Messages : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    SampleList list({.dimension = 128}, 1);
    list.Seal(0, Faces(128, 1).Templates(kSlots));
    Session session(list, kCap);
    const auto entry = list.Entry(kHitSlot);
    const Template listed(entry.begin(), entry.end());
    const Template stranger = Faces(128, 77).Template();
    // In turns, so that nothing that changes with time tells them apart.
    for (std::size_t batch = 0; batch < kBatches; ++batch) {
      Search(session, listed, of_listed_, 1);
      Search(session, stranger, of_stranger_, 0);
    }
  }

  static void Search(Session& session, const Template& q, View& view, std::size_t hits) {
    std::vector<std::size_t> all(kBatch);
    std::iota(all.begin(), all.end(), std::size_t{0});
    auto open = session.Begin(std::vector<Template>(kBatch, q), all);
    for (const std::size_t i : all) {
      const Bytes offsets = *session.holder().Offsets(*open[0].holder_round, i);
      sealed::Sketch masks{.cap = kCap};
      const Bytes tables = *session.requester().Tables(*open[0].begun.round, i, offsets, masks);
      sealed::Sketch bits{.cap = kCap};
      ASSERT_TRUE(session.holder().Open(*open[0].holder_round, i, tables, bits));
      const Bytes sketch = sealed::EncodeSketch(masks);
      const std::array<const SealedHolder::Round*, 1> rounds{open[0].holder_round.get()};
      ASSERT_EQ(DecodeOutcome(bits, sketch, rounds)->hits.size(), hits);
      view.Add(open[0].begun.probes[i], offsets, tables, sketch);
    }
  }

  inline static View of_listed_;
  inline static View of_stranger_;
};

TEST_F(Messages, AreOfOneSize) {
  EXPECT_EQ(of_listed_.sizes, of_stranger_.sizes);
}

// 786,432 octets of each class in 256 bins: bins that are off by 1.6 % from uniform, or by 2.3 %
// from the other class, are found with a probability above 0.99 (non-centrality 196; limit 368).
TEST_F(Messages, BlindedProbesAreUniformForBoth) {
  EXPECT_LT(of_listed_.probes.FromUniform(), Limit(255));
  EXPECT_LT(of_stranger_.probes.FromUniform(), Limit(255));
  EXPECT_LT(DistanceOfTwo(of_listed_.probes, of_stranger_.probes), Limit(256));
}

// 131,072 octets of each class: 4 % from uniform, 5.5 % from the other class.
TEST_F(Messages, TablesAreUniformForBoth) {
  EXPECT_LT(of_listed_.tables.FromUniform(), Limit(255));
  EXPECT_LT(of_stranger_.tables.FromUniform(), Limit(255));
  EXPECT_LT(DistanceOfTwo(of_listed_.tables, of_stranger_.tables), Limit(256));
}

// The 64 bits of the table of the slot that hits, in 256 probes: bits that are off 1/2 by 0.04 are
// found with a probability above 0.99 (non-centrality 105; limit 121).
TEST_F(Messages, TheTableOfTheHitItselfIsFair) {
  EXPECT_LT(of_listed_.hit_table.FromFair(kProbes), Limit(64));
  EXPECT_LT(of_stranger_.hit_table.FromFair(kProbes), Limit(64));
}

// A bit of the sketch is a sum of masks: of no mask, and always 0 (the high bits of S_1 where there
// are few slots), or fair. Of the others, 124 in 256 probes: bits that are off 1/2 by 0.035 are
// found with a probability above 0.99 (non-centrality 155; limit 203).
TEST_F(Messages, SketchesAreFairForBoth) {
  const std::size_t fair = of_listed_.sketches.Occupied();
  EXPECT_GT(fair, 100U);
  EXPECT_EQ(of_stranger_.sketches.Occupied(), fair);
  EXPECT_LT(of_listed_.sketches.FromFair(kProbes), Limit(fair));
  EXPECT_LT(of_stranger_.sketches.FromFair(kProbes), Limit(fair));
}

// 12,288 octets of each class, four offsets in three of them: 13 % from uniform, 18 % from the
// other class.
TEST_F(Messages, OffsetsAreUniformForBoth) {
  EXPECT_LT(of_listed_.offsets.FromUniform(), Limit(255));
  EXPECT_LT(of_stranger_.offsets.FromUniform(), Limit(255));
  EXPECT_LT(DistanceOfTwo(of_listed_.offsets, of_stranger_.offsets), Limit(256));
}

}  // namespace
}  // namespace comity::matching
