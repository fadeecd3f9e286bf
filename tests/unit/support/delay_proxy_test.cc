// SPDX-License-Identifier: Apache-2.0
#include "tests/support/delay_proxy.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "services/runtime/descriptor.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using runtime::Descriptor;
using std::chrono::milliseconds;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor ConnectTo(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
  return socket;
}

void SendAll(const Descriptor& socket, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t put = ::send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    ASSERT_GT(put, 0);
    octets.remove_prefix(static_cast<std::size_t>(put));
  }
}

// Up to `size` octets, fewer if the other side ends first.
std::string Receive(const Descriptor& socket, std::size_t size) {
  std::string octets(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t part = ::recv(socket.get(), octets.data() + got, size - got, 0);
    if (part <= 0) break;
    got += static_cast<std::size_t>(part);
  }
  octets.resize(got);
  return octets;
}

// Serves each connection by a function, on a thread of its own, until it is destroyed.
class Server {
 public:
  explicit Server(std::function<void(const Descriptor&)> serve)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), serve_(std::move(serve)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::jthread([this] {
      while (true) {
        const int fd = ::accept(listener_.get(), nullptr, nullptr);
        if (fd < 0) return;
        serving_.emplace_back([this, fd] { serve_(Descriptor(fd)); });
      }
    });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
  }
  std::uint16_t port() const { return port_; }

 private:
  Descriptor listener_;
  std::function<void(const Descriptor&)> serve_;
  std::uint16_t port_ = 0;
  std::vector<std::jthread> serving_;
  std::jthread accepting_;
};

void Echo(const Descriptor& socket) {
  while (true) {
    const std::string part = Receive(socket, 1);
    if (part.empty()) return;
    SendAll(socket, part);
  }
}

// Everything until the sender ends, then the number of octets.
void CountAndAnswer(const Descriptor& socket) {
  constexpr std::size_t kPart = 10'000;
  std::size_t all = 0;
  for (std::size_t part = kPart; part == kPart; all += part) part = Receive(socket, kPart).size();
  SendAll(socket, std::to_string(all));
}

milliseconds TimeOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

std::string RandomOctets(std::size_t size) {
  std::mt19937_64 generator(1);
  std::string octets(size, '\0');
  for (char& octet : octets) octet = static_cast<char>(generator());
  return octets;
}

TEST(DelayProxy, CarriesOctetsUnchangedBothWaysAndCountsThem) {
  const std::string sent = RandomOctets(2'000'000);
  Server server([&](const Descriptor& socket) { SendAll(socket, Receive(socket, sent.size())); });
  auto proxy = DelayProxy::Start({.target = server.port(), .to_target = {}, .from_target = {}});
  ASSERT_THAT(proxy, IsOk());
  const Descriptor client = ConnectTo((*proxy)->port());
  std::jthread sending([&] { SendAll(client, sent); });
  EXPECT_EQ(Receive(client, sent.size()), sent);
  EXPECT_EQ((*proxy)->to_target_octets(), sent.size());
  EXPECT_EQ((*proxy)->from_target_octets(), sent.size());
}

TEST(DelayProxy, DelaysEachDirectionByItsOwnTime) {
  Server server(Echo);
  for (const auto& [there, back] : {std::pair{60, 0}, std::pair{0, 60}, std::pair{40, 30}}) {
    auto proxy = DelayProxy::Start({.target = server.port(),
                                    .to_target = {.delay = milliseconds(there)},
                                    .from_target = {.delay = milliseconds(back)}});
    ASSERT_THAT(proxy, IsOk());
    const Descriptor client = ConnectTo((*proxy)->port());
    for (int round = 0; round < 3; ++round) {
      const auto taken = TimeOf([&] {
        SendAll(client, "x");
        EXPECT_EQ(Receive(client, 1), "x");
      });
      EXPECT_GE(taken.count(), there + back - 1);
    }
  }
}

