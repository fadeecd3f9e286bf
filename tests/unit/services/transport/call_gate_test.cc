// SPDX-License-Identifier: Apache-2.0
#include "services/transport/call_gate.h"

#include <gtest/gtest.h>

#include <string>

#include "services/transport/call_connections.h"

namespace comity::transport {
namespace {

using namespace std::chrono_literals;
using Verdict = CallGate::Verdict;

constexpr limits::CallBounds kCallBounds{.per_second = 10, .burst = 20, .unheeded = 5};

class CallGateTest : public ::testing::Test {
 protected:
  Verdict Call(const std::string& caller = "spiffe://comity/council/gateway") {
    return gate_.Judge(caller, now_);
  }
  void CallTimes(int count, Verdict verdict) {
    for (int i = 0; i < count; ++i) EXPECT_EQ(Call(), verdict) << i;
  }

  CallGate gate_{kCallBounds, [](const std::string&, Verdict) {}};
  CallGate::Clock::time_point now_ = CallGate::Clock::now();
};

TEST_F(CallGateTest, TakesABurstAndRefusesMore) {
  CallTimes(20, Verdict::kTaken);
  CallTimes(4, Verdict::kRefused);
}

TEST_F(CallGateTest, SaysThatItIsAFloodWhenRefusalsAreNotHeeded) {
  CallTimes(20, Verdict::kTaken);
  CallTimes(4, Verdict::kRefused);
  CallTimes(1, Verdict::kFlood);
  CallTimes(100, Verdict::kRefused);  // said once
  now_ += 50ms;
  CallTimes(100, Verdict::kRefused);
  now_ += 200ms;
  CallTimes(1, Verdict::kRefused);  // two calls' time has passed
  CallTimes(1, Verdict::kFlood);
}

TEST_F(CallGateTest, TakesCallsAgainAfterAWhile) {
  CallTimes(20, Verdict::kTaken);
  CallTimes(4, Verdict::kRefused);
  now_ += 500ms;  // four are paid for, and one is free
  CallTimes(1, Verdict::kTaken);
  CallTimes(1, Verdict::kRefused);
  now_ += 1h;
  CallTimes(20, Verdict::kTaken);
  CallTimes(1, Verdict::kRefused);
}

TEST_F(CallGateTest, LetsNobodyPayForAnother) {
  CallTimes(20, Verdict::kTaken);
  CallTimes(4, Verdict::kRefused);
  EXPECT_EQ(Call("spiffe://comity/police/gateway"), Verdict::kTaken);
}

TEST_F(CallGateTest, ForgetsNoFloodHoweverManyCallersThereAre) {
  CallTimes(20, Verdict::kTaken);
  CallTimes(4, Verdict::kRefused);
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(Call("person " + std::to_string(i)), Verdict::kTaken);
  CallTimes(1, Verdict::kFlood);
}

TEST(CallConnections, AreOneForEachAddressOfTheCaller) {
  CallConnections connections;
  connections.Note("council", "ipv4:192.0.2.1:1");
  connections.Note("council", "ipv4:192.0.2.1:2");
  connections.Note("council", "ipv4:192.0.2.3:1");
  connections.Note("police", "ipv4:192.0.2.2:1");
  EXPECT_EQ(connections.EndsOf("council").size(), 2u);
  EXPECT_EQ(connections.EndsOf("council").size(), 2u);  // a flood may go on
  EXPECT_EQ(connections.EndsOf("police").size(), 1u);
  EXPECT_TRUE(connections.EndsOf("nobody").empty());
}

TEST(CallConnections, AreBoundedHoweverOftenSomebodyComes) {
  CallConnections connections;
  for (int i = 0; i < 1000; ++i) connections.Note("council", "ipv4:" + std::to_string(i) + ":1");
  EXPECT_LE(connections.EndsOf("council").size(), limits::kFederationConnections.of_address);
}

}  // namespace
}  // namespace comity::transport
