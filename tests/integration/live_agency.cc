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
#include "services/transport/pki.h"
#include "tests/support/partners.h"
#include "tests/support/process.h"
#include "tests/support/staff.h"
#include "tests/support/start_deployment.h"

namespace comity::testing {
namespace {

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
  IssueStaff(pki(), now);
}

LiveAgency::~LiveAgency() {
  Stop();
}

sign::SigningKey LiveAgency::PersonKey(const std::string& person) const {
  return StaffKey(pki(), person);
}

PartyKeys LiveAgency::party_keys() const {
  const auto text = [&](const char* person) {
    return sign::EncodePublicKey(PersonKey(person).public_key());
  };
  return {agency_, AgencyKey(pki()), text("dpo"), text("siro"), text("chief")};
}

std::string LiveAgency::ConfigText() const {
  std::string toml = fmt::format(R"([agency]
id = "{0}"
name = "Agency {0}"
trust_domain = "{0}.example"
[data]
directory = "data"
erasure_ledger = "ledger"
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
  return toml + AdministratorsToml("pki") + settings_;
}

void LiveAgency::Start(const std::vector<const LiveAgency*>& peers) {
  CheckOk(TryStart(peers));
}

void LiveAgency::WriteConfig() const {
  CheckOk(runtime::WriteFile(config_file(), AsBytes(ConfigText()), 0600));
}

Status LiveAgency::TryStart(const std::vector<const LiveAgency*>& peers) {
  const std::filesystem::path file = config_file();
  WriteConfig();
  auto config = runtime::LoadConfig(file);
  if (!config) fmt::print(stderr, "{}\n", runtime::Describe(config.error().front(), file));
  COMITY_CHECK(config.has_value());
  config_ = std::make_unique<runtime::Config>(*std::move(config));
  SeedStaff(*config_, pki(), clock_);
  std::vector<transport::PeerCard> cards;
  for (const LiveAgency* peer : peers) cards.push_back(peer->card());
  SeedPartners(*config_, cards, clock_);
  return Restart();
}

Status LiveAgency::Restart() {
  auto gateway = gateway::Gateway::Start(*config_, clock_, *logger_);
  if (!gateway) return Fail(gateway.error());
  gateway_ = *std::move(gateway);
  return {};
}

transport::PeerCard LiveAgency::card() const {
  return CardOf({agency_, pki(), fmt::format("127.0.0.1:{}", reached_at_)}, clock_);
}

TwoPeople LiveAgency::administrators() const {
  return {pki(), ChannelOf("admin-1"), ChannelOf("admin-2")};
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

std::unique_ptr<v1::Agreements::Stub> LiveAgency::agreements(const std::string& person) const {
  return v1::Agreements::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Watchlists::Stub> LiveAgency::watchlists(const std::string& person) const {
  return v1::Watchlists::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Stops::Stub> LiveAgency::stops(const std::string& person) const {
  return v1::Stops::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Deployments::Stub> LiveAgency::deployments(const std::string& person) const {
  return v1::Deployments::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Alerts::Stub> LiveAgency::alerts(const std::string& person) const {
  return v1::Alerts::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Audit::Stub> LiveAgency::audit(const std::string& person) const {
  return v1::Audit::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Retention::Stub> LiveAgency::retention(const std::string& person) const {
  return v1::Retention::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Node::Stub> LiveAgency::node(const std::string& person) const {
  return v1::Node::NewStub(ChannelOf(person));
}

std::unique_ptr<v1::People::Stub> LiveAgency::people(const std::string& person) const {
  return v1::People::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Peers::Stub> LiveAgency::peers(const std::string& person) const {
  return v1::Peers::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Approvals::Stub> LiveAgency::approvals(const std::string& person) const {
  return v1::Approvals::NewStub(ChannelOf(person));
}
std::unique_ptr<v1::Notices::Stub> LiveAgency::notices(const std::string& person) const {
  return v1::Notices::NewStub(ChannelOf(person));
}

v1::PendingAct LiveAgency::ApproveAct(v1::PendingAct act, const std::string& person) const {
  CheckCall(Decide(ChannelOf(person), pki(), person, act));
  return act;
}

v1::ProposeDeploymentResponse LiveAgency::StartDeployment(
    const v1::DeploymentDefinition& definition) const {
  return testing::StartDeployment({ChannelOf("operator"), ChannelOf("supervisor-1"), pki()},
                                  definition);
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
          AgencyKey(holder.pki())};
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
  CheckCall(agreements(person)->Submit(&context, request, &response));
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
