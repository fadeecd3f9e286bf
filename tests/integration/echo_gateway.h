// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "comity/v1/federation.grpc.pb.h"
#include "comity/v1/node.grpc.pb.h"
#include "crypto/base/check.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::testing {

// A server of the real services, credentials and limits whose handlers only say who calls (Node)
// and send back what comes (Federation.Search); each call, and each message of a stream, asks who
// it is.
class EchoGateway final {
 public:
  EchoGateway(const std::filesystem::path& identity, std::shared_ptr<transport::TrustStore> trust,
              const runtime::Clock& clock)
      : trust_(std::move(trust)), clock_(clock), node_(*this), federation_(*this) {
    auto tls = transport::ServerTls::Open(
        {identity, trust_, clock_, [this](const Error&) { ++refusals_; }});
    COMITY_CHECK(tls.has_value());
    tls_ = std::move(*tls);
    grpc::ServerBuilder builder;
    transport::ApplyServerDefaults(builder, transport::limits::kMaxFederationMessage);
    builder.AddListeningPort("127.0.0.1:0", tls_->credentials(), &port_);
    builder.RegisterService(&node_);
    builder.RegisterService(&federation_);
    server_ = builder.BuildAndStart();
    COMITY_CHECK(server_ != nullptr && port_ != 0);
  }
  ~EchoGateway() { server_->Shutdown(std::chrono::system_clock::now()); }
  EchoGateway(const EchoGateway&) = delete;
  EchoGateway& operator=(const EchoGateway&) = delete;

  int port() const { return port_; }
  int refusals() const { return refusals_; }
  transport::Address address() const { return {"127.0.0.1", static_cast<std::uint16_t>(port_)}; }

 private:
  Result<transport::VerifiedPeer> Caller(const grpc::ServerContextBase& context) {
    return transport::CallerOf(context, *trust_, clock_.Now());
  }

  class Node final : public v1::Node::Service {
   public:
    explicit Node(EchoGateway& gateway) : gateway_(gateway) {}
    grpc::Status Status(grpc::ServerContext* context, const v1::NodeStatusRequest*,
                        v1::NodeStatusResponse* response) override {
      const auto caller = gateway_.Caller(*context);
      if (!caller) return transport::ToGrpcStatus(caller.error(), "c1");
      response->set_agency(caller->agency);
      response->set_version(transport::EncodeSpiffeId(caller->identity));
      return grpc::Status::OK;
    }

   private:
    EchoGateway& gateway_;
  };

  class Federation final : public v1::Federation::Service {
   public:
    explicit Federation(EchoGateway& gateway) : gateway_(gateway) {}
    grpc::Status Hello(grpc::ServerContext* context, const v1::SignedMessage* request,
                       v1::SignedMessage* response) override {
      const auto caller = gateway_.Caller(*context);
      if (!caller) return transport::ToGrpcStatus(caller.error(), "c1");
      *response = *request;
      return grpc::Status::OK;
    }
    grpc::Status Search(
        grpc::ServerContext* context,
        grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override {
      v1::SignedMessage message;
      while (stream->Read(&message)) {
        const auto caller = gateway_.Caller(*context);
        if (!caller) return transport::ToGrpcStatus(caller.error(), "c1");
        if (!stream->Write(message)) break;
      }
      return grpc::Status::OK;
    }

   private:
    EchoGateway& gateway_;
  };

  std::shared_ptr<transport::TrustStore> trust_;
  const runtime::Clock& clock_;
  std::atomic<int> refusals_{0};
  Node node_;
  Federation federation_;
  int port_ = 0;
  std::unique_ptr<transport::ServerTls> tls_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace comity::testing
