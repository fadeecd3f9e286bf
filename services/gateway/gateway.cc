// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/gateway.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "crypto/hash/sha256.h"
#include "services/agreements/register.h"
#include "services/audit/events.h"
#include "services/audit/log.h"
#include "services/casework/alerts.h"
#include "services/gateway/agreement_courier.h"
#include "services/gateway/agreements_service.h"
#include "services/gateway/alerts_service.h"
#include "services/gateway/audit_service.h"
#include "services/gateway/deployments_service.h"
#include "services/gateway/federation_service.h"
#include "services/gateway/gallery_loader.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/node_service.h"
#include "services/gateway/peer_links.h"
#include "services/gateway/recognition_service.h"
#include "services/gateway/version.h"
#include "services/gateway/watchlists_service.h"
#include "services/gateway/web_server.h"
#include "services/matching/capacity_meter.h"
#include "services/matching/deployments.h"
#include "services/matching/galleries.h"
#include "services/matching/scan.h"
#include "services/store/sqlite/sqlite_store.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/watchlists/register.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;

constexpr std::chrono::seconds kDrainTime{
    3};  // what is being answered may take so long at shutdown
constexpr std::chrono::seconds kHousekeeping{10};

transport::PinnedPeer ToPinned(const runtime::PeerConfig& peer) {
  return {peer.agency, peer.spiffe_id, peer.trust_anchor, peer.crl};
}

Result<std::unique_ptr<transport::TrustStore>> FederationTrust(const runtime::Config& config) {
  std::vector<transport::PinnedPeer> peers;
  for (const runtime::PeerConfig& peer : config.peers) peers.push_back(ToPinned(peer));
  return transport::TrustStore::ForFederation(std::move(peers));
}

// Says which part of the set-up an error comes from.
template <typename T>
Result<T> At(std::string_view place, Result<T> result) {
  if (result) return result;
  return Fail(result.error().code, std::string(place) + ": " + result.error().detail);
}

Result<std::vector<PeerLinks::Link>> OpenLinks(
    const runtime::Config& config, const std::map<policy::AgencyId, sign::PublicKey>& keys,
    const runtime::Clock& clock) {
  std::vector<PeerLinks::Link> links;
  for (const runtime::PeerConfig& peer : config.peers) {
    COMITY_ASSIGN_OR_RETURN(policy::AgencyId agency, policy::AgencyId::Parse(peer.agency));
    COMITY_ASSIGN_OR_RETURN(
        const auto channel,
        At("peer " + peer.agency,
           transport::OpenChannel({peer.address, config.keys.tls, ToPinned(peer)},
                                  {limits::kMaxFederationMessage, clock})));
    const sign::PublicKey key = keys.at(agency);
    PeerLinks::Link& link = links.emplace_back();
    link.peer = {std::move(agency), key};
    link.address = peer.address.text();
    link.stub = v1::Federation::NewStub(channel);
  }
  return links;
}

}  // namespace

// The parts in the order in which they are made; destroyed in reverse.
class Gateway::Parts {
 public:
  Parts(const runtime::Config& config, runtime::Clock& clock, runtime::Logger& logger)
      : config_(config), clock_(clock), logger_(logger), started_at_(clock.Now()) {}
  ~Parts() { Stop("destroyed"); }

  Status Start() {
    COMITY_ASSIGN_OR_RETURN(self_, policy::AgencyId::Parse(config_.agency.id));
    COMITY_ASSIGN_OR_RETURN(keys_, LoadIdentityKeys(config_));
    COMITY_RETURN_IF_ERROR(OpenStorage());
    COMITY_RETURN_IF_ERROR(OpenRegisters());
    COMITY_RETURN_IF_ERROR(OpenTrust());
    MakeServices();
    COMITY_RETURN_IF_ERROR(RecordStart());
    COMITY_RETURN_IF_ERROR(Listen());
    housekeeping_ = std::jthread([this](const std::stop_token& stop) { KeepHouse(stop); });
    logger_.Info("gateway-started", {{"agency", self_.text()},
                                     {"federation", std::int64_t{ports_.federation}},
                                     {"agency_port", std::int64_t{ports_.agency}},
                                     {"web", std::int64_t{ports_.web}}});
    return {};
  }

  const Ports& ports() const { return ports_; }

