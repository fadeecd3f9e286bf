// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/check.h"
#include "crypto/base/random.h"
#include "crypto/sign/ed25519.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/clock.h"
#include "services/transport/address.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "tests/support/test_agency.h"

namespace comity::gateway::testing {

// The council's links to the police, whose federation port is what a test puts there, over mutual
// TLS on loopback. Certificates and messages are of the time of the machine.
//
// Threads: thread-compatible.
class TlsHolder {
 public:
  TlsHolder() {
    police_pki_.IssueGateway(clock_.Now());
    council_pki_.IssueGateway(clock_.Now());
    police_trust_ = transport::TrustStore::ForFederation({council_pki_.AsPeer(false)}).value();
    council_trust_ = transport::TrustStore::ForFederation({police_pki_.AsPeer(false)}).value();
    police_tls_ = Open(police_pki_, police_trust_);
    council_tls_ = Open(council_pki_, council_trust_);
    peers_ = std::make_unique<PeerLinks>(PeerLinks::Ports{
        [this](const policy::AgencyId& agency,
               const std::string& address) -> Result<std::shared_ptr<grpc::Channel>> {
          return council_tls_->ChannelTo(agency.text(), transport::ParseAddress(address).value(),
                                         transport::limits::kMaxFederationMessage);
        },
        [](const policy::AgencyId&) { return PeerView{}; }, *council_trust_, council_signer,
        council_verifier, clock_, random_});
  }
  ~TlsHolder() { Stop(); }

  // The police answer with this from now on, always at one address.
  void Serve(v1::Federation::Service& service) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), police_tls_->credentials(),
                             &port_);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    COMITY_CHECK(server_ != nullptr && port_ != 0);
    COMITY_CHECK(
        peers_->Set({{{police, police_key.public_key()}, "127.0.0.1:" + std::to_string(port_)}})
            .has_value());
  }
  // Ends all calls and waits for their handlers.
  void Stop() {
    if (server_) {
      server_->Shutdown(std::chrono::system_clock::now());
      server_->Wait();
    }
    server_.reset();
  }
  PeerLinks& peers() { return *peers_; }
  bool HasShown(const Digest& certificate) const { return council_tls_->HasShown(certificate); }

 private:
  std::unique_ptr<transport::ServerTls> Open(const comity::testing::TestAgency& agency,
                                             std::shared_ptr<transport::TrustStore> trust) {
    return transport::ServerTls::Open(
               {agency.root() / "gateway.pem", std::move(trust), clock_, [](const Error&) {}})
        .value();
  }

  runtime::SystemClock clock_;
  SystemRandom random_;
  comity::testing::TestAgency police_pki_{"northshire-police", clock_.Now()};
  comity::testing::TestAgency council_pki_{"eastvale-council", clock_.Now()};
  std::shared_ptr<transport::TrustStore> police_trust_;
  std::shared_ptr<transport::TrustStore> council_trust_;
  std::unique_ptr<transport::ServerTls> police_tls_;
  std::unique_ptr<transport::ServerTls> council_tls_;
  sign::SigningKey council_key_ = sign::SigningKey::Generate(random_);

 public:
  const policy::AgencyId police = policy::AgencyId::Parse("northshire-police").value();
  const policy::AgencyId council = policy::AgencyId::Parse("eastvale-council").value();
  const sign::SigningKey police_key = sign::SigningKey::Generate(random_);
  const MessageSigner police_signer{police, police_key, clock_, random_};
  const MessageSigner council_signer{council, council_key_, clock_, random_};
  const MessageVerifier council_verifier{council, clock_};

 private:
  int port_ = 0;
  std::unique_ptr<PeerLinks> peers_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace comity::gateway::testing
