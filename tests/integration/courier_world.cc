// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/courier_world.h"

#include <grpcpp/server_builder.h>

#include <iostream>
#include <thread>

#include "crypto/base/check.h"
#include "crypto/hash/sha256.h"
#include "services/store/outbox_store.h"
#include "services/transport/address.h"
#include "services/transport/limits.h"
#include "services/transport/pki.h"
#include "services/transport/status.h"

namespace comity::testing {

GatewayIdentity::GatewayIdentity(std::string_view agency, const runtime::Clock& clock)
    : agency_(agency) {
  COMITY_CHECK(
      transport::InitCa({agency_, agency_ + ".example", folder_.path()}, clock.Now()).has_value());
  COMITY_CHECK(transport::Issue(folder_.path(), {}, clock.Now()).has_value());
}

transport::PinnedPeer GatewayIdentity::pin() const {
  return {
      agency_, "spiffe://" + agency_ + ".example/gateway", folder_.path() / "ca" / "ca.pem", {}};
}

ScriptedPartner::ScriptedPartner(std::string_view agency, const Other& other,
                                 const runtime::Clock& clock)
    : self_(policy::AgencyId::Parse(agency).value()),
      other_{other.agency, other.key},
      clock_(clock),
      signer_(self_, key_, clock, random_),
      verifier_(self_, clock),
      answering_([this](const v1::PartnerMessage& message) { return Taking(message); }),
      identity_(agency, clock) {
  std::shared_ptr trust = transport::TrustStore::ForFederation({other.pin}).value();
  tls_ = transport::ServerTls::Open({identity_.pem(), trust, clock, [](const Error&) {}}).value();
  Open();
}

ScriptedPartner::~ScriptedPartner() {
  Close();
}

void ScriptedPartner::Open() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), tls_->credentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  COMITY_CHECK(server_ != nullptr && port_ != 0);
}

void ScriptedPartner::Close() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

oversight::Receipt ScriptedPartner::ReceiptFor(const v1::PartnerMessage& message) const {
  oversight::Receipt receipt;
  receipt.sender = other_.agency;
  receipt.receiver = self_;
  receipt.id = message.id();
  receipt.kind = message.kind();
  receipt.content = hash::Sha256(AsBytes(message.content()));
  receipt.outcome = {{"alerts", 1}};
  receipt.at = clock_.Now();
  return receipt;
}

v1::PartnerReceipt ScriptedPartner::Taking(const v1::PartnerMessage& message) const {
  v1::PartnerReceipt answer;
  answer.set_id(message.id());
  answer.set_receipt(oversight::SignReceipt(key_, ReceiptFor(message)));
  return answer;
}

std::vector<std::string> ScriptedPartner::came() const {
  return came_.With([](const auto& came) { return came; });
}

grpc::Status ScriptedPartner::Deliver(grpc::ServerContext*, const v1::SignedMessage* request,
                                      v1::SignedMessage* response) {
  const auto message = verifier_.Verify<v1::PartnerMessage>(*request, other_);
  if (!message) return transport::ToGrpcStatus(message.error(), "test");
  came_.With([&](auto& came) { came.push_back(message->content()); });
  auto answer = answering_(*message);
  if (!answer) return transport::ToGrpcStatus(answer.error(), "test");
  *response = signer_.Sign(*std::move(answer), other_.agency, message->header().exchange_id());
  return grpc::Status::OK;
}

CourierWorld::CourierWorld()
    : logger_(runtime::MakeStreamLogger(runtime::LogLevel::kWarn, agency_.clock, log_)),
      signer_(agency_.own, key_, agency_.clock, agency_.random),
      verifier_(agency_.own, agency_.clock) {}

CourierWorld::~CourierWorld() {
  courier_.reset();
  if (HasFailure()) std::cerr << log_.str();
}

ScriptedPartner& CourierWorld::Partner(std::string_view agency) {
  partners_.push_back(std::make_unique<ScriptedPartner>(
      agency, ScriptedPartner::Other{agency_.own, key_.public_key(), identity_.pin()},
      agency_.clock));
  return *partners_.back();
}

void CourierWorld::Serve() {
  std::vector<transport::PinnedPeer> pins;
  for (const auto& partner : partners_) pins.push_back(partner->pin());
  links_.reset();
  trust_ = transport::TrustStore::ForFederation(std::move(pins)).value();
  tls_ = transport::ServerTls::Open({identity_.pem(), trust_, agency_.clock, [](const Error&) {}})
             .value();
  const auto connect = [this](
                           const policy::AgencyId& agency,
                           const std::string& address) -> Result<std::shared_ptr<grpc::Channel>> {
    return tls_->ChannelTo(agency.text(), transport::ParseAddress(address).value(),
                           transport::limits::kMaxFederationMessage);
  };
  links_ = std::make_unique<gateway::PeerLinks>(gateway::PeerLinks::Ports{
      connect, {}, *trust_, signer_, verifier_, agency_.clock, agency_.random});
  std::vector<gateway::PeerLinks::Target> targets;
  std::vector<policy::AgencyId> agencies;
  for (const auto& partner : partners_) {
    targets.push_back({{partner->agency(), partner->key().public_key()}, partner->address()});
    agencies.push_back(partner->agency());
  }
  ASSERT_THAT(links_->Set(targets), IsOk());
  const auto keys = [this](const policy::AgencyId& agency) -> Result<std::vector<sign::PublicKey>> {
    for (const auto& partner : partners_) {
      if (partner->agency() == agency) return std::vector{partner->key().public_key()};
    }
    return Fail(ErrorCode::kNotFound, "no such partner");
  };
  courier_ = std::make_unique<gateway::Courier>(
      gateway::Courier::Ports{agency_.own, agency_.store(), agency_.journal(), outbox_, catch_up_,
                              handlers_, *links_, keys, notices_, agency_.clock, *logger_});
  ASSERT_THAT(courier_->Serve(agencies), IsOk());
}

void CourierWorld::Restart() {
  courier_.reset();
  Serve();
}

std::uint64_t CourierWorld::Put(const ScriptedPartner& partner, std::string content,
                                std::string_view kind) {
  std::uint64_t number = 0;
  EXPECT_THAT(agency_.journal().Commit([&](store::Transaction& transaction,
                                           audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(number,
                            outbox_.Add(transaction, recorder,
                                        {.peer = partner.agency(),
                                         .kind = kind,
                                         .content = content,
                                         .due_by = agency_.clock.Now() + std::chrono::hours(48)}));
    return {};
  }),
              IsOk());
  return number;
}

std::vector<store::OutboxRecord> CourierWorld::WaitingFor(const ScriptedPartner& partner) {
  std::vector<store::OutboxRecord> waiting;
  EXPECT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(waiting, transaction.outbox().Waiting(partner.agency(), 1000));
    return {};
  }),
              IsOk());
  return waiting;
}

store::OutboxRecord CourierWorld::Stored(std::uint64_t number) {
  store::OutboxRecord record;
  EXPECT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(record, transaction.outbox().Get(number));
    return {};
  }),
              IsOk());
  return record;
}

std::size_t CourierWorld::NoticesFor(identity::Role role) {
  return notices_.List(identity::RoleSet{role}, 0, false, 100).value().size();
}

bool CourierWorld::Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace comity::testing
