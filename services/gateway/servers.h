// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "services/gateway/gateway.h"
#include "services/gateway/handshake_log.h"
#include "services/runtime/config.h"
#include "services/runtime/metrics.h"
#include "services/transport/call_gate.h"
#include "services/transport/connection_listener.h"

namespace comity::gateway {

// The gRPC servers of a gateway: the federation port for partners, the agency port for own people
// and engines. Connections are taken by listeners of our own, within bounds of transport/limits.h,
// and handed to gRPC; those that are refused are counted in comity_connections_refused_total and
// gathered in the program log. So are calls beyond their caller's rate, in
// comity_calls_refused_total.
//
// Threads: by the owner; Shutdown may be called again.
class Servers {
 public:
  struct Port {
    std::string_view key;  // of the configuration: "listen.agency"
    const runtime::Endpoint& endpoint;
    std::shared_ptr<grpc::ServerCredentials> credentials;
    transport::limits::PortBounds bounds;
    std::vector<grpc::Service*> services;
  };

  // References must outlive the object.
  Servers(runtime::Metrics& metrics, HandshakeLog& handshakes)
      : metrics_(metrics), handshakes_(handshakes) {}

  // Before what its servers refer to goes.
  ~Servers() { Shutdown(std::chrono::milliseconds(0)); }
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // Listens. Errors: kUnavailable  the port cannot be bound; the detail names key and address
  Status Start(const Port& federation, const Port& agency);
  Status Start(const Port& agency);  // the federation port stays closed
  // Gives what is being answered so much time, on both ports together.
  void Shutdown(std::chrono::milliseconds patience);

  // What the web port tells of each connection that it does not take. The object must outlive it.
  std::function<void(transport::GateRefusal)> WebRefusals() {
    return [this](transport::GateRefusal refusal) { NoteRefusal("web", refusal); };
  }

  int federation_port() const { return federation_.port; }
  int agency_port() const { return agency_.port; }

 private:
  struct Running {
    std::unique_ptr<grpc::Server> server;
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
    std::unique_ptr<transport::ConnectionListener> listener;  // hands over to `acceptor`
    int port = 0;
  };
  Result<Running> Listen(const Port& port);
  Result<std::unique_ptr<transport::ConnectionListener>> MakeListener(
      const Port& port, grpc::experimental::ExternalConnectionAcceptor& acceptor);
  // Counts and logs. In: port  "federation", "agency", "web"
  void NoteRefusal(std::string_view port, transport::GateRefusal refusal);
  std::shared_ptr<transport::CallGate> MakeCallGate(const Port& port,
                                                    transport::ConnectionListener& listener);
  static void Shutdown(Running& running, std::chrono::system_clock::time_point deadline);

  runtime::Metrics& metrics_;
  HandshakeLog& handshakes_;
  Running federation_;
  Running agency_;
};

}  // namespace comity::gateway
