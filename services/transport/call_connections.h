// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server.h>

#include <map>
#include <string>
#include <vector>

#include "services/runtime/guarded.h"

namespace comity::transport {

// The SPIFFE id of the certificate that a connection's handshake has verified, else its common
// name; empty without one.
std::string CallerName(const grpc::AuthContext& context);

// From which addresses each caller has called. gRPC judges calls by their certificate
// (call_gate.h), and only a call that got a thread shows its connection.
//
// Threads: thread-safe. One for the process, which is what gRPC offers.
class CallConnections final : public grpc::Server::GlobalCallbacks {
 public:
  // Made at the first call, before any server; is told of the calls of all servers.
  static CallConnections& OfProcess();

  void PreSynchronousRequest(grpc::ServerContext* context) override;
  void PostSynchronousRequest(grpc::ServerContext*) override {}

  void Note(const std::string& caller, const std::string& end);
  // As gRPC writes them, "ipv4:192.0.2.1:50051", one for each address; some may be over.
  std::vector<std::string> EndsOf(const std::string& caller);

 private:
  // By caller, by address.
  runtime::Guarded<std::map<std::string, std::map<std::string, std::string>>> ends_;
};

}  // namespace comity::transport
