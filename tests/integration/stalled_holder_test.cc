// SPDX-License-Identifier: Apache-2.0
// A partner's gateway that opens a session and then reads no further: the only one of its stream.
#include <gtest/gtest.h>

#include <thread>

#include "tests/integration/fanout_world.h"
#include "tests/integration/stalled_holder.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

TEST(StalledHolder, LeavesNoFaceWithoutAnAnswer) {
  constexpr std::uint64_t kFaces = 20;
  FanoutWorld world(1);
  const std::string deployment = world.Deploy();
  world.holder(0).Stop();
  const testing::StalledHolder holder(world.holder(0), world.council(), world.clock());
  const auto engine = world.Watch(deployment);
  const std::vector<float> face = world.Stranger();
  const std::jthread sender([&] {
    for (std::uint64_t i = 1; i <= kFaces; ++i) {
      if (!engine->Send({i, "capture-" + std::to_string(i), "camera-1", face})) return;
    }
  });
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t i = 1; i <= kFaces; ++i) {
    const auto answer = engine->Receive();
    ASSERT_THAT(answer, IsOk());
    EXPECT_TRUE(answer->has_unanswered()) << answer->DebugString();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

}  // namespace
}  // namespace comity::testing
