// SPDX-License-Identifier: Apache-2.0
#include "services/transport/connection_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

namespace comity::transport {
namespace {

constexpr int kSweepPauseMs = 250;
// While the process has no descriptor left: asking again at once would take a whole core.
constexpr std::chrono::milliseconds kNoDescriptorPause{50};
constexpr int kAcceptedAtOnce = 64;  // then the others, and the end, are looked at

struct AddressesFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Status Failed(const Address& address, const std::string& why) {
  return Fail(ErrorCode::kUnavailable, "cannot listen on " + address.text() + ": " + why);
}

bool Turn(int socket, int level, int option) {
  const int on = 1;
  return setsockopt(socket, level, option, &on, sizeof on) == 0;
}

void Reset(int descriptor) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(descriptor);
}

std::uint16_t PortOf(int socket) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  std::uint16_t port = 0;  // at the same place for both families
  std::memcpy(&port, &reinterpret_cast<const sockaddr_in*>(&bound)->sin_port, sizeof port);
  return ntohs(port);
}

}  // namespace

ConnectionListener::ConnectionListener(Settings settings)
    : settings_(std::move(settings)), gate_(settings_.bounds, ConnectionGate::Clock::now()) {}

Result<std::unique_ptr<ConnectionListener>> ConnectionListener::Open(Settings settings) {
  std::unique_ptr<ConnectionListener> listener(new ConnectionListener(std::move(settings)));
  COMITY_RETURN_IF_ERROR(listener->Listen());
  return listener;
}

ConnectionListener::~ConnectionListener() {
  Stop();
  if (wake_ >= 0) close(wake_);
}

Status ConnectionListener::Listen() {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) return Failed(settings_.address, std::strerror(errno));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int fault = getaddrinfo(settings_.address.host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, AddressesFree> owner(list);
  if (fault != 0) return Failed(settings_.address, gai_strerror(fault));
  port_ = settings_.address.port;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    COMITY_RETURN_IF_ERROR(ListenAt(each->ai_family, each->ai_addr, each->ai_addrlen));
  }
  if (listeners_.empty()) return Failed(settings_.address, "the host has no address");
  return {};
}

Status ConnectionListener::ListenAt(int family, const void* address, unsigned int length) {
  if (family != AF_INET && family != AF_INET6) return {};
  sockaddr_storage at{};
  std::memcpy(&at, address, length);
  const std::uint16_t port = htons(static_cast<std::uint16_t>(port_));
  std::memcpy(&reinterpret_cast<sockaddr_in*>(&at)->sin_port, &port, sizeof port);
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) {
    // A host without IPv6 still has `localhost` as ::1 in its table.
    if (errno == EAFNOSUPPORT) return {};
    return Failed(settings_.address, std::strerror(errno));
  }
  listeners_.push_back(socket);
  // A restart does not wait for what the last process left in TIME_WAIT. No SO_REUSEPORT: two
  // processes on one port would each get half of the calls.
  Turn(socket, SOL_SOCKET, SO_REUSEADDR);
  if (bind(socket, reinterpret_cast<const sockaddr*>(&at), length) == 0 &&
      listen(socket, SOMAXCONN) == 0) {
    if (port_ == 0) port_ = PortOf(socket);
    return {};
  }
  if (errno == EADDRNOTAVAIL && listeners_.size() > 1) {
    close(socket);
    listeners_.pop_back();
    return {};
  }
  return Failed(settings_.address, std::strerror(errno));
}

void ConnectionListener::Run() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Serve(stop); });
}

void ConnectionListener::Wake() const {
  const std::uint64_t one = 1;
  if (wake_ >= 0 && write(wake_, &one, sizeof one) < 0) {
    // The counter is full: it is awake anyway.
  }
}

void ConnectionListener::End(std::vector<std::string> ends) {
  if (ends.empty()) return;
  to_end_.With([&](auto& all) { std::ranges::move(ends, std::back_inserter(all)); });
  Wake();
}

void ConnectionListener::EndAsked() {
  std::uint64_t ignored = 0;
  if (read(wake_, &ignored, sizeof ignored) < 0) return;  // nobody has asked
  for (const auto& end : to_end_.With([](auto& all) { return std::exchange(all, {}); })) {
    gate_.End(end);
  }
}

void ConnectionListener::Stop() {
  thread_.request_stop();
  Wake();
  if (thread_.joinable()) thread_.join();
  CloseAll();
}

void ConnectionListener::CloseAll() {
  for (const int listener : listeners_) close(listener);
  listeners_.clear();
}

void ConnectionListener::Serve(const std::stop_token& stop) {
  std::vector<pollfd> watched{{wake_, POLLIN, 0}};
  for (const int listener : listeners_) watched.push_back({listener, POLLIN, 0});
  auto next_sweep = ConnectionGate::Clock::now();
  while (!stop.stop_requested()) {
    poll(watched.data(), watched.size(), kSweepPauseMs);
    EndAsked();
    for (std::size_t i = 1; i < watched.size(); ++i) {
      if ((watched[i].revents & POLLIN) != 0) Accept(watched[i].fd);
    }
    const auto now = ConnectionGate::Clock::now();
    if (now < next_sweep) continue;
    next_sweep = now + std::chrono::milliseconds(kSweepPauseMs);
    gate_.Sweep(now);
    settings_.on_change(gate_.open());
  }
}

void ConnectionListener::Accept(int listener) {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const int descriptor = accept4(listener, reinterpret_cast<sockaddr*>(&from), &length,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno != EAGAIN) std::this_thread::sleep_for(kNoDescriptorPause);
      return;
    }
    const auto now = ConnectionGate::Clock::now();
    const AddressKey key = KeyOf(from);
    if (const auto refusal = gate_.Refuses(key, now)) {
      Reset(descriptor);
      settings_.on_refusal(*refusal);
      continue;
    }
    Turn(descriptor, IPPROTO_TCP, TCP_NODELAY);
    gate_.Add(descriptor, key, now);
    settings_.hand_over(descriptor);
  }
}

}  // namespace comity::transport