// A line holds many messages at once: 50 of them take not 50 times its delay.
TEST(DelayProxy, MessagesFollowOneAnotherOnTheLine) {
  Server server(Echo);
  auto proxy = DelayProxy::Start(
      {.target = server.port(), .to_target = {.delay = milliseconds(100)}, .from_target = {}});
  ASSERT_THAT(proxy, IsOk());
  const Descriptor client = ConnectTo((*proxy)->port());
  const auto taken = TimeOf([&] {
    for (int i = 0; i < 50; ++i) {
      SendAll(client, "y");
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_EQ(Receive(client, 50), std::string(50, 'y'));
  });
  EXPECT_GE(taken.count(), 100);
  EXPECT_LT(taken.count(), 2500);
}

TEST(DelayProxy, CarriesNoMoreThanItsRateOverAllConnections) {
  Server server(CountAndAnswer);
  auto proxy = DelayProxy::Start({.target = server.port(),
                                  .to_target = {.delay = {}, .octets_per_second = 1'000'000},
                                  .from_target = {}});
  ASSERT_THAT(proxy, IsOk());
  const std::string half(150'000, 'z');
  const auto send = [&] {
    const Descriptor client = ConnectTo((*proxy)->port());
    SendAll(client, half);
    ::shutdown(client.get(), SHUT_WR);
    EXPECT_EQ(Receive(client, 100), std::to_string(half.size()));
  };
  const auto taken = TimeOf([&] {
    std::jthread other(send);
    send();
  });
  EXPECT_GE(taken.count(), 299);
}

TEST(DelayProxy, TheOtherDirectionHasARateOfItsOwn) {
  const std::string answer(200'000, 'a');
  Server server([&](const Descriptor& socket) { SendAll(socket, answer); });
  auto proxy = DelayProxy::Start({.target = server.port(),
                                  .to_target = {},
                                  .from_target = {.delay = {}, .octets_per_second = 1'000'000}});
  ASSERT_THAT(proxy, IsOk());
  const Descriptor client = ConnectTo((*proxy)->port());
  EXPECT_GE(TimeOf([&] { EXPECT_EQ(Receive(client, answer.size() + 1), answer); }).count(), 199);
}

TEST(DelayProxy, PassesOnTheEndOfOneSideWhileTheOtherStillSpeaks) {
  Server server(CountAndAnswer);
  auto proxy = DelayProxy::Start({.target = server.port(),
                                  .to_target = {.delay = milliseconds(30)},
                                  .from_target = {.delay = milliseconds(30)}});
  ASSERT_THAT(proxy, IsOk());
  const Descriptor client = ConnectTo((*proxy)->port());
  SendAll(client, "12345");
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(Receive(client, 100), "5");  // and then its end
}

TEST(DelayProxy, LetsAClientGoWhoseTargetIsNotThere) {
  std::uint16_t nobody = 0;
  {
    const Server server(Echo);
    nobody = server.port();
  }
  auto proxy = DelayProxy::Start({.target = nobody, .to_target = {}, .from_target = {}});
  ASSERT_THAT(proxy, IsOk());
  const Descriptor client = ConnectTo((*proxy)->port());
  EXPECT_EQ(Receive(client, 1), "");
}

TEST(DelayProxy, EndsAtOnceWithWhatIsOnTheLine) {
  Server server(Echo);
  auto proxy = DelayProxy::Start(
      {.target = server.port(), .to_target = {.delay = std::chrono::hours(1)}, .from_target = {}});
  ASSERT_THAT(proxy, IsOk());
  const Descriptor client = ConnectTo((*proxy)->port());
  SendAll(client, "never arrives");
  EXPECT_LT(TimeOf([&] { proxy->reset(); }), std::chrono::seconds(10));
  EXPECT_EQ(Receive(client, 1), "");
}

// As Echo, where the connection may end at any time.
void EchoWhileItCan(const Descriptor& socket) {
  for (std::string part = Receive(socket, 1); !part.empty(); part = Receive(socket, 1)) {
    if (::send(socket.get(), part.data(), part.size(), MSG_NOSIGNAL) <= 0) return;
  }
}

class FailingLine : public ::testing::Test {
 protected:
  void SetUp() override {
    auto proxy = DelayProxy::Start({.target = server_.port(), .to_target = {}, .from_target = {}});
    ASSERT_THAT(proxy, IsOk());
    proxy_ = *std::move(proxy);
  }
  static bool Answers(const Descriptor& client, milliseconds patience) {
    const timeval timeout{0, static_cast<suseconds_t>(patience.count() * 1000)};
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return Receive(client, 1) == "x";
  }

  Server server_{EchoWhileItCan};
  std::unique_ptr<DelayProxy> proxy_;
};

TEST_F(FailingLine, HoldsWhatEntersUntilItIsHeldNoMore) {
  for (const auto& held : {DelayProxy::Failure{.holds_to_target = true},
                           DelayProxy::Failure{.holds_from_target = true}}) {
    const Descriptor client = ConnectTo(proxy_->port());
    proxy_->Set(held);
    SendAll(client, "x");
    EXPECT_FALSE(Answers(client, milliseconds(100)));
    proxy_->Set({});
    EXPECT_TRUE(Answers(client, milliseconds(900)));
  }
}

TEST_F(FailingLine, CutsEveryConnectionAndTakesNewOnes) {
  const Descriptor client = ConnectTo(proxy_->port());
  SendAll(client, "x");
  EXPECT_TRUE(Answers(client, milliseconds(900)));
  proxy_->Cut();
  EXPECT_EQ(Receive(client, 1), "");
  const Descriptor next = ConnectTo(proxy_->port());
  SendAll(next, "x");
  EXPECT_TRUE(Answers(next, milliseconds(900)));
}

TEST_F(FailingLine, CutsAfterSoManyOctetsOnce) {
  proxy_->CutAfter(3);
  const Descriptor client = ConnectTo(proxy_->port());
  SendAll(client, "xxx");
  EXPECT_LT(Receive(client, 3).size(), 3u);
  const Descriptor next = ConnectTo(proxy_->port());
  SendAll(next, "xxxxxx");
  EXPECT_EQ(Receive(next, 6), "xxxxxx");
}

TEST_F(FailingLine, RefusesNewConnections) {
  proxy_->Set({.refuses = true});
  const Descriptor client = ConnectTo(proxy_->port());
  EXPECT_EQ(Receive(client, 1), "");
}

}  // namespace
}  // namespace comity::testing