  void Stop(std::string_view reason) {
    if (stopped_) return;
    stopped_ = true;
    streams_stop_.request_stop();
    const auto deadline = std::chrono::system_clock::now() + kDrainTime;
    std::jthread federation([&] {
      if (federation_server_) federation_server_->Shutdown(deadline);
    });
    if (agency_server_) agency_server_->Shutdown(deadline);
    federation.join();
    if (housekeeping_.joinable()) {
      housekeeping_.request_stop();
      housekeeping_.join();
    }
    web_.reset();
    courier_.reset();
    if (!log_ || !started_) return;
    audit::Event event;
    event.type = audit::kGatewayStopped;
    event.time = clock_.Now();
    event.parties = {self_};
    event.committed = {{"reason", std::string(reason)}};
    if (!log_->Record(event)) logger_.Error("audit-write-failed", {{"event", event.type}});
    if (!log_->Flush(std::chrono::seconds(1))) logger_.Warn("checkpoint-behind");
  }

 private:
  Status OpenStorage() {
    COMITY_ASSIGN_OR_RETURN(store_,
                            At("data.directory", store::OpenSqliteStore(config_.data_directory)));
    COMITY_ASSIGN_OR_RETURN(
        log_,
        At("audit log", audit::Log::Open({*store_, *keys_.log, LogOrigin(config_), keys_.kek,
                                          config_.data_directory, clock_, logger_, random_})));
    return {};
  }

  Status OpenRegisters() {
    COMITY_ASSIGN_OR_RETURN(
        agreements_,
        At("agreements", agreements::Register::Open(
                             {*store_, *log_, self_, *keys_.agency, keys_.peers, clock_})));
    COMITY_ASSIGN_OR_RETURN(
        watchlists_, At("watchlists", watchlists::Register::Open(
                                          {*store_, *log_, keys_.kek, random_, clock_, self_})));
    galleries_.emplace(barrier_);
    loader_.emplace(*watchlists_, *galleries_, clock_);
    COMITY_RETURN_IF_ERROR(loader_->LoadAll());
    capacity_.emplace(matching::CapacityMeter::Ports{self_, *store_, *log_, clock_});
    COMITY_ASSIGN_OR_RETURN(
        deployments_, matching::Deployments::Open({self_, *store_, *log_, clock_, random_, barrier_,
                                                   config_.limits.max_deployments}));
    alerts_.emplace(casework::AlertDeskSetup{*store_, *log_, keys_.kek, random_, clock_, self_,
                                             config_.alert_merge_window});
    return {};
  }

  Status OpenTrust() {
    COMITY_ASSIGN_OR_RETURN(federation_trust_, FederationTrust(config_));
    COMITY_ASSIGN_OR_RETURN(agency_trust_, transport::TrustStore::ForAgency(
                                               {config_.agency.id, config_.agency.trust_domain,
                                                config_.keys.roots, config_.keys.crl}));
    COMITY_ASSIGN_OR_RETURN(
        federation_tls_,
        At("keys.tls", transport::ServerTls::Open(
                           {config_.keys.tls, federation_trust_, clock_, Refused("federation")})));
    COMITY_ASSIGN_OR_RETURN(
        agency_tls_, At("keys.tls", transport::ServerTls::Open({config_.keys.tls, agency_trust_,
                                                                clock_, Refused("agency")})));
    signer_.emplace(self_, *keys_.agency, clock_, random_);
    verifier_.emplace(self_, clock_);
    COMITY_ASSIGN_OR_RETURN(auto links, OpenLinks(config_, keys_.peers, clock_));
    peers_.emplace(std::move(links), *federation_trust_, *signer_, *verifier_, clock_, random_);
    return {};
  }

  // A handshake that is turned away reaches no handler, hence no log entry: the local log says it.
  std::function<void(const Error&)> Refused(std::string_view port) {
    return [this, port](const Error& error) {
      logger_.Warn("handshake-refused", {{"port", port}, {"reason", error.detail}});
    };
  }

