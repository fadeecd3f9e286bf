// SPDX-License-Identifier: Apache-2.0
// What callers without papers can do to a port: connections without end, and handshakes that do
// not.
#include <atomic>

#include "services/transport/limits.h"
#include "tests/hostile/flooded_world.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;
using transport::limits::kFederationConnections;

class ConnectionFlood : public FloodedWorld {
 protected:
  static std::size_t StillOpen(std::vector<RawConnection>& connections) {
    return static_cast<std::size_t>(std::ranges::count_if(
        connections, [](RawConnection& each) { return !each.IsClosedWithin(0ms); }));
  }
  // Half of a handshake: the length of a ClientHello, and an octet of it each second.
  static void Dribble(std::vector<RawConnection>& connections, std::chrono::seconds time) {
    for (auto& each : connections) each.Send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    for (auto i = 0s; i < time; ++i) {
      for (auto& each : connections) each.Send("\x01");
      std::this_thread::sleep_for(1s);
    }
  }
  std::vector<RawConnection> Connect(std::size_t count, const std::string& from) const {
    std::vector<RawConnection> connections;
    for (std::size_t i = 0; i < count; ++i) connections.emplace_back(port(), from);
    std::this_thread::sleep_for(200ms);
    return connections;
  }
};

TEST_F(ConnectionFlood, OfHalfHandshakesTakesFewPlacesForAShortTimeAndHarmsNobody) {
  auto slow = Connect(600, "127.0.0.2");
  EXPECT_LE(StillOpen(slow), kFederationConnections.forming_of_address);
  EXPECT_GT(StillOpen(slow), 0u);
  EXPECT_LE(P99During([&] { Dribble(slow, 3s); }), kP99);
  EXPECT_TRUE(GetsIn(council_, "127.0.0.3"));
  EXPECT_TRUE(GetsIn(council_, "127.0.0.1"));
  // Dribbling on does not make the time for the handshake longer.
  Dribble(slow, 10s);
  EXPECT_EQ(StillOpen(slow), 0u);
  EXPECT_LE(LogLines("connection-refused"), 4);  // one for each bound, and the gathered
  EXPECT_NE(police_.log_text().find("\"bound\":\"handshakes-of-address\""), std::string::npos);
}

TEST_F(ConnectionFlood, FromManyAddressesLeavesPlacesForPartnersThatAreKnown) {
  std::this_thread::sleep_for(transport::limits::kHandshakeTimeout +
                              transport::limits::kHandshakeSlack + 1s);
  std::vector<RawConnection> slow;
  for (int i = 0; i < 60; ++i) {
    for (auto& each : Connect(8, "127.0.1." + std::to_string(i + 1))) {
      slow.push_back(std::move(each));
    }
    if (i == 20) {
      EXPECT_LE(StillOpen(slow), kFederationConnections.forming);
      EXPECT_FALSE(GetsIn(port_authority_, "127.0.0.9"));  // a stranger's address
      EXPECT_TRUE(GetsIn(council_, "127.0.0.1"));
    }
  }
}

TEST_F(ConnectionFlood, AsFastAsPossibleDoesNotSlowAPartnerDown) {
  std::atomic<std::size_t> tried{0};
  const auto p99 = P99During([&] {
    const auto end = std::chrono::steady_clock::now() + 4s;
    while (std::chrono::steady_clock::now() < end) {
      RawConnection each(port(), "127.0.0.2");
      // Enough of a handshake to make the other end work.
      each.Send(std::string_view("\x16\x03\x01\x00\x05hello", 10));
      ++tried;
    }
  });
  std::printf("%zu connections\n", tried.load());
  EXPECT_LE(p99, kP99);
  EXPECT_GT(tried, 1000u);
  EXPECT_GE(LogLines("connection-refused"), 1);
  EXPECT_LE(LogLines("connection-refused"), 3);
  EXPECT_LE(LogLines("handshake-refused"), 3);
  EXPECT_TRUE(GetsIn(council_, "127.0.0.1"));
}

TEST_F(ConnectionFlood, IsCountedByBound) {
  auto many = Connect(200, "127.0.0.2");
  std::this_thread::sleep_for(500ms);
  const std::string web = std::to_string(police_.gateway().ports().web);
  const auto metrics =
      RunCommand({"/usr/bin/curl", "-sk", "https://127.0.0.1:" + web + "/metrics"});
  ASSERT_THAT(metrics, IsOk());
  EXPECT_NE(metrics->out.find("comity_connections_refused_total{bound=\"rate\","
                              "port=\"federation\"}"),
            std::string::npos)
      << metrics->out;
  EXPECT_NE(metrics->out.find("comity_connections_open{port=\"federation\"} "), std::string::npos);
}

}  // namespace
}  // namespace comity::testing
