// SPDX-License-Identifier: Apache-2.0
// One search of several partners, each in the mode in which its agreement lets it be searched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "tests/integration/fanout_world.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kHolders = 3;
constexpr std::size_t kSealed = 1;  // the others are searched directly

class MixedModes : public ::testing::Test {
 protected:
  MixedModes()
      : world_(kHolders, [](std::size_t holder, AgreementText& text) {
          if (holder == kSealed) text.mode = "sealed";
        }) {
    world_.SearchInAnyMode();
  }
  static std::string NameOf(std::size_t holder) { return "holder-0" + std::to_string(holder); }
  static v1::SearchMode ModeOf(const std::string& holder) {
    return holder == NameOf(kSealed) ? v1::SEARCH_MODE_SEALED : v1::SEARCH_MODE_DIRECT;
  }
  // The answer of each holder to one face.
  std::map<std::string, v1::WatchAnswer> Ask(EngineClient& engine, const std::vector<float>& face) {
    ++sequence_;
    EXPECT_TRUE(engine.Send({sequence_, "capture-" + std::to_string(sequence_), "camera-1", face}));
    std::map<std::string, v1::WatchAnswer> answers;
    while (answers.size() < kHolders) {
      const auto answer = engine.Receive();
      EXPECT_THAT(answer, IsOk());
      if (!answer) break;
      EXPECT_EQ(answer->sequence(), sequence_);
      EXPECT_TRUE(answers.emplace(answer->holder(), *answer).second) << answer->holder();
    }
    return answers;
  }

  FanoutWorld world_;
  std::uint64_t sequence_ = 0;
};

TEST_F(MixedModes, EveryAnswerOfALiveSearchNamesTheModeOfItsHolder) {
  const auto engine = world_.Watch(world_.Deploy());
  // The direct holders answer at once, the sealed one when its list has come.
  std::map<std::string, v1::WatchAnswer> answers;
  const auto end = steady_clock::now() + 60s;
  do {
    answers = Ask(*engine, world_.Stranger());
    ASSERT_EQ(answers.size(), kHolders);
    for (const auto& [holder, answer] : answers) EXPECT_EQ(answer.mode(), ModeOf(holder)) << holder;
    for (const std::size_t direct : {std::size_t{0}, std::size_t{2}}) {
      EXPECT_TRUE(answers[NameOf(direct)].has_answered()) << answers[NameOf(direct)].DebugString();
    }
    if (answers[NameOf(kSealed)].has_answered()) break;
    std::this_thread::sleep_for(20ms);
  } while (steady_clock::now() < end);
  for (std::size_t listed = 0; listed < kHolders; ++listed) {
    answers = Ask(*engine, world_.faces()[listed]);
    for (const auto& [holder, answer] : answers) {
      ASSERT_TRUE(answer.has_answered()) << answer.DebugString();
      EXPECT_EQ(answer.mode(), ModeOf(holder));
      EXPECT_EQ(answer.answered().mode(), ModeOf(holder));
      EXPECT_EQ(answer.answered().alerts_size(), holder == NameOf(listed) ? 1 : 0) << holder;
      EXPECT_EQ(answer.answered().entries(), 1U);
    }
  }
}

TEST_F(MixedModes, EveryResultOfASingleSearchNamesTheModeOfItsHolder) {
  v1::IdentifyResponse response;
  const auto end = steady_clock::now() + 60s;
  do {
    response = world_.Identify(world_.Request(world_.faces()[kSealed]));
    ASSERT_EQ(response.holders_size(), static_cast<int>(kHolders));
    for (const auto& result : response.holders()) {
      EXPECT_EQ(result.mode(), ModeOf(result.holder())) << result.DebugString();
    }
    if (ResultOf(response, NameOf(kSealed)).has_answered()) break;
    std::this_thread::sleep_for(20ms);
  } while (steady_clock::now() < end);
  for (const auto& result : response.holders()) {
    ASSERT_TRUE(result.has_answered()) << result.DebugString();
    EXPECT_EQ(result.answered().mode(), ModeOf(result.holder()));
    EXPECT_EQ(result.answered().alerts_size(), result.holder() == NameOf(kSealed) ? 1 : 0);
  }
}

}  // namespace
}  // namespace comity::testing
