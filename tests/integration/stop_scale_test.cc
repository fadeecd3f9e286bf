// SPDX-License-Identifier: Apache-2.0
// The stop control over twenty gateways.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "comity/v1/stops.grpc.pb.h"
#include "tests/integration/fanout_world.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

double Milliseconds(steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

TEST(StopControlOverTwentyGateways, ReachesEverySessionWithinASecond) {
  FanoutWorld world(19);
  const std::string deployment = world.Deploy();
  std::atomic<int> permitted = 0;
  std::atomic<int> stopped = 0;
  std::atomic<steady_clock::time_point> last{};
  const auto engine = world.Watch(deployment);
  std::jthread receiver([&] {
    while (const auto answer = engine->Receive()) {
      if (answer->has_answered()) {
        last = steady_clock::now();
        ++permitted;
      }
      if (answer->refused().code() == v1::DECISION_CODE_STOPPED) ++stopped;
    }
  });
  std::jthread sender([&](const std::stop_token& stop) {
    for (std::uint64_t i = 1; !stop.stop_requested(); ++i) {
      if (!engine->Send({i, "capture-" + std::to_string(i), "camera-1", world.faces()[i % 19]})) {
        return;
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
    engine->DoneSending();
  });
  const auto await = [&](const std::atomic<int>& count, int wanted) {
    for (int i = 0; i < 3000 && count < wanted; ++i) std::this_thread::sleep_for(milliseconds(10));
    EXPECT_GE(count, wanted);
  };
  await(permitted, 19 * 10);
  const auto begin = steady_clock::now();
  v1::SetStopRequest request;
  request.set_scope(v1::STOP_SCOPE_DEPLOYMENT);
  request.set_reference(deployment);
  request.set_reason("A complaint is being looked into.");
  grpc::ClientContext context;
  v1::Stop stop;
  const grpc::Status status = world.council().stops()->Set(&context, request, &stop);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto returned = steady_clock::now();
  await(stopped, 19 * 5);
  fmt::print(
      "stop of a deployment over 20 gateways: returned after {:.1f} ms, last answer {:.1f} "
      "ms after the call\n",
      Milliseconds(returned - begin), Milliseconds(std::max(last.load(), begin) - begin));
  EXPECT_LT(last.load() - begin, std::chrono::seconds(1));
  sender.request_stop();
  sender.join();
  receiver.join();
}

}  // namespace
}  // namespace comity::testing
