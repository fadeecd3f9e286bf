// SPDX-License-Identifier: Apache-2.0
#include "tests/support/delay_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <list>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "services/runtime/descriptor.h"

namespace comity::testing {
namespace {

using Time = std::chrono::steady_clock::time_point;
using runtime::Descriptor;

constexpr std::size_t kChunk = std::size_t{16} << 10U;
// What one direction of a connection holds at most; a sender that is ahead of it waits.
constexpr std::size_t kMostHeld = std::size_t{16} << 20U;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor NewSocket() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return socket;
}

// The line adds the delay that is wanted; Nagle's would come on top.
void SendAtOnce(const Descriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// One direction of the line.
class Carrier {
 public:
  explicit Carrier(const DelayProxy::Line& line) : line_(line) {}

  // When `size` octets that enter now leave the far end.
  Time Send(std::size_t size, Time now) {
    entered_ += size;
    if (line_.octets_per_second == 0) return now + line_.delay;
    const auto busy = std::chrono::nanoseconds(size * std::nano::den / line_.octets_per_second);
    free_at_ = std::max(free_at_, now) + busy;
    return free_at_ + line_.delay;
  }
  std::uint64_t entered() const { return entered_; }

 private:
  DelayProxy::Line line_;
  Time free_at_{};
  std::atomic<std::uint64_t> entered_{0};
};

// One direction of a connection: what is on its way from one socket to the other.
class Flow {
 public:
  enum class Health { kGood, kBroken };

  bool WantsInput() const { return !input_ended_ && held_ < kMostHeld; }
  bool ended() const { return output_ended_; }
  std::optional<Time> next_due() const {
    return chunks_.empty() ? std::nullopt : std::optional(chunks_.front().due);
  }
  bool IsDue(Time now) const { return !chunks_.empty() && chunks_.front().due <= now; }

  Health Take(int from, Carrier& carrier, Time now) {
    std::array<char, kChunk> buffer;
    const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? Health::kGood : Health::kBroken;
    const auto size = static_cast<std::size_t>(got);
    input_ended_ = size == 0;
    held_ += size;
    chunks_.push_back({carrier.Send(size, now), {buffer.data(), buffer.data() + size}, 0});
    return Health::kGood;
  }

  Health Give(int to, Time now) {
    while (IsDue(now)) {
      Chunk& chunk = chunks_.front();
      if (chunk.octets.empty()) {  // the end
        output_ended_ = true;
        chunks_.pop_front();
        return ::shutdown(to, SHUT_WR) == 0 ? Health::kGood : Health::kBroken;
      }
      const ssize_t put = ::send(to, chunk.octets.data() + chunk.given,
                                 chunk.octets.size() - chunk.given, MSG_NOSIGNAL);
      if (put < 0) return errno == EAGAIN || errno == EINTR ? Health::kGood : Health::kBroken;
      held_ -= static_cast<std::size_t>(put);
      chunk.given += static_cast<std::size_t>(put);
      if (chunk.given < chunk.octets.size()) return Health::kGood;
      chunks_.pop_front();
    }
    return Health::kGood;
  }

 private:
  struct Chunk {
    Time due;
    std::vector<char> octets;  // none: the sender has ended
    std::size_t given;
  };
  std::deque<Chunk> chunks_;
  std::size_t held_ = 0;
  bool input_ended_ = false;
  bool output_ended_ = false;
};

struct Connection {
  Descriptor client;
  Descriptor target;
  Flow up;    // client to target
  Flow down;  // target to client
};

}  // namespace

class DelayProxy::Loop {
 public:
  Loop(const Setup& setup, Descriptor listener, Descriptor wake, std::uint16_t port)
      : port_(port),
        target_(setup.target),
        listener_(std::move(listener)),
        wake_(std::move(wake)),
        up_(setup.to_target),
        down_(setup.from_target),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}
  ~Loop() {
    thread_.request_stop();
    Wake();
  }
  std::uint16_t port() const { return port_; }
  std::uint64_t up_octets() const { return up_.entered(); }
  std::uint64_t down_octets() const { return down_.entered(); }

  void Set(const Failure& failure) {
    holds_up_ = failure.holds_to_target;
    holds_down_ = failure.holds_from_target;
    refuses_ = failure.refuses;
    Wake();
  }
  void Cut() {
    cut_ = true;
    Wake();
  }
  void CutAfter(std::uint64_t octets) { cut_at_ = up_octets() + down_octets() + octets; }

