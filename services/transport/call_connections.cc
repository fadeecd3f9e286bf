// SPDX-License-Identifier: Apache-2.0
#include "services/transport/call_connections.h"

#include <grpc/grpc_security_constants.h>

#include <utility>

#include "services/transport/limits.h"

namespace comity::transport {

std::string CallerName(const grpc::AuthContext& context) {
  for (const char* property : {GRPC_PEER_SPIFFE_ID_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& value : context.FindPropertyValues(property)) {
      return {value.data(), value.size()};
    }
  }
  return {};
}

CallConnections& CallConnections::OfProcess() {
  static CallConnections* const all = [] {
    auto* made = new CallConnections;  // gRPC keeps it to the end of the process
    grpc::Server::SetGlobalCallbacks(made);
    return made;
  }();
  return *all;
}

void CallConnections::PreSynchronousRequest(grpc::ServerContext* context) {
  if (const auto auth = context->auth_context()) Note(CallerName(*auth), context->peer());
}

void CallConnections::Note(const std::string& caller, const std::string& end) {
  ends_.With([&](auto& ends) {
    if (ends.size() >= limits::kMaxKnownAddresses && !ends.contains(caller)) ends.clear();
    auto& own = ends[caller];
    if (own.size() >= limits::kFederationConnections.of_address) own.clear();
    own.insert_or_assign(end.substr(0, end.rfind(':')), end);
  });
}

std::vector<std::string> CallConnections::EndsOf(const std::string& caller) {
  return ends_.With([&](auto& ends) {
    std::vector<std::string> found;
    if (const auto own = ends.find(caller); own != ends.end()) {
      for (const auto& [address, end] : own->second) found.push_back(end);
    }
    return found;
  });
}

}  // namespace comity::transport