  void MakeServices() {
    refusals_.emplace(self_, *log_, clock_, logger_);
    agency_callers_.emplace(*agency_trust_, *refusals_, clock_);
    federation_callers_.emplace(*federation_trust_, *refusals_, clock_, keys_.peers);
    replays_.emplace(*store_, clock_);
    courier_ = std::make_unique<AgreementCourier>(
        AgreementCourier::Ports{self_, *agreements_, *peers_, *log_, clock_, logger_});
    const auto snapshot = [this] { return agreements_->Snapshot(); };
    requester_ports_.emplace(matching::RequesterPorts{snapshot, *capacity_, *log_, clock_});
    matching::HolderPorts holder{snapshot, *galleries_, scanner_, *capacity_,
                                 *log_,    clock_,      barrier_};
    federation_service_.emplace(
        FederationService::Ports{self_, *federation_callers_, *refusals_, *signer_, *verifier_,
                                 *replays_, *agreements_, *courier_, barrier_, std::move(holder),
                                 random_, logger_, config_.limits.max_calls_per_peer});
    recognition_.emplace(
        RecognitionService::Ports{self_,
                                  *agency_callers_,
                                  *deployments_,
                                  {*peers_, *signer_, *verifier_, *requester_ports_, *alerts_,
                                   random_, logger_, config_.limits.peer_deadline},
                                  config_.limits.max_streams});
    agreements_service_.emplace(
        AgreementsService::Ports{*agency_callers_, *agreements_, *courier_, barrier_, clock_});
    watchlists_service_.emplace(
        WatchlistsService::Ports{*agency_callers_, *watchlists_, *loader_, clock_,
                                 config_.limits.max_entries_per_list, config_.limits.max_lists});
    deployments_service_.emplace(DeploymentsService::Ports{
        self_, *agency_callers_, *deployments_, *requester_ports_, *recognition_, random_});
    alerts_service_.emplace(
        AlertsService::Ports{*agency_callers_, *alerts_, clock_, streams_stop_.get_token()});
    audit_service_.emplace(AuditService::Ports{self_, *agency_callers_, *log_, clock_});
    node_service_.emplace(NodeService::Ports{self_, *agency_callers_, *log_, *peers_, clock_,
                                             started_at_, config_.keys.tls});
  }

