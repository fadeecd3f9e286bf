// SPDX-License-Identifier: Apache-2.0
// What a partner with valid papers can do below the level of calls: frames of HTTP/2 without end,
// or without sense. Another partner's searches go on.
#include "services/transport/limits.h"
#include "tests/hostile/flooded_world.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;

constexpr char kHello[] = "/comity.v1.Federation/Hello";

class Http2Flood : public FloodedWorld {
 protected:
  std::unique_ptr<RawTls> Connect() {
    auto tls = std::make_unique<RawTls>(port(), Papers(port_authority_), "127.0.0.5");
    EXPECT_TRUE(tls->is_done() && tls->Send(Http2Preface()));
    return tls;
  }
  // Sends what `next` makes for some seconds, over `connections` at a time, each a new one when the
  // last is closed.
  struct Flood {
    std::atomic<std::size_t> sent = 0;
    std::atomic<std::size_t> connections = 0;
    std::chrono::milliseconds p99{};
  };
  using Frames = std::function<std::string(std::uint32_t number)>;
  void SendUntil(std::chrono::steady_clock::time_point end, const Frames& next, Flood& flood) {
    while (std::chrono::steady_clock::now() < end) {
      RawTls tls(port(), Papers(port_authority_), "127.0.0.5");
      if (!tls.is_done() || !tls.Send(Http2Preface())) {
        std::this_thread::sleep_for(100ms);
        continue;
      }
      ++flood.connections;
      for (std::uint32_t i = 0; std::chrono::steady_clock::now() < end && tls.Send(next(i)); ++i) {
        ++flood.sent;
        if (tls.IsClosedWithin(0ms)) break;
      }
    }
  }
  std::unique_ptr<Flood> Send(const Frames& next, int connections = 1) {
    auto flood = std::make_unique<Flood>();
    flood->p99 = P99During([&] {
      const auto end = std::chrono::steady_clock::now() + 4s;
      std::vector<std::jthread> senders;
      for (int i = 0; i < connections; ++i) {
        senders.emplace_back([&] { SendUntil(end, next, *flood); });
      }
    });
    std::printf("%zu sent over %zu connections\n", flood->sent.load(), flood->connections.load());
    return flood;
  }
  static std::uint32_t Stream(std::uint32_t number) { return 2 * number + 1; }
};

TEST_F(Http2Flood, OfResetStreamsLeavesAnothersSearchesAlone) {
  const auto flood = Send([](std::uint32_t number) {
    std::string frames;
    for (std::uint32_t i = 0; i < 20; ++i) {
      frames += Http2Call(Stream(20 * number + i), kHello);
      frames += Http2Reset(Stream(20 * number + i));
    }
    return frames;
  });
  EXPECT_GT(flood->sent, 10u);
  EXPECT_LE(flood->p99, kP99);
  // Refused first, then cut off; whoever did it is named.
  EXPECT_GT(flood->connections, 1u);
  const std::string log = police_.log_text();
  const auto at = log.find("\"event\":\"calls-refused\"");
  ASSERT_NE(at, std::string::npos);
  const auto begin = log.rfind('\n', at) + 1;
  const std::string line = log.substr(begin, log.find('\n', at) - begin);
  EXPECT_NE(line.find("spiffe://westmoor-port-authority.example/gateway"), std::string::npos)
      << line;
}

TEST_F(Http2Flood, OfCallsWithoutEndLeavesAnothersSearchesAlone) {
  const auto flood = Send([](std::uint32_t number) { return Http2Call(Stream(number), kHello); });
  EXPECT_LE(flood->p99, kP99);
}

TEST_F(Http2Flood, OfPingsIsCutOff) {
  auto tls = Connect();
  for (int i = 0; i < 100; ++i) tls->Send(Http2Ping());
  EXPECT_TRUE(tls->IsClosedWithin(5s));
  EXPECT_LE(Send([](std::uint32_t) { return Http2Ping(); })->p99, kP99);
}

// Each keeps one of the threads that wait for events busy.
TEST_F(Http2Flood, OverSeveralConnectionsLeavesAnothersSearchesAlone) {
  EXPECT_LE(Send([](std::uint32_t) { return Http2Settings(); }, 4)->p99, kP99);
}

TEST_F(Http2Flood, OfSettingsLeavesAnothersSearchesAlone) {
  EXPECT_LE(Send([](std::uint32_t) { return Http2Settings(); })->p99, kP99);
}

TEST_F(Http2Flood, OfHeadersThatAreTooLargeLeavesAnothersSearchesAlone) {
  const std::string large(60'000, 'a');
  const auto flood = Send(
      [&](std::uint32_t number) { return Http2Call(Stream(number), kHello, "x-large", large); });
  EXPECT_LE(flood->p99, kP99);
}

// Header blocks that never end: bounded in memory or cut off.
TEST_F(Http2Flood, OfContinuationsLeavesAnothersSearchesAlone) {
  const std::string part = std::string("\0\x01x", 3) + "\x7e" + std::string(126, 'a');
  const auto flood = Send([&](std::uint32_t number) {
    std::string block;
    for (int i = 0; i < 60; ++i) block += part;
    return number == 0 ? Http2Frame(1, 0, 1, block) : Http2Frame(9, 0, 1, block);
  });
  EXPECT_LE(flood->p99, kP99);
}

struct BrokenFrames {
  std::string name;
  std::string octets;
};

class Http2Lie : public Http2Flood, public ::testing::WithParamInterface<BrokenFrames> {};

TEST_P(Http2Lie, EndsItsOwnConnectionOrCallOnly) {
  auto tls = Connect();
  EXPECT_TRUE(tls->Send(GetParam().octets));
  tls->IsClosedWithin(500ms);
  EXPECT_TRUE(Ask(*engine_, ++sequence_, entries_[1]).has_answered());
  EXPECT_TRUE(GetsIn(port_authority_, "127.0.0.5"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, Http2Lie,
    ::testing::Values(
        BrokenFrames{"AFrameOf16MiB", std::string("\xff\xff\xff\0\0\0\0\0\x01", 9)},
        BrokenFrames{
            "AMessageOf4GiB",
            Http2Call(1, kHello) + Http2Frame(0, 0, 1, std::string_view("\0\xff\xff\xff\xff", 5))},
        BrokenFrames{
            "ACompressedMessage",
            Http2Call(1, kHello) + Http2Frame(0, 1, 1, std::string_view("\1\0\0\0\1x", 6))},
        BrokenFrames{"DataOfAStreamThatIsNot", Http2Frame(0, 0, 99, "data")},
        BrokenFrames{"AStreamTwice", Http2Call(1, kHello) + Http2Call(1, kHello)},
        BrokenFrames{"StreamsInFallingOrder", Http2Call(9, kHello) + Http2Call(3, kHello)},
        BrokenFrames{"AnEvenStream", Http2Call(2, kHello)},
        BrokenFrames{"AWindowBeyondItsBound",
                     Http2Frame(8, 0, 0, std::string_view("\x7f\xff\xff\xff", 4))},
        BrokenFrames{"AWindowOfNothing", Http2Frame(8, 0, 0, std::string_view("\0\0\0\0", 4))},
        BrokenFrames{"SettingsOfAnOddSize", Http2Frame(4, 0, 0, "12345")},
        BrokenFrames{"APromise", Http2Frame(5, 4, 1, std::string_view("\0\0\0\2", 4))},
        BrokenFrames{"HeadersThatDoNotParse", Http2Frame(1, 4, 1, "\xff\xff\xff\xff\xff\xff")},
        BrokenFrames{"HttpOfTheFormerVersion", "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace comity::testing
