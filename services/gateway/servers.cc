// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/servers.h"

#include <string>
#include <thread>

#include "services/transport/call_connections.h"
#include "services/transport/credentials.h"

namespace comity::gateway {

namespace {

using transport::CallGate;
using ConnectionType = grpc::ServerBuilder::experimental_type::ExternalConnectionType;

// In: key  "listen.federation"
std::string NameOf(std::string_view key) {
  return std::string(key.substr(key.find('.') + 1));
}

}  // namespace

Result<std::unique_ptr<transport::ConnectionListener>> Servers::MakeListener(
    const Port& port, grpc::experimental::ExternalConnectionAcceptor& acceptor) {
  const std::string name = NameOf(port.key);
  auto open =
      metrics_.Gauge({"comity_connections_open", "Connections of a port."}, {{"port", name}});
  return transport::ConnectionListener::Open(
      {.address = port.endpoint,
       .bounds = port.bounds.connections,
       .hand_over =
           [&acceptor](int descriptor) {
             grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
             connection.fd = descriptor;
             acceptor.HandleNewConnection(&connection);
           },
       .on_refusal = [this, name](transport::GateRefusal refusal) { NoteRefusal(name, refusal); },
       .on_change = [open](std::size_t count) mutable { open.Set(static_cast<double>(count)); }});
}

void Servers::NoteRefusal(std::string_view port, transport::GateRefusal refusal) {
  const std::string bound(transport::Name(refusal));
  metrics_
      .Counter({"comity_connections_refused_total",
                "Connections that were closed before their handshake, by bound."},
               {{"port", std::string(port)}, {"bound", bound}})
      .Add();
  handshakes_.AddConnection(port, bound);
}

std::shared_ptr<transport::CallGate> Servers::MakeCallGate(
    const Port& port, transport::ConnectionListener& listener) {
  const std::string name = NameOf(port.key);
  auto refused = metrics_.Counter(
      {"comity_calls_refused_total", "Calls beyond their caller's rate, before they got a thread."},
      {{"port", name}});
  return std::make_shared<transport::CallGate>(
      port.bounds.calls, [this, name, refused, &listener](const std::string& caller,
                                                          CallGate::Verdict verdict) mutable {
        refused.Add();
        handshakes_.AddCall(name, caller);
        if (verdict != CallGate::Verdict::kFlood) return;
        listener.End(transport::CallConnections::OfProcess().EndsOf(caller));
      });
}

Result<Servers::Running> Servers::Listen(const Port& port) {
  grpc::ServerBuilder builder;
  transport::ApplyServerDefaults(builder, port.bounds.max_message_size);
  if (port.bounds.stream_window > 0)
    transport::LimitStreamWindow(builder, port.bounds.stream_window);
  Running running;
  running.acceptor = builder.experimental().AddExternalConnectionAcceptor(ConnectionType::FROM_FD,
                                                                          port.credentials);
  auto listener = MakeListener(port, *running.acceptor);
  if (!listener) {
    return Fail(listener.error().code,
                std::string(port.key) + ": " + listener.error().detail + " (is it in use?)");
  }
  running.listener = *std::move(listener);
  port.credentials->SetAuthMetadataProcessor(MakeCallGate(port, *running.listener));
  running.port = running.listener->port();
  for (grpc::Service* service : port.services) builder.RegisterService(service);
  running.server = builder.BuildAndStart();
  if (!running.server) {
    return Fail(ErrorCode::kUnavailable, std::string(port.key) + ": gRPC did not start");
  }
  running.listener->Run();
  return running;
}

void Servers::Shutdown(Running& running, std::chrono::system_clock::time_point deadline) {
  if (running.listener) running.listener->Stop();
  if (running.server) running.server->Shutdown(deadline);
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
  std::jthread federation([&] { Shutdown(federation_, deadline); });
  Shutdown(agency_, deadline);
}

}  // namespace comity::gateway
