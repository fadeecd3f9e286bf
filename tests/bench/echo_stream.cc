// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/echo_stream.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <string>
#include <utility>

#include "crypto/base/check.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "tests/bench/bare_echo.h"
#include "tests/support/test_agency.h"

namespace comity::bench {

namespace limits = transport::limits;

struct EchoStream::Parts {
  explicit Parts(Sizes sizes)
      : echo(sizes.answer == 0 ? std::make_unique<BareEcho>()
                               : std::make_unique<BareEcho>(sizes.answer)) {
    const auto identity = police.IssueGateway(clock.Now()).pem_file;
    const auto caller = council.IssueGateway(clock.Now()).pem_file;
    auto opened = transport::TrustStore::ForFederation({council.AsPeer()});
    COMITY_CHECK(opened.has_value());
    tls = transport::ServerTls::Open({identity, std::move(*opened), clock, nullptr}).value();
    int port = 0;
    grpc::ServerBuilder builder;
    transport::ApplyServerDefaults(builder, limits::kMaxFederationMessage);
    builder.AddListeningPort("127.0.0.1:0", tls->credentials(), &port);
    builder.RegisterService(echo.get());
    server = builder.BuildAndStart();
    COMITY_CHECK(server != nullptr);
    const auto channel = transport::OpenChannel(
        {{"127.0.0.1", static_cast<std::uint16_t>(port)}, caller, police.AsPeer()},
        {limits::kMaxFederationMessage, clock});
    stub = v1::Federation::NewStub(channel.value());
    stream = stub->Search(&context);
    message.set_payload(std::string(sizes.message, 'x'));
    message.set_signature(std::string(64, 's'));
  }
  ~Parts() {
    context.TryCancel();
    stream->Finish();
    server->Shutdown();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  runtime::SystemClock clock;
  testing::TestAgency police{"northshire-police", clock.Now()};
  testing::TestAgency council{"eastvale-council", clock.Now()};
  std::unique_ptr<transport::ServerTls> tls;
  std::unique_ptr<BareEcho> echo;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::Federation::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SignedMessage, v1::SignedMessage>> stream;
  v1::SignedMessage message;
};

EchoStream::EchoStream(Sizes sizes) : parts_(std::make_unique<Parts>(sizes)) {}
EchoStream::~EchoStream() = default;

void EchoStream::Send() {
  COMITY_CHECK(parts_->stream->Write(parts_->message));
}

void EchoStream::Receive() {
  v1::SignedMessage answer;
  COMITY_CHECK(parts_->stream->Read(&answer));
}

}  // namespace comity::bench