  Status Listen() {
    grpc::ServerBuilder federation;
    transport::ApplyServerDefaults(federation, limits::kMaxFederationMessage);
    federation.AddListeningPort(config_.listen.federation.text(), federation_tls_->credentials(),
                                &ports_.federation);
    federation.RegisterService(&*federation_service_);
    federation_server_ = federation.BuildAndStart();
    COMITY_RETURN_IF_ERROR(
        CheckBound("listen.federation", config_.listen.federation, ports_.federation));

    grpc::ServerBuilder agency;
    transport::ApplyServerDefaults(agency, limits::kMaxAgencyMessage);
    agency.AddListeningPort(config_.listen.agency.text(), agency_tls_->credentials(),
                            &ports_.agency);
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &*recognition_, &*agreements_service_, &*watchlists_service_, &*deployments_service_,
             &*alerts_service_, &*audit_service_, &*node_service_}) {
      agency.RegisterService(service);
    }
    agency_server_ = agency.BuildAndStart();
    COMITY_RETURN_IF_ERROR(CheckBound("listen.agency", config_.listen.agency, ports_.agency));

    COMITY_ASSIGN_OR_RETURN(
        web_,
        WebServer::Start({config_.listen.web, config_.keys.tls, config_.data_directory / "log",
                          metrics_, [this] { return Problem(); }, [this] { UpdateGauges(); }}));
    ports_.web = web_->port();
    return {};
  }

  static Status CheckBound(std::string_view key, const runtime::Endpoint& endpoint, int port) {
    if (port > 0) return {};
    return Fail(ErrorCode::kUnavailable,
                std::string(key) + ": cannot listen on " + endpoint.text() + " (is it in use?)");
  }

  std::string Problem() const {
    const audit::LogHealth health = log_->Health();
    return health.publishing && !health.stopped ? std::string() : "audit log: " + health.problem;
  }

  void UpdateGauges() {
    const auto set = [&](const char* name, const char* help, double value) {
      metrics_.Gauge({name, help}).Set(value);
    };
    set("comity_log_signed_entries", "Entries under the published checkpoint",
        static_cast<double>(log_->Latest().size));
    set("comity_log_publishing", "1 while checkpoints are being signed",
        log_->Health().publishing ? 1 : 0);
    std::map<std::string, double> phases;
    for (const auto& deployment : deployments_->List()) {
      phases[std::string(matching::Name(deployment.phase))] += 1;
      const StreamCounts counts = recognition_->CountsOf(deployment.id);
      phases["faces"] += static_cast<double>(counts.faces);
      phases["alerts"] += static_cast<double>(counts.alerts);
    }
    set("comity_deployments_active", "Deployments that stream now", phases["active"]);
    set("comity_faces_streamed", "Faces that engines sent since the start", phases["faces"]);
    set("comity_alerts_raised", "Alerts raised since the start", phases["alerts"]);
    for (const auto& view : agreements_->List(clock_.Now())) {
      metrics_
          .Gauge({"comity_agreement_in_force", "1 while the agreement permits"},
                 {{"agreement", view.agreement.id.text()},
                  {"version", std::to_string(view.agreement.version)}})
          .Set(view.status == "in-force" ? 1 : 0);
    }
  }

  void KeepHouse(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, stop, kHousekeeping, [] { return false; }) &&
           !stop.stop_requested()) {
      if (const auto erased = alerts_->EraseExpired(clock_.Now()); !erased) {
        logger_.Error("erasure-failed", {{"reason", erased.error().detail}});
      }
      if (const Status written = refusals_->WriteRepeats(); !written) {
        logger_.Error("audit-write-failed", {{"reason", written.error().detail}});
      }
    }
  }

  Status RecordStart() {
    audit::Event event;
    event.type = audit::kGatewayStarted;
    event.time = started_at_;
    event.parties = {self_};
    event.committed = {{"software", std::string(kSoftware)}};
    event.messages.emplace("configuration", hash::Sha256(AsBytes(config_.text)));
    COMITY_RETURN_IF_ERROR(log_->Record(event));
    started_ = true;
    return {};
  }

  const runtime::Config& config_;
  runtime::Clock& clock_;
  runtime::Logger& logger_;
  const runtime::Instant started_at_;
  SystemRandom random_;
  runtime::Metrics metrics_;
  policy::AgencyId self_;
  IdentityKeys keys_;
  matching::AnswerBarrier barrier_;
  matching::Scanner scanner_;
  std::stop_source streams_stop_;

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<agreements::Register> agreements_;
  std::unique_ptr<watchlists::Register> watchlists_;
  std::optional<matching::Galleries> galleries_;
  std::optional<GalleryLoader> loader_;
  std::optional<matching::CapacityMeter> capacity_;
  std::unique_ptr<matching::Deployments> deployments_;
  std::optional<casework::AlertDesk> alerts_;

  std::shared_ptr<transport::TrustStore> federation_trust_;
  std::shared_ptr<transport::TrustStore> agency_trust_;
  std::unique_ptr<transport::ServerTls> federation_tls_;
  std::unique_ptr<transport::ServerTls> agency_tls_;
  std::optional<MessageSigner> signer_;
  std::optional<MessageVerifier> verifier_;
  std::optional<PeerLinks> peers_;

  std::optional<RefusalRecord> refusals_;
  std::optional<AgencyCallers> agency_callers_;
  std::optional<FederationCallers> federation_callers_;
  std::optional<ReplayGuard> replays_;
  std::unique_ptr<AgreementCourier> courier_;
  std::optional<matching::RequesterPorts> requester_ports_;

  std::optional<FederationService> federation_service_;
  std::optional<RecognitionService> recognition_;
  std::optional<AgreementsService> agreements_service_;
  std::optional<WatchlistsService> watchlists_service_;
  std::optional<DeploymentsService> deployments_service_;
  std::optional<AlertsService> alerts_service_;
  std::optional<AuditService> audit_service_;
  std::optional<NodeService> node_service_;

  std::unique_ptr<grpc::Server> federation_server_;
  std::unique_ptr<grpc::Server> agency_server_;
  std::unique_ptr<WebServer> web_;
  Ports ports_;
  bool started_ = false;  // and logged as such
  bool stopped_ = false;
  std::jthread housekeeping_;
};

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::Start(const runtime::Config& config,
                                                runtime::Clock& clock, runtime::Logger& logger) {
  auto parts = std::make_unique<Parts>(config, clock, logger);
  COMITY_RETURN_IF_ERROR(parts->Start());
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

const Ports& Gateway::ports() const {
  return parts_->ports();
}
void Gateway::Stop(std::string_view reason) {
  parts_->Stop(reason);
}

}  // namespace comity::gateway
