// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/live_agency.h"

#include <fmt/format.h>

#include <fstream>

#include "crypto/base/check.h"
#include "crypto/hash/sha256.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/peer_card.h"
#include "services/transport/pki.h"
#include "tests/support/process.h"

namespace comity::testing {
namespace {

const std::vector<std::string> kPeople = {"operator", "dpo", "siro", "chief"};
const std::map<std::string, std::string> kPosts = {{"dpo", "Data Protection Officer"},
                                                   {"siro", "Senior Information Risk Owner"},
                                                   {"chief", "Chief Officer"}};

void CheckOk(const Status& status) {
  if (!status) fmt::print(stderr, "{}\n", status.error().detail);
  COMITY_CHECK(status.has_value());
}

void CheckCall(const grpc::Status& status) {
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
}

}  // namespace

LiveAgency::LiveAgency(const std::string& agency)
    : agency_(agency),
      federation_port_(FreePort()),
      logger_(runtime::MakeStreamLogger(runtime::LogLevel::kInfo, clock_, log_)) {
  const auto now = clock_.Now();
  CheckOk(transport::InitCa({agency_, agency_ + ".example", pki()}, now));
  transport::IssueRequest request;
  COMITY_CHECK(transport::Issue(pki(), request, now).has_value());
  request.kind = transport::PeerKind::kEngine;
  request.name = "cameras";
  COMITY_CHECK(transport::Issue(pki(), request, now).has_value());
  request.kind = transport::PeerKind::kPerson;
  for (const std::string& person : kPeople) {
    request.name = person;
    COMITY_CHECK(transport::Issue(pki(), request, now).has_value());
  }
}

LiveAgency::~LiveAgency() {
  Stop();
}

sign::SigningKey LiveAgency::PersonKey(const std::string& person) const {
  auto file = runtime::ReadSecretFile(pki() / "people" / (person + ".key"), 4096);
  COMITY_CHECK(file.has_value());
  auto key = sign::SigningKey::ParseKeyFile(AsText(file->Expose()));
  COMITY_CHECK(key.has_value());
  return *std::move(key);
}

PartyKeys LiveAgency::party_keys() const {
  const auto card = transport::ExportPeerCard(pki());
  COMITY_CHECK(card.has_value());
  const auto text = [&](const char* person) {
    return sign::EncodePublicKey(PersonKey(person).public_key());
  };
  return {agency_, card->signing_key, text("dpo"), text("siro"), text("chief")};
}

std::string LiveAgency::WriteConfig(const std::vector<const LiveAgency*>& peers) const {
  std::string toml = fmt::format(R"([agency]
id = "{0}"
name = "Agency {0}"
trust_domain = "{0}.example"
[data]
directory = "data"
[listen]
federation = "127.0.0.1:{1}"
agency = "127.0.0.1:0"
web = "127.0.0.1:0"
[keys]
tls = "pki/gateway.pem"
roots = "pki/ca/ca.pem"
crl = "pki/crl.pem"
signing = "pki/keys/agency-signing.key"
log = "pki/keys/log.key"
key_encryption = "pki/keys/key-encryption.key"
)",
                                 agency_, federation_port_);
  for (const LiveAgency* peer : peers) {
    toml += fmt::format(R"([[peer]]
agency = "{0}"
address = "127.0.0.1:{1}"
spiffe_id = "{2}"
trust_anchor = "peers/{0}/anchor.pem"
signing_key_file = "peers/{0}/signing.pub"
)",
                        peer->name(), peer->federation_port(), peer->spiffe_id());
  }
  return toml;
}

void LiveAgency::Start(const std::vector<const LiveAgency*>& peers) {
  for (const LiveAgency* peer : peers) {
    if (std::filesystem::exists(folder_.path() / "peers" / peer->name())) continue;
    const auto card = transport::ExportPeerCard(peer->pki());
    COMITY_CHECK(card.has_value());
    CheckOk(transport::InstallPeerCard(*card, folder_.path() / "peers"));
  }
  const std::filesystem::path file = folder_.path() / "comityd.toml";
  CheckOk(runtime::WriteFile(file, AsBytes(WriteConfig(peers)), 0600));
  auto config = runtime::LoadConfig(file);
  if (!config) fmt::print(stderr, "{}\n", runtime::Describe(config.error().front(), file));
  COMITY_CHECK(config.has_value());
  config_ = std::make_unique<runtime::Config>(*std::move(config));
  auto gateway = gateway::Gateway::Start(*config_, clock_, *logger_);
  if (!gateway) fmt::print(stderr, "{}\n", gateway.error().detail);
  COMITY_CHECK(gateway.has_value());
  gateway_ = *std::move(gateway);
}

