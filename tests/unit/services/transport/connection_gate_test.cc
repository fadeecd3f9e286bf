// SPDX-License-Identifier: Apache-2.0
#include "services/transport/connection_gate.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "services/runtime/descriptor.h"

namespace comity::transport {
namespace {

using namespace std::chrono_literals;

constexpr limits::ConnectionBounds kBounds{.all = 12,
                                           .strangers = 8,
                                           .of_address = 6,
                                           .forming = 5,
                                           .forming_of_address = 3,
                                           .per_second = 1,
                                           .burst = 10,
                                           .strangers_per_second = 1000,
                                           .strangers_burst = 1000};
constexpr auto kFormed = limits::kHandshakeTimeout + limits::kHandshakeSlack + 1ms;

AddressKey Address(const std::string& text) {
  sockaddr_storage storage{};
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = 1, .sin_addr = {}, .sin_zero = {}};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1);
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return KeyOf(storage);
}

class ConnectionGateTest : public ::testing::Test {
 protected:
  ~ConnectionGateTest() override {
    for (const int each : open_) close(each);
  }
  // What the gate says, with a real socket where it takes it.
  std::optional<GateRefusal> Connect(const std::string& from) {
    const AddressKey key = Address(from);
    const auto refusal = gate_.Refuses(key, now_);
    if (refusal) return refusal;
    open_.push_back(socket(AF_INET, SOCK_STREAM, 0));
    gate_.Add(open_.back(), key, now_);
    return {};
  }
  void CloseOne() {
    close(open_.back());
    open_.pop_back();
  }
  // `count` connections from there, some time apart so that the rate is no matter.
  void Settle(const std::string& from, int count) {
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(Connect(from), std::nullopt);
      now_ += kFormed;
      gate_.Sweep(now_);
    }
  }

  ConnectionGate::Clock::time_point now_ = ConnectionGate::Clock::now();
  ConnectionGate gate_{kBounds, now_};
  std::vector<int> open_;
};

TEST_F(ConnectionGateTest, TakesSoManyHandshakesOfOneAddressAndNoMore) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Connect("192.0.2.1"), std::nullopt);
  EXPECT_EQ(Connect("192.0.2.1"), GateRefusal::kTooManyFormingOfAddress);
  EXPECT_EQ(Connect("192.0.2.2"), std::nullopt);
}

TEST_F(ConnectionGateTest, TakesSoManyHandshakesOfStrangersAndNoMore) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Connect("192.0.2." + std::to_string(i)), std::nullopt);
  EXPECT_EQ(Connect("192.0.2.9"), GateRefusal::kTooManyForming);
  now_ += kFormed;
  EXPECT_EQ(Connect("192.0.2.9"), std::nullopt);
}

TEST_F(ConnectionGateTest, TakesSoManyOfOneAddressAndNoMore) {
  Settle("192.0.2.1", 6);
  EXPECT_EQ(Connect("192.0.2.1"), GateRefusal::kTooManyOfAddress);
  CloseOne();
  now_ += 1s;
  EXPECT_EQ(Connect("192.0.2.1"), std::nullopt);
}

TEST_F(ConnectionGateTest, KeepsPlacesForAddressesThatAreKnown) {
  Settle("192.0.2.1", 1);
  for (int i = 2; i < 7; ++i) EXPECT_EQ(Connect("192.0.2." + std::to_string(i)), std::nullopt);
  EXPECT_EQ(Connect("192.0.2.9"), GateRefusal::kTooManyForming);
  EXPECT_EQ(Connect("192.0.2.1"), std::nullopt);
}

TEST_F(ConnectionGateTest, ForgetsAnAddressAfterADay) {
  Settle("192.0.2.1", 1);
  EXPECT_TRUE(gate_.IsKnown(Address("192.0.2.1"), now_));
  CloseOne();
  now_ += limits::kAddressKnown + 1s;
  gate_.Sweep(now_);
  EXPECT_FALSE(gate_.IsKnown(Address("192.0.2.1"), now_));
}

TEST_F(ConnectionGateTest, NobodyIsKnownWhoseConnectionEndsWithItsHandshake) {
  EXPECT_EQ(Connect("192.0.2.1"), std::nullopt);
  now_ += limits::kHandshakeTimeout;
  CloseOne();
  now_ += kFormed;
  gate_.Sweep(now_);
  EXPECT_FALSE(gate_.IsKnown(Address("192.0.2.1"), now_));
  EXPECT_EQ(gate_.open(), 0u);
}

