// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/servers.h"

#include <grpcpp/server_builder.h>

#include <string>
#include <thread>

#include "services/transport/credentials.h"

namespace comity::gateway {

Result<Servers::Running> Servers::Listen(const Port& port) {
  grpc::ServerBuilder builder;
  transport::ApplyServerDefaults(builder, port.max_message_size);
  if (port.stream_window > 0) transport::LimitStreamWindow(builder, port.stream_window);
  Running running;
  builder.AddListeningPort(port.endpoint.text(), port.credentials, &running.port);
  for (grpc::Service* service : port.services) builder.RegisterService(service);
  running.server = builder.BuildAndStart();
  if (running.port > 0) return running;
  return Fail(ErrorCode::kUnavailable, std::string(port.key) + ": cannot listen on " +
                                           port.endpoint.text() + " (is it in use?)");
}

Status Servers::Start(const Port& federation, const Port& agency) {
  COMITY_ASSIGN_OR_RETURN(federation_, Listen(federation));
  COMITY_ASSIGN_OR_RETURN(agency_, Listen(agency));
  return {};
}

Status Servers::Start(const Port& agency) {
  COMITY_ASSIGN_OR_RETURN(agency_, Listen(agency));
  return {};
}

void Servers::Shutdown(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::system_clock::now() + patience;
  std::jthread federation([&] {
    if (federation_.server) federation_.server->Shutdown(deadline);
  });
  if (agency_.server) agency_.server->Shutdown(deadline);
}

}  // namespace comity::gateway
