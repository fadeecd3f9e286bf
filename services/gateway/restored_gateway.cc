// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/restored_gateway.h"

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/gateway/agency/node_service.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/handshake_log.h"
#include "services/gateway/housekeeping.h"
#include "services/gateway/partner_side.h"
#include "services/gateway/people_side.h"
#include "services/gateway/retention_side.h"
#include "services/gateway/servers.h"
#include "services/gateway/web_server.h"
#include "services/gateway/wire/callers.h"
#include "services/gateway/wire/version.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

constexpr std::chrono::seconds kDrainTime{3};
constexpr std::chrono::seconds kHousekeepingPause{10};
constexpr const char* kProblem =
    "restored from a backup: no searches and no exchanges until two people confirm it "
    "(comity restoration confirm)";

}  // namespace

// The parts in the order in which they are made; destroyed in reverse.
class RestoredGateway::Parts {
 public:
  explicit Parts(const Setup& setup) : setup_(setup) {}
  ~Parts() { Stop("destroyed"); }

  Status Start() {
    COMITY_RETURN_IF_ERROR(OpenParts());
    COMITY_RETURN_IF_ERROR(Serve());
    COMITY_RETURN_IF_ERROR(Record(audit::kGatewayStarted, "software", std::string(kSoftware)));
    started_ = true;
    COMITY_RETURN_IF_ERROR(Listen());
    const auto add = [this](const char* name, std::function<Status()> task) {
      housekeeping_.Add(name, kHousekeepingPause, std::move(task));
    };
    add("retention", [this]() -> Status {
      retention_->Housekeep();
      return {};
    });
    housekeeping_.Add("bars", std::chrono::seconds(1), [this] { setup_.storage.ListBars(); });
    add("people", [this] { return people_->Housekeep(); });
    add("refusals", [this] {
      handshakes_.WriteRepeats();
      return refusals_->WriteRepeats();
    });
    housekeeping_.Start();
    setup_.logger.Warn("gateway-restored", {{"backup", setup_.storage.restoration().backup},
                                            {"agency_port", std::int64_t{ports_.agency}}});
    return {};
  }

  void Stop(std::string_view reason) {
    if (stopped_) return;
    stopped_ = true;
    streams_stop_.request_stop();
    servers_.Shutdown(kDrainTime);
    housekeeping_.Stop();
    web_.reset();
    if (!started_) return;
    setup_.storage.ListBars();
    if (!Record(audit::kGatewayStopped, "reason", std::string(reason))) {
      setup_.logger.Error("audit-write-failed", {{"event", audit::kGatewayStopped}});
    }
    if (!setup_.storage.log().Flush(std::chrono::seconds(1))) {
      setup_.logger.Warn("checkpoint-behind");
    }
  }

  const Ports& ports() const { return ports_; }

 private:
  Status OpenParts() {
    Storage& storage = setup_.storage;
    COMITY_ASSIGN_OR_RETURN(
        partners_, PartnerSide::Open({setup_.config, setup_.own, setup_.keys, storage.store(),
                                      storage.log(), setup_.clock, setup_.random, setup_.logger}));
    COMITY_ASSIGN_OR_RETURN(
        people_, PeopleSide::Open({setup_.config, setup_.own, setup_.keys, storage.store(),
                                   storage.log(), setup_.clock, setup_.random,
                                   partners_->former_keys(), storage.ledger(), setup_.logger}));
    COMITY_RETURN_IF_ERROR(
        storage.UpholdBars(people_->people(), partners_->peers(), people_->notices()));
    COMITY_ASSIGN_OR_RETURN(agency_trust_,
                            transport::TrustStore::ForAgency(
                                {setup_.config.agency.id, setup_.config.agency.trust_domain,
                                 setup_.config.keys.roots, setup_.config.keys.crl}));
    people_->BindRevocations({agency_trust_}, nullptr);
    COMITY_ASSIGN_OR_RETURN(no_trust_, transport::TrustStore::ForFederation({}));
    COMITY_ASSIGN_OR_RETURN(agency_tls_,
                            transport::ServerTls::Open({setup_.config.keys.tls, agency_trust_,
                                                        setup_.clock, handshakes_.For("agency")}));
    return {};
  }

