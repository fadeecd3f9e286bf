// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "services/gateway/gateway.h"
#include "services/runtime/config.h"

namespace comity::gateway {

// The gRPC servers of a gateway: the federation port for partners, the agency port for own people
// and engines.
//
// Threads: by the owner; Shutdown may be called again.
class Servers {
 public:
  struct Port {
    std::string_view key;  // of the configuration: "listen.agency"
    const runtime::Endpoint& endpoint;
    std::shared_ptr<grpc::ServerCredentials> credentials;
    int max_message_size = 0;  // octets: a constant of transport/limits.h
    std::vector<grpc::Service*> services;
    int stream_window = 0;  // octets: a constant of transport/limits.h; 0: as gRPC has it
  };

  // Listens. Errors: kUnavailable  the port cannot be bound; the detail names key and address
  Status Start(const Port& federation, const Port& agency);
  Status Start(const Port& agency);  // the federation port stays closed
  // Gives what is being answered so much time, on both ports together.
  void Shutdown(std::chrono::milliseconds patience);

  int federation_port() const { return federation_.port; }
  int agency_port() const { return agency_.port; }

 private:
  struct Running {
    std::unique_ptr<grpc::Server> server;
    int port = 0;
  };
  static Result<Running> Listen(const Port& port);
  Running federation_;
  Running agency_;
};

}  // namespace comity::gateway