void LiveAgency::Stop() {
  if (gateway_) gateway_->Stop("test");
  gateway_.reset();
}

std::shared_ptr<grpc::Channel> LiveAgency::ChannelAs(const std::filesystem::path& identity) const {
  const transport::Address address{"127.0.0.1",
                                   static_cast<std::uint16_t>(gateway_->ports().agency)};
  auto channel = transport::OpenChannel(
      {address, identity, {agency_, spiffe_id(), pki() / "ca" / "ca.pem", {}}},
      {transport::limits::kMaxAgencyMessage, clock_});
  COMITY_CHECK(channel.has_value());
  return *channel;
}

std::unique_ptr<v1::Agreements::Stub> LiveAgency::agreements() const {
  return v1::Agreements::NewStub(ChannelAs(person_identity()));
}
std::unique_ptr<v1::Watchlists::Stub> LiveAgency::watchlists() const {
  return v1::Watchlists::NewStub(ChannelAs(person_identity()));
}
std::unique_ptr<v1::Deployments::Stub> LiveAgency::deployments() const {
  return v1::Deployments::NewStub(ChannelAs(person_identity()));
}
std::unique_ptr<v1::Alerts::Stub> LiveAgency::alerts() const {
  return v1::Alerts::NewStub(ChannelAs(person_identity()));
}
std::unique_ptr<v1::Audit::Stub> LiveAgency::audit() const {
  return v1::Audit::NewStub(ChannelAs(person_identity()));
}
std::unique_ptr<v1::Node::Stub> LiveAgency::node() const {
  return v1::Node::NewStub(ChannelAs(person_identity()));
}

EngineSettings LiveAgency::engine() const {
  return {fmt::format("127.0.0.1:{}", gateway_->ports().agency), spiffe_id(),
          pki() / "engines" / "cameras.pem", pki() / "ca" / "ca.pem", agency_};
}

EngineSettings LiveAgency::IssueEngine(const std::string& name) {
  transport::IssueRequest request;
  request.kind = transport::PeerKind::kEngine;
  request.name = name;
  EngineSettings settings = engine();
  const auto issued = transport::Issue(pki(), request, clock_.Now());
  COMITY_CHECK(issued.has_value());
  settings.identity_file = issued->pem_file;
  return settings;
}

UncheckedRequester::Settings LiveAgency::unchecked_towards(const LiveAgency& holder) const {
  return {agency_,
          pki() / "gateway.pem",
          pki() / "keys" / "agency-signing.key",
          holder.name(),
          fmt::format("127.0.0.1:{}", holder.federation_port()),
          holder.spiffe_id(),
          holder.pki() / "ca" / "ca.pem",
          folder_.path() / "peers" / holder.name() / "signing.pub"};
}

v1::SubmitAgreementResponse LiveAgency::SubmitDocument(const std::string& yaml) {
  grpc::ClientContext context;
  v1::SubmitAgreementRequest request;
  v1::SubmitAgreementResponse response;
  request.set_document(yaml);
  CheckCall(agreements()->Submit(&context, request, &response));
  return response;
}

v1::SubmitAgreementResponse LiveAgency::Say(const std::string& person,
                                            policy::Statement statement) {
  statement.party = policy::AgencyId::Parse(agency_).value();
  statement.post = kPosts.at(person);
  statement.at = clock_.Now();
  const auto envelope = policy::MakeStatement(PersonKey(person), statement);
  COMITY_CHECK(envelope.has_value());
  grpc::ClientContext context;
  v1::SubmitAgreementRequest request;
  v1::SubmitAgreementResponse response;
  request.set_statement(sign::EncodeDsseJson(*envelope));
  CheckCall(agreements()->Submit(&context, request, &response));
  return response;
}

void LiveAgency::Approve(const policy::AgreementRef& agreement) {
  policy::Statement advice;
  advice.kind = policy::StatementKind::kAdvice;
  advice.agreement = agreement;
  advice.position = policy::AdvicePosition::kFor;
  advice.text = "The assessment is in place.";
  Say("dpo", advice);
  policy::Statement signature;
  signature.kind = policy::StatementKind::kSignature;
  signature.agreement = agreement;
  Say("siro", signature);
  Say("chief", signature);
}

policy::AgreementRef RefOf(const AgreementText& text, const std::string& yaml) {
  policy::AgreementRef ref;
  ref.id = policy::AgreementId::Parse(text.id).value();
  ref.version = text.version;
  ref.sha256 = hash::Sha256(AsBytes(yaml));
  return ref;
}

}  // namespace comity::testing
