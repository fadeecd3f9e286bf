// SPDX-License-Identifier: Apache-2.0
#include "services/matching/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "services/matching/template_check.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::MakeGallery;
using testing::Matrix;
using testing::RandomUnitRows;

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// Every row, one after the other, in double precision.
std::vector<Candidate> NaiveScan(const Gallery& gallery, std::span<const float> probe,
                                 double threshold) {
  std::vector<Candidate> found;
  const std::size_t d = gallery.profile().dimension;
  for (std::size_t i = 0; i < gallery.size(); ++i) {
    const double score = Dot(gallery.Expose().subspan(i * d, d), probe);
    if (score >= threshold) found.push_back({i, score});
  }
  std::sort(found.begin(), found.end(), [&](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score
                              : gallery.row(a.row).reference < gallery.row(b.row).reference;
  });
  return found;
}

void ExpectEqualsNaive(const Gallery& gallery, std::span<const float> probes, double threshold,
                       sealed::Kernel kernel = sealed::FastestKernel()) {
  const std::size_t d = gallery.profile().dimension;
  const auto found = Scanner(kernel).Scan(gallery, probes, threshold);
  ASSERT_THAT(found, IsOk());
  ASSERT_EQ(found->size(), probes.size() / d);
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto expected = NaiveScan(gallery, probes.subspan(i * d, d), threshold);
    ASSERT_EQ((*found)[i].size(), expected.size()) << "threshold " << threshold << " probe " << i;
    for (std::size_t k = 0; k < expected.size(); ++k) {
      EXPECT_EQ((*found)[i][k].row, expected[k].row);
      EXPECT_EQ((*found)[i][k].score, expected[k].score);
    }
  }
}

TEST(Scanner, EqualsNaiveSearchOnRandomDataForEveryBatchSize) {
  for (const std::uint32_t dimension : {32U, 33U, 128U, 512U}) {
    const auto gallery = MakeGallery(RandomUnitRows(1500, dimension, dimension), dimension);
    for (const std::size_t batch : {1U, 2U, 8U, 21U}) {
      const Matrix probes = RandomUnitRows(batch, dimension, dimension + batch);
      for (const double threshold : {0.01, 0.1, 0.25}) {
        ExpectEqualsNaive(*gallery, probes, threshold);
      }
    }
  }
}

TEST(Scanner, EqualsNaiveSearchWithEveryKernel) {
  for (const sealed::Kernel kernel : sealed::SupportedKernels()) {
    for (const std::uint32_t dimension : {128U, 256U, 512U, 1024U}) {
      const auto gallery = MakeGallery(RandomUnitRows(150, dimension, dimension), dimension);
      ExpectEqualsNaive(*gallery, RandomUnitRows(3, dimension, 1), 0.05, kernel);
    }
  }
}

// No canonical template stands for such a probe.
TEST(Scanner, EqualsNaiveSearchForAProbeFarFromTheUnitSphere) {
  const auto gallery = MakeGallery(RandomUnitRows(200, 128, 1), 128);
  for (const float factor : {0.0F, 0.3F, 1.5F, 3.0F}) {
    Matrix probe = RandomUnitRows(1, 128, 2);
    for (float& value : probe) value *= factor;
    ExpectEqualsNaive(*gallery, probe, 0.1);
  }
}

// Each score of the data is taken as the threshold, then the next doubles on either side of it.
TEST(Scanner, CountsAScoreExactlyAtTheThresholdAndNoneBelow) {
  constexpr std::uint32_t kDimension = 128;
  const Matrix rows = RandomUnitRows(200, kDimension, 7);
  const auto gallery = MakeGallery(rows, kDimension);
  Matrix probe(rows.begin(), rows.begin() + kDimension);
  ASSERT_THAT(NormalizeTemplate(probe), IsOk());
  for (const Candidate& candidate : NaiveScan(*gallery, probe, 0.05)) {
    if (candidate.score > 1) continue;  // itself, rounded
    ExpectEqualsNaive(*gallery, probe, candidate.score);
    ExpectEqualsNaive(*gallery, probe, std::nextafter(candidate.score, 0.0));
    if (candidate.score < 1)
      ExpectEqualsNaive(*gallery, probe, std::nextafter(candidate.score, 1.0));
  }
}