  Status Serve() {
    Storage& storage = setup_.storage;
    refusals_.emplace(setup_.own, storage.log(), setup_.clock, setup_.logger);
    callers_.emplace(*agency_trust_, people_->people(), *refusals_, setup_.clock);
    signer_.emplace(setup_.own, *setup_.keys.agency, setup_.clock, setup_.random);
    verifier_.emplace(setup_.own, setup_.clock);
    const auto no_channel = [](const policy::AgencyId&,
                               const std::string&) -> Result<std::shared_ptr<grpc::Channel>> {
      return Fail(ErrorCode::kUnavailable, kProblem);
    };
    no_links_.emplace(
        PeerLinks::Ports{no_channel, [](const policy::AgencyId&) { return PeerView(); }, *no_trust_,
                         *signer_, *verifier_, setup_.clock, setup_.random});
    people_->Serve(*callers_, *agency_trust_, streams_stop_.get_token());
    node_.emplace(NodeService::Ports{setup_.own, *callers_, storage.log(), *no_links_, setup_.clock,
                                     setup_.clock.Now(), people_->approvals(),
                                     people_->configuration(), setup_.config.keys.tls});
    retention_.emplace(RetentionSide::Ports{
        setup_.config, setup_.keys, setup_.own, storage, *callers_, people_->approvals(),
        people_->notices(), setup_.clock, setup_.random, setup_.logger, /*erasers=*/{},
        [this] { return Partners(); }, setup_.confirmed});
    return {};
  }

  std::vector<policy::AgencyId> Partners() const {
    std::vector<policy::AgencyId> partners;
    for (const identity::Peer& peer : partners_->peers().List()) {
      if (peer.state != identity::PeerState::kRemoved) partners.push_back(peer.terms.agency);
    }
    return partners;
  }

  Status Listen() {
    std::vector<grpc::Service*> own = {&*node_, &retention_->retention(), &retention_->backup()};
    for (grpc::Service* service : people_->services()) own.push_back(service);
    COMITY_RETURN_IF_ERROR(
        servers_.Start({"listen.agency", setup_.config.listen.agency, agency_tls_->credentials(),
                        transport::limits::kAgencyPort, std::move(own)}));
    ports_.agency = servers_.agency_port();
    COMITY_ASSIGN_OR_RETURN(
        web_,
        WebServer::Start({setup_.config.listen.web, setup_.config.keys.tls,
                          setup_.config.data_directory / "log", metrics_,
                          [] { return std::string(kProblem); }, [] {}, servers_.WebRefusals()}));
    ports_.web = web_->port();
    return {};
  }

  Status Record(std::string_view type, const char* field, std::string value) {
    audit::Event event;
    event.type = type;
    event.time = setup_.clock.Now();
    event.parties = {setup_.own};
    event.committed = {{field, std::move(value)}};
    if (type == audit::kGatewayStarted) {
      event.messages.emplace("configuration", hash::Sha256(AsBytes(setup_.config.text)));
    }
    return setup_.storage.log().Record(event);
  }

  const Setup setup_;
  runtime::Metrics metrics_;
  std::stop_source streams_stop_;
  HandshakeLog handshakes_{setup_.clock, setup_.logger};
  std::unique_ptr<PartnerSide> partners_;
  std::unique_ptr<PeopleSide> people_;
  std::shared_ptr<transport::TrustStore> agency_trust_;
  std::shared_ptr<transport::TrustStore> no_trust_;  // of nobody
  std::unique_ptr<transport::ServerTls> agency_tls_;
  std::optional<RefusalRecord> refusals_;
  std::optional<AgencyCallers> callers_;
  std::optional<MessageSigner> signer_;
  std::optional<MessageVerifier> verifier_;
  std::optional<PeerLinks> no_links_;  // to nobody
  std::optional<NodeService> node_;
  std::optional<RetentionSide> retention_;
  Servers servers_{metrics_, handshakes_};
  std::unique_ptr<WebServer> web_;
  Ports ports_;
  bool started_ = false;  // and logged as such
  bool stopped_ = false;
  Housekeeping housekeeping_{setup_.logger};
};

RestoredGateway::RestoredGateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RestoredGateway::~RestoredGateway() = default;

Result<std::unique_ptr<RestoredGateway>> RestoredGateway::Start(const Setup& setup) {
  auto parts = std::make_unique<Parts>(setup);
  COMITY_RETURN_IF_ERROR(parts->Start());
  return std::unique_ptr<RestoredGateway>(new RestoredGateway(std::move(parts)));
}

const Ports& RestoredGateway::ports() const {
  return parts_->ports();
}
void RestoredGateway::Stop(std::string_view reason) {
  parts_->Stop(reason);
}

}  // namespace comity::gateway
