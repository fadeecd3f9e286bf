// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "services/gateway/federation/courier.h"
#include "services/gateway/federation/partner_inbox.h"
#include "services/oversight/outbox.h"
#include "services/oversight/receipt.h"
#include "services/runtime/guarded.h"
#include "services/transport/credentials.h"
#include "services/transport/trust_store.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {

// The TLS identity of an agency's gateway: a folder as `comity pki` makes it.
class GatewayIdentity {
 public:
  GatewayIdentity(std::string_view agency, const runtime::Clock& clock);
  std::filesystem::path pem() const { return folder_.path() / "gateway.pem"; }
  transport::PinnedPeer pin() const;

 private:
  std::string agency_;
  TemporaryDirectory folder_;
};

// A partner's federation port: it signs as the partner does and answers as a test wants it to, also
// wrongly.
//
// Threads: thread-safe; Answer() is set before the first call or while none is under way.
class ScriptedPartner final : public v1::Federation::Service {
 public:
  struct Other {
    policy::AgencyId agency;
    sign::PublicKey key;
    transport::PinnedPeer pin;
  };
  ScriptedPartner(std::string_view agency, const Other& other, const runtime::Clock& clock);
  ~ScriptedPartner() override;

  // What it answers; the default takes every message.
  using Answering = std::function<Result<v1::PartnerReceipt>(const v1::PartnerMessage&)>;
  void Answer(Answering answering) { answering_ = std::move(answering); }
  // A good receipt for the message.
  oversight::Receipt ReceiptFor(const v1::PartnerMessage& message) const;
  v1::PartnerReceipt Taking(const v1::PartnerMessage& message) const;

  // Comes and goes at one address.
  void Open();
  void Close();

  const policy::AgencyId& agency() const { return self_; }
  const sign::SigningKey& key() const { return key_; }
  transport::PinnedPeer pin() const { return identity_.pin(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // The contents that came, in the order of coming; a repeat is there twice.
  std::vector<std::string> came() const;

  grpc::Status Deliver(grpc::ServerContext* context, const v1::SignedMessage* request,
                       v1::SignedMessage* response) override;

 private:
  SystemRandom random_;
  const policy::AgencyId self_;
  const gateway::PinnedPeer other_;
  const runtime::Clock& clock_;
  sign::SigningKey key_ = sign::SigningKey::Generate(random_);
  gateway::MessageSigner signer_;
  gateway::MessageVerifier verifier_;
  Answering answering_;
  runtime::Guarded<std::vector<std::string>> came_;
  GatewayIdentity identity_;
  std::unique_ptr<transport::ServerTls> tls_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// northshire-police with an outbox and a courier, and partners as a test scripts them.
class CourierWorld : public ::testing::Test {
 protected:
  CourierWorld();
  ~CourierWorld() override;

  ScriptedPartner& Partner(std::string_view agency);
  // Starts the courier for all partners.
  void Serve();
  void Restart();  // a new courier on the same store

  std::uint64_t Put(const ScriptedPartner& partner, std::string content,
                    std::string_view kind = "entry-change");
  std::vector<store::OutboxRecord> WaitingFor(const ScriptedPartner& partner);
  store::OutboxRecord Stored(std::uint64_t number);
  std::size_t NoticesFor(identity::Role role);
  // Waits until `condition` holds. False: it did not within ten seconds.
  static bool Eventually(const std::function<bool()>& condition);

  AgencyStore agency_;
  sign::SigningKey key_ = sign::SigningKey::Generate(agency_.random);
  oversight::Outbox outbox_{oversight::Outbox::Setup{agency_.own, agency_.clock, agency_.random}};
  oversight::CatchUp catch_up_;
  identity::Notices notices_{{agency_.store(), agency_.journal(), agency_.own, agency_.clock}};
  gateway::PartnerMessageHandlers handlers_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_;
  GatewayIdentity identity_{"northshire-police", agency_.clock};
  std::shared_ptr<transport::TrustStore> trust_;
  std::unique_ptr<transport::ServerTls> tls_;
  gateway::MessageSigner signer_;
  gateway::MessageVerifier verifier_;
  std::vector<std::unique_ptr<ScriptedPartner>> partners_;
  std::unique_ptr<gateway::PeerLinks> links_;
  std::unique_ptr<gateway::Courier> courier_;
};

}  // namespace comity::testing