TEST(Scanner, FindsRowsThatDifferInTheLastBitOfEachValue) {
  constexpr std::uint32_t kDimension = 512;
  Matrix row = RandomUnitRows(1, kDimension, 3);
  Matrix rows;
  std::mt19937_64 generator(4);
  for (int i = 0; i < 300; ++i) {
    for (const float x : row) {
      rows.push_back(std::nextafter(x, generator() % 2 == 0 ? 1.0F : -1.0F));
    }
  }
  const auto gallery = MakeGallery(rows, kDimension);
  const auto all = NaiveScan(*gallery, row, 0.5);
  ASSERT_EQ(all.size(), 300U);
  for (std::size_t i = 0; i < all.size(); i += 29) {
    ExpectEqualsNaive(*gallery, row, std::min(1.0, all[i].score));
  }
}

TEST(Scanner, OrdersEqualScoresByReference) {
  constexpr std::uint32_t kDimension = 64;
  const Matrix one = RandomUnitRows(1, kDimension, 5);
  Matrix rows;
  for (int i = 0; i < 12; ++i) rows.insert(rows.end(), one.begin(), one.end());
  const auto gallery = MakeGallery(rows, kDimension);
  const auto found = Scanner().Scan(*gallery, one, 0.9);
  ASSERT_THAT(found, IsOk());
  std::vector<std::string> references;
  for (const Candidate& c : found->front()) references.push_back(gallery->row(c.row).reference);
  EXPECT_EQ(references.size(), 12U);
  EXPECT_TRUE(std::is_sorted(references.begin(), references.end()));
}

TEST(Scanner, FindsARowOfOneNonZeroValueAtThresholdOne) {
  Matrix axis(64, 0.0F);
  axis[17] = 1.0F;
  const auto gallery = MakeGallery(axis, 64);
  ExpectEqualsNaive(*gallery, axis, 1.0);
  const auto found = Scanner().Scan(*gallery, axis, 1.0);
  ASSERT_THAT(found, IsOk());
  ASSERT_EQ(found->front().size(), 1U);
  EXPECT_EQ(found->front()[0].score, 1.0);
}

TEST(Scanner, AnswersNothingForAnEmptyGalleryOrNoProbe) {
  const auto empty = MakeGallery({}, 64);
  const auto found = Scanner().Scan(*empty, RandomUnitRows(3, 64, 1), 0.1);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->size(), 3U);
  EXPECT_TRUE(found->front().empty());
  const auto none = Scanner().Scan(*MakeGallery(RandomUnitRows(2, 64, 1), 64), {}, 0.1);
  ASSERT_THAT(none, IsOk());
  EXPECT_TRUE(none->empty());
}

TEST(Scanner, RefusesWhatWouldHarmFaiss) {
  const auto gallery = MakeGallery(RandomUnitRows(4, 64, 1), 64);
  const Scanner scanner;
  Matrix probe = RandomUnitRows(1, 64, 2);
  EXPECT_THAT(scanner.Scan(*gallery, std::span(probe).first(63), 0.5),
              FailsWith(ErrorCode::kInvalidArgument));
  for (const double threshold : {0.0, -0.5, 1.0001, std::numeric_limits<double>::quiet_NaN(),
                                 std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(scanner.Scan(*gallery, probe, threshold), FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    probe[63] = bad;
    EXPECT_THAT(scanner.Scan(*gallery, probe, 0.5), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(Scanner, GivesTheSameToManyThreadsAtOnce) {
  constexpr std::uint32_t kDimension = 128;
  const auto gallery = MakeGallery(RandomUnitRows(3000, kDimension, 11), kDimension);
  const Matrix probes = RandomUnitRows(4, kDimension, 12);
  std::vector<std::vector<Candidate>> expected;
  for (std::size_t i = 0; i < 4; ++i) {
    expected.push_back(
        NaiveScan(*gallery, std::span(probes).subspan(i * kDimension, kDimension), 0.2));
  }
  std::atomic<int> different{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const Scanner scanner;
        for (int round = 0; round < 20; ++round) {
          const auto found =
              scanner.Scan(*gallery, std::span(probes).subspan(t * kDimension, kDimension), 0.2);
          const bool same =
              found && std::equal(found->front().begin(), found->front().end(), expected[t].begin(),
                                  expected[t].end(), [](const Candidate& a, const Candidate& b) {
                                    return a.row == b.row && a.score == b.score;
                                  });
          if (!same) ++different;
        }
      });
    }
  }
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace comity::matching