 private:
  void Wake() const {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Wait();
      const Time now = std::chrono::steady_clock::now();
      std::uint64_t woken = 0;
      (void)!::read(wake_.get(), &woken, sizeof woken);
      Accept();
      connections_.remove_if([&](Connection& connection) { return !Serve(connection, now); });
      if (IsCut()) connections_.clear();
    }
    connections_.clear();
  }

  bool IsCut() {
    const std::uint64_t at = cut_at_;
    const bool reached = at != 0 && up_octets() + down_octets() >= at;
    if (reached) cut_at_ = 0;
    return cut_.exchange(false) || reached;
  }

  // Until a socket is ready for what it is asked for, or the next chunk is due.
  void Wait() {
    const Time now = std::chrono::steady_clock::now();
    std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    std::optional<Time> next;
    for (const Connection& c : connections_) {
      Ask(c.client, c.up, !holds_down_ && c.down.IsDue(now), polled);
      Ask(c.target, c.down, !holds_up_ && c.up.IsDue(now), polled);
      for (const Flow* flow : {&c.up, &c.down}) {
        const auto due = flow->next_due();
        if (due && *due > now && (!next || *due < *next)) next = due;
      }
    }
    timespec patience{};
    if (next) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*next - now).count();
      patience = {left / std::nano::den, left % std::nano::den};
    }
    ::ppoll(polled.data(), polled.size(), next ? &patience : nullptr, nullptr);
  }

  static void Ask(const Descriptor& socket, const Flow& in, bool gives,
                  std::vector<pollfd>& polled) {
    const int events = (in.WantsInput() ? POLLIN : 0) | (gives ? POLLOUT : 0);
    // Nothing is asked of a socket that has nothing to do: it would report its end all the time.
    if (events != 0) polled.push_back({socket.get(), static_cast<short>(events), 0});
  }

  void Accept() {
    while (true) {
      Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client.valid()) return;
      if (refuses_) continue;
      Descriptor target = NewSocket();
      const sockaddr_in address = Loopback(target_);
      if (!target.valid() || (::connect(target.get(), reinterpret_cast<const sockaddr*>(&address),
                                        sizeof address) != 0 &&
                              errno != EINPROGRESS)) {
        continue;  // the client is let go
      }
      SendAtOnce(client);
      SendAtOnce(target);
      connections_.push_back({std::move(client), std::move(target), {}, {}});
    }
  }

  // False: the connection is over.
  bool Serve(Connection& c, Time now) {
    const auto good = [](Flow::Health health) { return health == Flow::Health::kGood; };
    if (c.up.WantsInput() && !good(c.up.Take(c.client.get(), up_, now))) return false;
    if (c.down.WantsInput() && !good(c.down.Take(c.target.get(), down_, now))) return false;
    if (!holds_up_ && !good(c.up.Give(c.target.get(), now))) return false;
    if (!holds_down_ && !good(c.down.Give(c.client.get(), now))) return false;
    return !(c.up.ended() && c.down.ended());
  }

  const std::uint16_t port_;
  const std::uint16_t target_;
  Descriptor listener_;
  Descriptor wake_;
  Carrier up_;
  Carrier down_;
  std::atomic<bool> holds_up_ = false;
  std::atomic<bool> holds_down_ = false;
  std::atomic<bool> refuses_ = false;
  std::atomic<bool> cut_ = false;
  std::atomic<std::uint64_t> cut_at_ = 0;  // of all octets; 0: not
  std::list<Connection> connections_;      // of the thread alone
  std::jthread thread_;                    // last: uses all of the above
};

DelayProxy::DelayProxy(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
DelayProxy::~DelayProxy() = default;

Result<std::unique_ptr<DelayProxy>> DelayProxy::Start(const Setup& setup) {
  Descriptor listener = NewSocket();
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 128;
  if (!listener.valid() || !wake.valid() || ::bind(listener.get(), generic, size) != 0 ||
      ::listen(listener.get(), kBacklog) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0) {
    return Fail(ErrorCode::kUnavailable, "no socket for a proxy");
  }
  return std::unique_ptr<DelayProxy>(new DelayProxy(std::make_unique<Loop>(
      setup, std::move(listener), std::move(wake), ntohs(address.sin_port))));
}

void DelayProxy::Set(const Failure& failure) {
  loop_->Set(failure);
}
void DelayProxy::Cut() {
  loop_->Cut();
}
void DelayProxy::CutAfter(std::uint64_t octets) {
  loop_->CutAfter(octets);
}
std::uint16_t DelayProxy::port() const {
  return loop_->port();
}
std::uint64_t DelayProxy::to_target_octets() const {
  return loop_->up_octets();
}
std::uint64_t DelayProxy::from_target_octets() const {
  return loop_->down_octets();
}

}  // namespace comity::testing