TEST_F(ConnectionGateTest, TakesSoManyNewOnesASecondOfOneAddress) {
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    if (Connect("192.0.2.1")) continue;
    ++taken;
    CloseOne();
    now_ += 25ms;  // longer than the pause between two sweeps
  }
  EXPECT_EQ(taken, 10);
  EXPECT_EQ(Connect("192.0.2.1"), GateRefusal::kTooFast);
  EXPECT_EQ(Connect("192.0.2.2"), std::nullopt);
  now_ += 2s;
  EXPECT_EQ(Connect("192.0.2.1"), std::nullopt);
}

// The number of a descriptor that was closed soon is another connection's.
TEST_F(ConnectionGateTest, SeesThatADescriptorIsAnotherSocketByNow) {
  EXPECT_EQ(Connect("192.0.2.1"), std::nullopt);
  const int number = open_.back();
  close(number);
  const int other = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(dup2(other, number), number);
  if (other != number) close(other);
  gate_.Sweep(now_);
  EXPECT_EQ(gate_.open(), 0u);
}

TEST(AddressKey, IsOfTheNetworkForIpv6AndOfTheHostForIpv4) {
  EXPECT_EQ(Address("2001:db8:1:2::1"), Address("2001:db8:1:2:ffff::9"));
  EXPECT_NE(Address("2001:db8:1:2::1"), Address("2001:db8:1:3::1"));
  EXPECT_EQ(Address("::ffff:192.0.2.1"), Address("192.0.2.1"));
  EXPECT_NE(Address("192.0.2.1"), Address("192.0.2.2"));
}

// Two ends of a connection over loopback.
struct Line {
  explicit Line(int family) {
    sockaddr_storage at{};
    socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    at.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) {
      const in_addr loopback{htonl(INADDR_LOOPBACK)};
      std::memcpy(&reinterpret_cast<sockaddr_in*>(&at)->sin_addr, &loopback, sizeof loopback);
    } else {
      std::memcpy(&reinterpret_cast<sockaddr_in6*>(&at)->sin6_addr, &in6addr_loopback,
                  sizeof in6addr_loopback);
    }
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    const runtime::Descriptor listener(socket(family, SOCK_STREAM, 0));
    is_there = bind(listener.get(), address, length) == 0 && listen(listener.get(), 1) == 0 &&
               getsockname(listener.get(), address, &length) == 0;
    if (!is_there) return;
    client = runtime::Descriptor(socket(family, SOCK_STREAM, 0));
    EXPECT_EQ(connect(client.get(), address, length), 0);
    server = runtime::Descriptor(accept(listener.get(), nullptr, nullptr));
    EXPECT_EQ(getsockname(client.get(), address, &length), 0);
    std::uint16_t number = 0;
    std::memcpy(&number, &reinterpret_cast<sockaddr_in*>(&at)->sin_port, sizeof number);
    port = std::to_string(ntohs(number));
  }
  // Whether the other side has ended it.
  bool IsOver() const {
    char octet = 0;
    return recv(client.get(), &octet, 1, MSG_DONTWAIT) == 0;
  }
  bool is_there = false;
  runtime::Descriptor client;
  runtime::Descriptor server;
  std::string port;
};

TEST_F(ConnectionGateTest, EndsConnectionsFromAnAddressAndNoOther) {
  const Line first(AF_INET);
  const Line second(AF_INET);
  gate_.Add(first.server.get(), Address("127.0.0.1"), now_);
  gate_.Add(second.server.get(), Address("127.0.0.1"), now_);
  EXPECT_EQ(gate_.End("ipv4:127.0.0.2:" + second.port), 0u);
  EXPECT_EQ(gate_.End(""), 0u);
  EXPECT_FALSE(first.IsOver());
  EXPECT_EQ(gate_.End("ipv4:127.0.0.1:" + first.port), 2u);
  EXPECT_TRUE(first.IsOver());
  EXPECT_TRUE(second.IsOver());
}

TEST_F(ConnectionGateTest, EndsAConnectionOverIPv6) {
  const Line line(AF_INET6);
  if (!line.is_there) return;  // a host without IPv6
  gate_.Add(line.server.get(), Address("::1"), now_);
  EXPECT_EQ(gate_.End("ipv6:%5B::1%5D:" + line.port), 1u);
  EXPECT_TRUE(line.IsOver());
}

TEST_F(ConnectionGateTest, LeavesADescriptorAloneThatIsAnotherConnectionByNow) {
  Line former(AF_INET);
  Line current(AF_INET);
  const int descriptor = former.server.get();
  gate_.Add(descriptor, Address("127.0.0.1"), now_);
  // The same number, another socket.
  ASSERT_EQ(dup2(current.server.get(), descriptor), descriptor);
  EXPECT_EQ(gate_.End("ipv4:127.0.0.1:" + current.port), 0u);
  EXPECT_FALSE(current.IsOver());
}

}  // namespace
}  // namespace comity::transport
