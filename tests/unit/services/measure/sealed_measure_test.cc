// SPDX-License-Identifier: Apache-2.0
#include "services/measure/sealed_measure.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "crypto/sealed/ring.h"
#include "crypto/sealed/sketch.h"
#include "crypto/sealed/threshold.h"
#include "tests/support/result_matchers.h"

namespace comity::measure {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;

SealedWork Work(std::size_t entries, std::size_t dimension, std::size_t batch) {
  return {.entries = entries,
          .dimension = dimension,
          .batch = batch,
          .kernels = {.score = sealed::FastestKernel(), .ot = ot::FastestKernel()},
          .least_seconds = 0.01};
}

Progress Nobody(std::string_view /*step*/) {
  return [](std::uint64_t /*done*/, std::uint64_t /*all*/) {};
}

TEST(SealedMeasure, CountsTheOctetsThatTheProtocolHas) {
  constexpr std::size_t kTwoBlocks = 1100;
  constexpr std::size_t kBatch = 3;
  const auto figures = MeasureSealed(Work(kTwoBlocks, 128, kBatch), Nobody);
  ASSERT_THAT(figures, IsOk());
  for (const BatchFigures* batch : {&figures->one, &figures->batch}) {
    EXPECT_EQ(batch->octets.to_holder,
              batch->probes * (sealed::kElementBytes + kTwoBlocks * sealed::kTableBytes +
                               sealed::SketchBytes(sealed::kDefaultCap)));
    EXPECT_EQ(batch->octets.to_requester, batch->probes * sealed::OffsetBytes(kTwoBlocks));
  }
  EXPECT_EQ(figures->batch.probes, kBatch);
  const auto pads = matching::PadBatchFor(kTwoBlocks);
  EXPECT_NEAR(figures->pads.octets,
              static_cast<double>(pads.message_bytes) / static_cast<double>(pads.pads), 0.01);
  EXPECT_GT(figures->sealed_octets, 3 * 128);
}

TEST(SealedMeasure, HasAFigureOfEveryStep) {
  const auto figures = MeasureSealed(Work(300, 256, 2), Nobody);
  ASSERT_THAT(figures, IsOk());
  const BatchFigures& batch = figures->batch;
  const PlainFigures& plain = figures->plain;
  const std::map<std::string, double> seconds = {
      {"seal", figures->seal},
      {"scan, one", figures->scan_one},
      {"scan, batch", figures->scan_batch},
      {"sketch", figures->sketch},
      {"set-up, requester", figures->set_up.requester},
      {"set-up, holder", figures->set_up.holder},
      {"pads, requester", figures->pads.requester},
      {"pads, holder", figures->pads.holder},
      {"blind", batch.blind},
      {"score", batch.score},
      {"tables", batch.tables},
      {"offsets", batch.offsets},
      {"open", batch.open},
      {"Faiss as shipped", plain.faiss_as_shipped.one},
      {"Faiss tuned", plain.faiss_tuned.batch},
      {"int8", plain.int8.one},
      {"int8, batch", plain.int8.batch},
  };
  for (const auto& [step, value] : seconds) {
    EXPECT_GT(value, 0) << step;
    EXPECT_LT(value, 5) << step;
  }
  // Medians of sums are near the sums of medians.
  EXPECT_NEAR(batch.requester, batch.blind + batch.score + batch.tables, 0.5 * batch.requester);
  EXPECT_DOUBLE_EQ(
      WholeSearch(batch, figures->pads, 300),
      (batch.requester + batch.holder) / 600 + figures->pads.requester + figures->pads.holder);
}

// A requester with two holders: each session finds what it must, whosever turn it is.
TEST(SealedMeasure, SessionsThatTakeTurnsHaveTheFiguresOfOneBatchEach) {
  SystemRandom random;
  const auto faces = SyntheticFaces::Make(200, 128, 2, Nobody(""));
  ASSERT_THAT(faces, IsOk());
  const auto first = SealSample(*faces, random, Nobody(""));
  const auto second = SealSample(*faces, random, Nobody(""));
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  const auto kernels = Work(200, 128, 2).kernels;
  auto one = MeasuredSession::Create({*first, *faces, kernels, random, 0});
  auto other = MeasuredSession::Create({*second, *faces, kernels, random, 0});
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(other, IsOk());
  for (int turn = 0; turn < 3; ++turn) {
    for (MeasuredSession* session : {&*one, &*other}) {
      const auto figures = session->MeasureOnce(2);
      ASSERT_THAT(figures, IsOk());
      EXPECT_EQ(figures->probes, 2U);
      EXPECT_EQ(figures->octets.to_requester, 2 * sealed::OffsetBytes(200));
      EXPECT_GT(figures->requester, 0);
      EXPECT_DOUBLE_EQ(figures->requester, figures->blind + figures->score + figures->tables);
    }
  }
  EXPECT_GT(one->pads().octets, 0);
}

TEST(SealedMeasure, RefusesWhatNoSessionCanHave) {
  for (const SealedWork& work :
       {Work(0, 128, 1), Work(kMostEntries + 1, 128, 1), Work(100, 129, 1), Work(100, 128, 0),
        Work(100, 128, 33), Work(kMostEntries, 128, 3)}) {
    EXPECT_THAT(MeasureSealed(work, Nobody), FailsWith(ErrorCode::kInvalidArgument))
        << work.entries << " " << work.dimension << " " << work.batch;
  }
}

TEST(SyntheticFaces, AreTheSameEveryTimeAndLikeTheEntriesTheySay) {
  const Progress silent = Nobody("");
  const auto faces = SyntheticFaces::Make(50, 512, 4, silent);
  const auto again = SyntheticFaces::Make(50, 512, 4, silent);
  ASSERT_THAT(faces, IsOk());
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(std::equal(faces->entries().begin(), faces->entries().end(), again->entries().begin(),
                         again->entries().end()));
  for (std::size_t probe = 0; probe < 4; ++probe) {
    const auto matches = faces->Matches(probe);
    EXPECT_EQ(matches.size(), probe % 2 == 0 ? 1U : 0U);
    for (std::size_t entry = 0; entry < 50; ++entry) {
      double cosine = 0;
      for (std::size_t j = 0; j < 512; ++j) {
        cosine +=
            double{faces->entries()[entry * 512 + j]} * double{faces->probes()[probe * 512 + j]};
      }
      if (!matches.empty() && entry == matches.front()) {
        EXPECT_NEAR(cosine, SyntheticFaces::kLikeness, 1e-6);
      } else {
        EXPECT_LT(cosine, SyntheticFaces::kThreshold - 0.1);
      }
    }
  }
}

TEST(Samples, HaveTheMedianOfWhatWasAdded) {
  Samples samples;
  EXPECT_EQ(samples.Median(), 0);
  for (const double seconds : {5.0, 1.0, 9.0}) samples.Add(seconds);
  EXPECT_EQ(samples.Median(), 5);
  EXPECT_EQ(samples.Sum(), 15);
  EXPECT_TRUE(IsEnough(samples, 15));
  EXPECT_FALSE(IsEnough(samples, 15.1));
  EXPECT_EQ(samples.Time([] { return 7; }), 7);
  EXPECT_EQ(samples.count(), 4U);
}

}  // namespace
}  // namespace comity::measure
