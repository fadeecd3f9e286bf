// SPDX-License-Identifier: Apache-2.0
// What either side sees of a search looks the same whatever is searched for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/crypto/sealed/samples.h"

namespace comity::sealed {
namespace {

using testing::Faces;
using testing::OneBlock;
using Histogram = std::vector<double>;

// An upper limit of chi-square that a true hypothesis passes with probability above 0.999.
double Limit(std::size_t bins) {
  const auto freedom = static_cast<double>(bins - 1);
  return freedom + 5 * std::sqrt(2 * freedom);
}

double DistanceFromUniform(const Histogram& counts) {
  double total = 0;
  for (const double count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double distance = 0;
  for (const double count : counts) distance += (count - expected) * (count - expected) / expected;
  return distance;
}

double DistanceOfTwo(const Histogram& left, const Histogram& right) {
  double distance = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    distance += (left[i] - right[i]) * (left[i] - right[i]) / (left[i] + right[i]);
  }
  return distance;
}

class Views : public ::testing::Test {
 protected:
  static constexpr int kProbes = 100;
  const std::vector<std::int8_t> entries_ = Faces(128, 1).Templates(200);
  const std::vector<std::int8_t> listed_{entries_.begin(), entries_.begin() + 128};
  const std::vector<std::int8_t> stranger_ = Faces(128, 77).Template();
  OneBlock block_{{.dimension = 128}, entries_};
};

// 102,400 values in 128 bins: bins that are off by 4 % are found with probability above 0.99
// (non-centrality 164; limit 207).
TEST_F(Views, TheHoldersShareIsUniformForHitsAndStrangersAlike) {
  for (const auto& q : {listed_, stranger_}) {
    Histogram leading(128);
    Histogram middle(128);
    Histogram lowest(128);
    for (int run = 0; run < kProbes; ++run) {
      for (const std::uint32_t t : block_.HolderShare(block_.Blind(q).message())) {
        leading[t >> 17] += 1;
        middle[t >> 10 & 127] += 1;
        lowest[t & 127] += 1;
      }
    }
    EXPECT_LT(DistanceFromUniform(leading), Limit(128));
    EXPECT_LT(DistanceFromUniform(middle), Limit(128));
    EXPECT_LT(DistanceFromUniform(lowest), Limit(128));
  }
}

// The share of the one slot that hits, over 400 probes in 8 bins: 30 % off is found with
// probability above 0.9 (non-centrality 36; limit 26).
TEST_F(Views, TheHoldersShareOfTheHitItselfIsUniform) {
  Histogram leading(8);
  for (int run = 0; run < 400; ++run) {
    leading[block_.HolderShare(block_.Blind(listed_).message())[0] >> 21] += 1;
  }
  EXPECT_LT(DistanceFromUniform(leading), Limit(8));
}

// Two samples of 102,400 coefficients in 64 bins: bins that differ by 5 % are found with
// probability above 0.99 (non-centrality 128; limit 119).
TEST_F(Views, TheBlindedProbeIsTheSameForHitsAndStrangers) {
  Histogram of_listed(64);
  Histogram of_stranger(64);
  for (int run = 0; run < kProbes; ++run) {
    Element c;
    ASSERT_TRUE(ParseElement(block_.Blind(listed_).message(), c));
    for (const std::uint32_t value : c) of_listed[value >> 18] += 1;
    ASSERT_TRUE(ParseElement(block_.Blind(stranger_).message(), c));
    for (const std::uint32_t value : c) of_stranger[value >> 18] += 1;
  }
  EXPECT_LT(DistanceOfTwo(of_listed, of_stranger), Limit(64));
  EXPECT_LT(DistanceFromUniform(of_listed), Limit(64));
  EXPECT_LT(DistanceFromUniform(of_stranger), Limit(64));
}

}  // namespace
}  // namespace comity::sealed
