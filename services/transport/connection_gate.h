// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "services/transport/limits.h"

namespace comity::transport {

// Where a connection comes from, as far as bounds go: an IPv4 address, or the first 64 bits of an
// IPv6 address, since one host has as many addresses as it likes below them.
using AddressKey = std::array<std::uint8_t, 16>;
AddressKey KeyOf(const sockaddr_storage& address);

// Why a connection is not taken.
enum class GateRefusal {
  kTooMany,                  // the port's places are taken
  kTooManyOfAddress,         // those of this address are
  kTooManyForming,           // too many handshakes are under way
  kTooManyFormingOfAddress,  // from this address
  kTooFast,                  // too many new ones a second
};
std::string_view Name(GateRefusal refusal);  // "connections", "connections-of-address", ...

// Which new connections of one port are taken: decides and counts, and owns no descriptor. A
// connection is forming for as long as a handshake may take, and established when it is there after
// that: the server closes one that has not shown a good certificate by then. From then on its
// address is known for a day. Strangers get a part of the places only, so that a partner finds one
// whoever else calls.
//
// That a connection is over is seen by its descriptor: closed, or another socket by now. Nothing is
// held open to see it.
//
// Threads: thread-compatible.
class ConnectionGate {
 public:
  using Clock = std::chrono::steady_clock;  // a jump of the wall clock lets nobody in
  ConnectionGate(const limits::ConnectionBounds& bounds, Clock::time_point now)
      : bounds_(bounds), strangers_{bounds.strangers_burst, now} {}

  // Whether a connection from there is taken now; Add it then.
  std::optional<GateRefusal> Refuses(const AddressKey& from, Clock::time_point now);
  // In: descriptor  an open socket, which may be closed by anybody later
  void Add(int descriptor, const AddressKey& from, Clock::time_point now);
  // Forgets what is over, and sees what has become established.
  void Sweep(Clock::time_point now);

  // Shuts down what was added and comes from the address of `end`, whatever its port; the owner
  // sees it end and closes it. In: end  as gRPC names it: "ipv4:192.0.2.1:50051",
  // "ipv6:%5B2001:db8::1%5D:50051" Out: how many
  std::size_t End(std::string_view end) const;

  std::size_t open() const { return connections_.size(); }
  bool IsKnown(const AddressKey& from, Clock::time_point now) const;

 private:
  struct Bucket {
    double tokens = 0;
    Clock::time_point at{};
    bool Take(double per_second, double burst, Clock::time_point now);
  };
  struct Place {  // of one address
    Bucket rate;
    Clock::time_point known_until{};
    bool in_use = false;  // by a connection, or its rate has not recovered
  };
  struct Connection {
    dev_t device = 0;
    ino_t inode = 0;
    Place* place = nullptr;  // in `places_`
    Clock::time_point since{};
  };
  std::optional<GateRefusal> Lacks(const Place& place, Clock::time_point now) const;
  void ForgetPlaces(Clock::time_point now);

  const limits::ConnectionBounds bounds_;
  std::map<int, Connection> connections_;  // by descriptor
  std::map<AddressKey, Place> places_;     // as many as the strangers' rate lets in, and the known
  Bucket strangers_;                       // the rate of all addresses that are not known
  Clock::time_point swept_{};
};

}  // namespace comity::transport
