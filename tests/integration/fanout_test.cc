// SPDX-License-Identifier: Apache-2.0
// A live stream to several holders, some of which are slow, stalled, suspended or gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

#include "tests/integration/fanout_world.h"
#include "tests/integration/stalled_holder.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using Key = std::pair<std::string, std::uint64_t>;  // holder, sequence

struct Timed {
  v1::WatchAnswer answer;
  steady_clock::time_point at;
};

// Reads answers until `count` have come or the stream ends; a second answer of one holder to one
// face fails the test.
std::map<Key, Timed> ReadAnswers(EngineClient& engine, std::size_t count) {
  std::map<Key, Timed> answers;
  while (answers.size() < count) {
    auto answer = engine.Receive();
    if (!answer) break;
    const Key key{answer->holder(), answer->sequence()};
    EXPECT_TRUE(answers.try_emplace(key, Timed{*answer, steady_clock::now()}).second)
        << key.first << " answered " << key.second << " twice";
  }
  return answers;
}

bool Send(EngineClient& engine, std::uint64_t sequence, const std::vector<float>& face) {
  return engine.Send({sequence, "capture-" + std::to_string(sequence), "camera-1", face});
}

TEST(Fanout, EachHolderAnswersForItselfAndNobodyWaitsForTheOthers) {
  constexpr std::uint64_t kFaces = 20;
  FanoutWorld world(5);  // 0, 1: live; 2: suspended; 3: gone; 4: stalled
  const std::string deployment = world.Deploy();
  world.Suspend(2);
  world.holder(3).Stop();
  world.holder(4).Stop();
  const StalledHolder stalled(world.holder(4), world.council(), world.clock());
  const auto engine = world.Watch(deployment);
  EXPECT_EQ(engine->opened().holders_size(), 5);
  std::map<std::uint64_t, steady_clock::time_point> sent;
  std::map<Key, Timed> answers;
  const auto reader =
      std::make_unique<std::jthread>([&] { answers = ReadAnswers(*engine, 5 * kFaces); });
  for (std::uint64_t i = 1; i <= kFaces; ++i) {
    sent[i] = steady_clock::now();
    ASSERT_TRUE(Send(*engine, i, i == 7 ? world.faces()[1] : world.Stranger()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  reader->join();
  ASSERT_EQ(answers.size(), 5 * kFaces);
  for (std::uint64_t i = 1; i <= kFaces; ++i) {
    for (const char* holder : {"holder-00", "holder-01"}) {
      const Timed& one = answers.at({holder, i});
      EXPECT_TRUE(one.answer.has_answered()) << one.answer.DebugString();
      EXPECT_LT(one.at - sent.at(i), std::chrono::seconds(2)) << holder << " " << i;
    }
    EXPECT_TRUE(answers.at({"holder-02", i}).answer.has_refused());
    EXPECT_TRUE(answers.at({"holder-03", i}).answer.has_unanswered());
    const Timed& late = answers.at({"holder-04", i});
    EXPECT_TRUE(late.answer.has_unanswered());
    EXPECT_LT(late.at - sent.at(i), std::chrono::milliseconds(6500)) << "the deadline is 5 s";
  }
  EXPECT_EQ(answers.at({"holder-01", 7}).answer.answered().alerts_size(), 1);
  EXPECT_EQ(answers.at({"holder-00", 7}).answer.answered().alerts_size(), 0);
}

TEST(Fanout, AHolderWithAFullWindowIsBusyAndTheOthersGoOn) {
  constexpr std::uint64_t kFaces = 200;
  FanoutWorld world(2);  // 0: live; 1: stalled
  const std::string deployment = world.Deploy();
  world.holder(1).Stop();
  const StalledHolder stalled(world.holder(1), world.council(), world.clock());
  const auto engine = world.Watch(deployment);
  std::map<Key, Timed> answers;
  const auto reader =
      std::make_unique<std::jthread>([&] { answers = ReadAnswers(*engine, 2 * kFaces); });
  const auto began = steady_clock::now();
  for (std::uint64_t i = 1; i <= kFaces; ++i) ASSERT_TRUE(Send(*engine, i, world.Stranger()));
  const auto sent = steady_clock::now() - began;
  reader->join();
  ASSERT_EQ(answers.size(), 2 * kFaces);
  std::size_t busy = 0;
  for (std::uint64_t i = 1; i <= kFaces; ++i) {
    EXPECT_TRUE(answers.at({"holder-00", i}).answer.has_answered()) << i;
    const v1::WatchAnswer& other = answers.at({"holder-01", i}).answer;
    ASSERT_TRUE(other.has_unanswered());
    busy += other.unanswered().reason() == v1::Unanswered::REASON_HOLDER_BUSY ? 1U : 0U;
  }
  EXPECT_GE(busy, 1U);
  EXPECT_LT(sent, std::chrono::seconds(20)) << "the stalled holder held up the engine";
}

TEST(Fanout, AHolderThatComesBackIsAskedAgainInTheSameStream) {
  FanoutWorld world(2);
  const std::string deployment = world.Deploy();
  const auto engine = world.Watch(deployment);
  const auto ask = [&](std::uint64_t sequence, const std::vector<float>& face) {
    EXPECT_TRUE(Send(*engine, sequence, face));
    return ReadAnswers(*engine, 2);
  };
  EXPECT_TRUE(ask(1, world.Stranger()).at({"holder-01", 1}).answer.has_answered());
  world.holder(1).Stop();
  auto answers = ask(2, world.Stranger());
  EXPECT_TRUE(answers.at({"holder-00", 2}).answer.has_answered());
  EXPECT_TRUE(answers.at({"holder-01", 2}).answer.has_unanswered());
  world.holder(1).Start({&world.council()});
  bool back = false;
  for (std::uint64_t i = 3; i < 200 && !back; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    answers = ask(i, world.faces()[1]);
    EXPECT_TRUE(answers.at({"holder-00", i}).answer.has_answered());
    back = answers.at({"holder-01", i}).answer.answered().alerts_size() == 1;
  }
  EXPECT_TRUE(back);
}

TEST(Fanout, AStopEndsAllSessionsWithinASecond) {
  FanoutWorld world(3);
  const std::string deployment = world.Deploy();
  world.holder(2).Stop();
  const StalledHolder stalled(world.holder(2), world.council(), world.clock());
  const auto engine = world.Watch(deployment);
  ASSERT_TRUE(Send(*engine, 1, world.Stranger()));
  ReadAnswers(*engine, 2);
  grpc::ClientContext context;
  v1::StopDeploymentRequest request;
  v1::StopDeploymentResponse response;
  request.set_deployment(deployment);
  request.set_reason("over");
  const auto began = steady_clock::now();
  ASSERT_TRUE(world.council().deployments()->Stop(&context, request, &response).ok());
  while (engine->Receive()) {
  }
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(2));
  EXPECT_FALSE(engine->Finish().has_value());
}

}  // namespace
}  // namespace comity::testing
