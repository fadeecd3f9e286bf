// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/task_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <vector>

#include "tests/support/result_matchers.h"

namespace comity::runtime {
namespace {

using ::comity::testing::FailsWith;
using ::comity::testing::IsOk;

TEST(TaskPipeline, PassesOnInTheOrderOfStarting) {
  std::vector<int> taken, expected(200);
  std::iota(expected.begin(), expected.end(), 0);
  TaskPipeline<int> pipeline([&](int value) -> Status {
    taken.push_back(value);
    return {};
  });
  for (int i = 0; i < 200; ++i) {
    ASSERT_THAT(pipeline.Start([i] {
      if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return i;
    }),
                IsOk());
  }
  ASSERT_THAT(pipeline.Finish(), IsOk());
  EXPECT_EQ(taken, expected);
}

TEST(TaskPipeline, HoldsNoMoreThanTwoForEachCore) {
  std::atomic<int> started{0};
  int taken = 0, most = 0;
  TaskPipeline<int> pipeline([&](int) -> Status {
    most = std::max(most, started - taken++);
    return {};
  });
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(pipeline.Start([&] { return ++started; }), IsOk());
  }
  ASSERT_THAT(pipeline.Finish(), IsOk());
  EXPECT_EQ(taken, 100);
  EXPECT_LE(most, static_cast<int>(2 * std::max(1U, std::thread::hardware_concurrency())));
}

TEST(TaskPipeline, PassesOnNothingBehindAnError) {
  std::vector<int> taken;
  TaskPipeline<int> pipeline([&](int value) -> Status {
    taken.push_back(value);
    if (value == 1) return Fail(ErrorCode::kCorrupt, "the second");
    return {};
  });
  Status status;
  for (int i = 0; i < 100 && status; ++i) status = pipeline.Start([i] { return i; });
  if (status) status = pipeline.Finish();
  EXPECT_THAT(status, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(taken, ::testing::ElementsAre(0, 1));
}

TEST(TaskPipeline, WaitsForWhatIsUnderWayWhenItEnds) {
  std::atomic<int> ended{0}, begun{0};
  {
    TaskPipeline<int> pipeline([](int) { return Status(); });
    ASSERT_THAT(pipeline.Start([&] {
      ++begun;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return ++ended;
    }),
                IsOk());
    while (begun == 0) std::this_thread::yield();
  }
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace comity::runtime
