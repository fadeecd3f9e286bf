// SPDX-License-Identifier: Apache-2.0
#include "services/casework/change_feed.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/support/result_matchers.h"

namespace comity::casework {
namespace {

using comity::testing::FailsWith;

Alert Numbered(int number) {
  Alert alert;
  alert.id = std::to_string(number);
  return alert;
}
std::string NextId(Subscription& subscription, std::chrono::milliseconds wait) {
  const auto next = subscription.Next({}, std::chrono::steady_clock::now() + wait);
  if (!next) return std::string(Name(next.error().code));
  return *next ? (*next)->id : "nothing";
}
constexpr std::chrono::milliseconds kNoWait(0);
constexpr std::chrono::seconds kLong(30);

TEST(ChangeFeed, HandsOutInTheOrderOfTheTickets) {
  ChangeFeed feed;
  const auto reader = feed.Subscribe();
  const auto first = feed.Take();
  const auto second = feed.Take();
  const auto third = feed.Take();
  feed.Finish(third, {Numbered(3)});
  feed.Finish(second, {});  // was not committed
  EXPECT_EQ(NextId(*reader, kNoWait), "nothing");
  feed.Finish(first, {Numbered(1)});
  EXPECT_EQ(NextId(*reader, kNoWait), "1");
  EXPECT_EQ(NextId(*reader, kNoWait), "3");
  EXPECT_EQ(NextId(*reader, kNoWait), "nothing");
}

TEST(ChangeFeed, EndsAReaderThatIsTooFarBehind) {
  ChangeFeed feed;
  const auto slow = feed.Subscribe();
  const auto quick = feed.Subscribe();
  for (int i = 0; i < 256; ++i) feed.Finish(feed.Take(), {Numbered(i)});
  EXPECT_EQ(NextId(*quick, kNoWait), "0");
  EXPECT_EQ(NextId(*slow, kNoWait), "0");
  feed.Finish(feed.Take(), {Numbered(256)});
  feed.Finish(feed.Take(), {Numbered(257)});
  EXPECT_EQ(NextId(*slow, kNoWait), "exhausted");
  EXPECT_EQ(NextId(*slow, kNoWait), "exhausted");
  const auto fresh = feed.Subscribe();
  feed.Finish(feed.Take(), {Numbered(258)});
  EXPECT_EQ(NextId(*fresh, kNoWait), "258");
}

TEST(ChangeFeed, WakesWaitingReaders) {
  ChangeFeed feed;
  const auto reader = feed.Subscribe();
  std::jthread writer([&] { feed.Finish(feed.Take(), {Numbered(1)}); });
  EXPECT_EQ(NextId(*reader, kLong), "1");
}

TEST(ChangeFeed, EndsWaitingOnRequestAndWhenItGoes) {
  auto feed = std::make_unique<ChangeFeed>();
  const auto reader = feed->Subscribe();
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto stopped = reader->Next(stop.get_token(), std::chrono::steady_clock::now() + kLong);
  EXPECT_TRUE(stopped.has_value() && !stopped->has_value());
  EXPECT_FALSE(reader->closed());
  std::jthread closer([&] { feed.reset(); });
  EXPECT_EQ(NextId(*reader, kLong), "nothing");
  EXPECT_TRUE(reader->closed());
}

}  // namespace
}  // namespace comity::casework
