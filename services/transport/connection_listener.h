// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/result.h"
#include "services/runtime/guarded.h"
#include "services/transport/address.h"
#include "services/transport/connection_gate.h"
#include "services/transport/limits.h"

namespace comity::transport {

// Listens at one address and takes connections within bounds; gRPC 1.51 would take them without
// end. What is refused is reset before an octet of it is read: it costs no handshake, no memory and
// no descriptor.
//
// Threads: by the owner; calls back from a thread of its own.
class ConnectionListener {
 public:
  struct Settings {
    Address address;  // each address that the host has is listened at; port 0: any
    limits::ConnectionBounds bounds;
    // Takes a connected socket over: close-on-exec, non-blocking, without delay.
    std::function<void(int descriptor)> hand_over;
    std::function<void(GateRefusal)> on_refusal;      // each time; must not block
    std::function<void(std::size_t open)> on_change;  // how many are open, now and then
  };
  // Listens; nobody is taken before Run.
  //
  // Errors: kUnavailable  the host has no address, or cannot be listened at
  static Result<std::unique_ptr<ConnectionListener>> Open(Settings settings);
  ~ConnectionListener();
  ConnectionListener(const ConnectionListener&) = delete;
  ConnectionListener& operator=(const ConnectionListener&) = delete;

  void Run();
  // No connection is taken or handed over once it returns, and the address is free.
  void Stop();
  // Ends the connections from the addresses of these ends, as gRPC names them, within moments,
  // until Stop. Threads: any.
  void End(std::vector<std::string> ends);
  int port() const { return port_; }

 private:
  explicit ConnectionListener(Settings settings);
  Status Listen();
  Status ListenAt(int family, const void* address, unsigned int length);
  void Serve(const std::stop_token& stop);
  void Wake() const;
  void EndAsked();
  void Accept(int listener);
  void CloseAll();

  const Settings settings_;
  ConnectionGate gate_;
  runtime::Guarded<std::vector<std::string>> to_end_;
  std::vector<int> listeners_;
  int wake_ = -1;  // an eventfd
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace comity::transport
