// SPDX-License-Identifier: Apache-2.0
#include "services/transport/connection_gate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "services/runtime/descriptor.h"

namespace comity::transport {
namespace {

// A full gate looks whether something is over before it refuses, but not for every one of a flood.
constexpr std::chrono::milliseconds kLeastSweepPause{20};
constexpr std::size_t kNetworkPart = 8;  // octets of an IPv6 address

struct stat StateOf(int descriptor) {
  struct stat state{};
  if (fstat(descriptor, &state) != 0) state = {};  // closed: no socket has inode 0
  return state;
}

// The other side of a connection, as gRPC names it, without its port; empty when it is over.
std::string AddressOf(int descriptor) {
  sockaddr_storage end{};
  socklen_t length = sizeof end;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&end), &length) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (end.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &end, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return "ipv4:" + std::string(text.data());
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &end, sizeof v6);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
    return "ipv4:" + std::string(text.data());
  }
  inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  return "ipv6:%5B" + std::string(text.data()) + "%5D";
}

// What has come and nobody has read would still be served, megabytes of it. The reader finds its
// end, or a record of TLS that is none.
void DropUnread(int descriptor) {
  std::array<char, 64 * 1024> octets;
  while (recv(descriptor, octets.data(), octets.size(), MSG_DONTWAIT) > 0) {
  }
}

bool IsForming(ConnectionGate::Clock::time_point since, ConnectionGate::Clock::time_point now) {
  return now - since < limits::kHandshakeTimeout + limits::kHandshakeSlack;
}

}  // namespace

AddressKey KeyOf(const sockaddr_storage& address) {
  AddressKey key{};
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    key[10] = key[11] = 0xff;  // as IPv6 maps it
    std::memcpy(&key[12], &v4.sin_addr, sizeof v4.sin_addr);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) != 0;
    std::memcpy(key.data(), &v6.sin6_addr, is_mapped ? key.size() : kNetworkPart);
  }
  return key;
}

std::string_view Name(GateRefusal refusal) {
  switch (refusal) {
    case GateRefusal::kTooMany:
      return "connections";
    case GateRefusal::kTooManyOfAddress:
      return "connections-of-address";
    case GateRefusal::kTooManyForming:
      return "handshakes";
    case GateRefusal::kTooManyFormingOfAddress:
      return "handshakes-of-address";
    case GateRefusal::kTooFast:
      return "rate";
  }
  return "unknown";
}

bool ConnectionGate::Bucket::Take(double per_second, double burst, Clock::time_point now) {
  const std::chrono::duration<double> passed = now - at;
  tokens = std::min(burst, tokens + passed.count() * per_second);
  at = now;
  if (tokens < 1) return false;
  tokens -= 1;
  return true;
}

std::optional<GateRefusal> ConnectionGate::Refuses(const AddressKey& from, Clock::time_point now) {
  const auto found = places_.find(from);
  Place fresh{.rate = {bounds_.burst, now}};
  Place& place = found == places_.end() ? fresh : found->second;
  if (!place.rate.Take(bounds_.per_second, bounds_.burst, now)) return GateRefusal::kTooFast;
  auto refusal = Lacks(place, now);
  if (refusal && now - swept_ >= kLeastSweepPause) {
    Sweep(now);
    if (const auto still = places_.find(from); still != places_.end()) {
      refusal = Lacks(still->second, now);
    } else {
      refusal = Lacks(fresh, now);
    }
  }
  if (refusal || IsKnown(from, now)) return refusal;
  // Last, so that what is refused anyway does not use up the strangers' rate.
  if (strangers_.Take(bounds_.strangers_per_second, bounds_.strangers_burst, now)) return {};
  return GateRefusal::kTooFast;
}

std::optional<GateRefusal> ConnectionGate::Lacks(const Place& place, Clock::time_point now) const {
  std::size_t strangers = 0;
  std::size_t forming = 0;  // of strangers
  std::size_t own = 0;
  std::size_t own_forming = 0;
  for (const auto& [descriptor, connection] : connections_) {
    const bool is_forming = IsForming(connection.since, now);
    if (connection.place->known_until < now) {
      ++strangers;
      if (is_forming) ++forming;
    }
    if (connection.place != &place) continue;
    ++own;
    if (is_forming) ++own_forming;
  }
  if (own >= bounds_.of_address) return GateRefusal::kTooManyOfAddress;
  if (own_forming >= bounds_.forming_of_address) return GateRefusal::kTooManyFormingOfAddress;
  if (connections_.size() >= bounds_.all) return GateRefusal::kTooMany;
  if (place.known_until >= now) return {};
  if (strangers >= bounds_.strangers) return GateRefusal::kTooMany;
  if (forming >= bounds_.forming) return GateRefusal::kTooManyForming;
  return {};
}

void ConnectionGate::Add(int descriptor, const AddressKey& from, Clock::time_point now) {
  const struct stat state = StateOf(descriptor);
  Place& place = places_.try_emplace(from, Place{.rate = {bounds_.burst - 1, now}}).first->second;
  connections_[descriptor] = {state.st_dev, state.st_ino, &place, now};
}

void ConnectionGate::Sweep(Clock::time_point now) {
  swept_ = now;
  std::erase_if(connections_, [](const auto& each) {
    const struct stat state = StateOf(each.first);
    return state.st_ino != each.second.inode || state.st_dev != each.second.device;
  });
  ForgetPlaces(now);
}

void ConnectionGate::ForgetPlaces(Clock::time_point now) {
  for (auto& [from, place] : places_) {
    const std::chrono::duration<double> passed = now - place.rate.at;
    place.in_use = place.rate.tokens + passed.count() * bounds_.per_second < bounds_.burst;
  }
  auto known = static_cast<std::size_t>(std::ranges::count_if(
      places_, [&](const auto& each) { return each.second.known_until >= now; }));
  for (auto& [descriptor, connection] : connections_) {
    Place& place = *connection.place;
    place.in_use = true;
    if (IsForming(connection.since, now)) continue;
    if (place.known_until < now && known++ >= limits::kMaxKnownAddresses) continue;
    place.known_until = now + limits::kAddressKnown;
  }
  std::erase_if(places_, [&](const auto& each) {
    return !each.second.in_use && each.second.known_until < now;
  });
}

std::size_t ConnectionGate::End(std::string_view end) const {
  const std::string_view address = end.substr(0, end.rfind(':'));
  std::size_t ended = 0;
  if (address.empty()) return ended;
  for (const auto& [descriptor, connection] : connections_) {
    // Its owner may close it at any moment and get the number anew: the duplicate stays one socket.
    const runtime::Descriptor own(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!own.valid()) continue;
    const struct stat state = StateOf(own.get());
    if (state.st_ino != connection.inode || state.st_dev != connection.device) continue;
    if (AddressOf(own.get()) != address || shutdown(own.get(), SHUT_RDWR) != 0) continue;
    DropUnread(own.get());
    ++ended;
  }
  return ended;
}

bool ConnectionGate::IsKnown(const AddressKey& from, Clock::time_point now) const {
  const auto place = places_.find(from);
  return place != places_.end() && place->second.known_until >= now;
}

}  // namespace comity::transport
