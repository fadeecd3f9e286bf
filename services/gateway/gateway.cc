// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/gateway.h"

#include <functional>
#include <string>
#include <utility>

#include "services/agreements/register.h"
#include "services/audit/log.h"
#include "services/casework/alerts.h"
#include "services/gateway/agency/agreements_service.h"
#include "services/gateway/agency/alerts_service.h"
#include "services/gateway/agency/node_service.h"
#include "services/gateway/agency/recognition_service.h"
#include "services/gateway/capacity_side.h"
#include "services/gateway/federation/agreement_courier.h"
#include "services/gateway/federation/federation_service.h"
#include "services/gateway/gateway_events.h"
#include "services/gateway/gauges.h"
#include "services/gateway/handshake_log.h"
#include "services/gateway/housekeeping.h"
#include "services/gateway/identity_keys.h"
#include "services/gateway/list_side.h"
#include "services/gateway/message_side.h"
#include "services/gateway/partner_side.h"
#include "services/gateway/payload_retention.h"
#include "services/gateway/people_side.h"
#include "services/gateway/restart.h"
#include "services/gateway/restored_gateway.h"
#include "services/gateway/retention_side.h"
#include "services/gateway/reunion_check.h"
#include "services/gateway/sealed_side.h"
#include "services/gateway/search_control.h"
#include "services/gateway/servers.h"
#include "services/gateway/set_up_error.h"
#include "services/gateway/storage.h"
#include "services/gateway/web_server.h"
#include "services/matching/scan.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using std::chrono::seconds;
constexpr seconds kDrainTime{3};  // for what is being answered at shutdown

}  // namespace

// The parts in the order in which they are made; destroyed in reverse.
class Gateway::Parts {
 public:
  Parts(const runtime::Config& config, runtime::Clock& clock, runtime::Logger& logger,
        StartRules rules)
      : config_(config), clock_(clock), logger_(logger), rules_(std::move(rules)) {}
  ~Parts() {
    Stop("destroyed");
    if (log_ != nullptr) log_->UseRetention({});  // what it asks goes before it
  }

  Status Start() {
    COMITY_ASSIGN_OR_RETURN(self_, policy::AgencyId::Parse(config_.agency.id));
    COMITY_RETURN_IF_ERROR(OpenStorage());
    if (storage_->waits()) return StartRestored();
    COMITY_RETURN_IF_ERROR(OpenRegisters());
    COMITY_RETURN_IF_ERROR(OpenTrust());
    COMITY_RETURN_IF_ERROR(MakeServices());
    COMITY_RETURN_IF_ERROR(RecordStart());
    COMITY_RETURN_IF_ERROR(Listen());
    KeepHouse();
    logger_.Info("gateway-started", {{"agency", self_.text()},
                                     {"federation", std::int64_t{ports_.federation}},
                                     {"agency_port", std::int64_t{ports_.agency}},
                                     {"web", std::int64_t{ports_.web}}});
    return {};
  }

  const Ports& ports() const { return ports_; }
  std::string AwaitRestart(const std::stop_token& stop) { return restart_.Await(stop); }

  void Stop(std::string_view reason) {
    if (stopped_) return;
    stopped_ = true;
    if (restored_) restored_->Stop(reason);
    streams_stop_.request_stop();
    if (partners_) partners_->SayGoodbye();
    servers_.Shutdown(kDrainTime);
    housekeeping_.Stop();
    web_.reset();
    courier_.reset();
    if (partners_) partners_->Halt();
    if (sealed_) sealed_->Halt();
    if (messages_) messages_->Halt();
    if (control_) control_->Halt();
    if (!log_ || !started_) return;
    const audit::Event event = StopEvent(self_, clock_.Now(), reason);
    if (!log_->Record(event)) logger_.Error("audit-write-failed", {{"event", event.type}});
    if (!log_->Flush(seconds(1))) logger_.Warn("checkpoint-behind");
    storage_->NoteEnd();
  }

 private:
  Status OpenStorage() {
    const auto read = [this]() -> Status {
      if (rules_.check) COMITY_RETURN_IF_ERROR(rules_.check());
      COMITY_ASSIGN_OR_RETURN(keys_, LoadIdentityKeys(config_));
      return {};
    };
    COMITY_ASSIGN_OR_RETURN(
        storage_, Storage::Open({config_, keys_, self_, clock_, logger_, random_, rules_.stop,
                                 std::bind_front(&Restart::Ask, &restart_), rules_.database_wait},
                                read));
    if (!keys_.locked) logger_.Warn("keys-not-locked");
    started_at_ = clock_.Now();  // not while another gateway worked
    store_ = &storage_->store();
    log_ = &storage_->log();
    return {};
  }

  // Put back from a backup, and two people have not confirmed it.
  Status StartRestored() {
    COMITY_ASSIGN_OR_RETURN(
        restored_,
        RestoredGateway::Start({config_, keys_, self_, *storage_, clock_, random_, logger_,
                                [this] { restart_.Ask("restoration confirmed"); }}));
    ports_ = restored_->ports();
    return {};
  }

  Status OpenRegisters() {
    COMITY_ASSIGN_OR_RETURN(
        partners_, At("keys.signing", PartnerSide::Open({config_, self_, keys_, *store_, *log_,
                                                         clock_, random_, logger_})));
    COMITY_ASSIGN_OR_RETURN(
        people_side_,
        At("people", PeopleSide::Open({config_, self_, keys_, *store_, *log_, clock_, random_,
                                       partners_->former_keys(), storage_->ledger(), logger_})));
    COMITY_RETURN_IF_ERROR(partners_->peers().ForgetFormerKeys());
    people_ = &people_side_->people();
    notices_ = &people_side_->notices();
    approvals_ = &people_side_->approvals();
    COMITY_RETURN_IF_ERROR(storage_->UpholdBars(*people_, partners_->peers(), *notices_));
    COMITY_ASSIGN_OR_RETURN(
        agreements_, At("agreements", agreements::Register::Open(
                                          {*store_, *log_, *notices_, self_, *keys_.agency,
                                           [this] { return partners_->peers().Keys(); }, clock_})));
    log_->UseRetention([this](const audit::Event& event) {
      return PayloadRetention(*agreements_->Snapshot(), event);
    });
    messages_ = std::make_unique<MessageSide>(
        MessageSide::Ports{self_, *store_, *log_, *keys_.agency, clock_, random_, logger_});
    COMITY_ASSIGN_OR_RETURN(
        lists_,
        At("watchlists", ListSide::Open({config_, self_, keys_, *store_, *log_, clock_, random_,
                                         logger_, barrier_, *approvals_, people_side_->lone_acts(),
                                         [this] { return agreements_->Snapshot(); },
                                         &messages_->entry_changes()})));
    COMITY_ASSIGN_OR_RETURN(capacity_,
                            CapacitySide::Open({self_, *store_, *log_, *notices_, clock_, logger_},
                                               keys_.kek, rules_.stop));
    committer_.emplace(keys_.kek);
    COMITY_ASSIGN_OR_RETURN(
        control_,
        SearchControl::Open({self_, *store_, *log_, *notices_, *approvals_, messages_->outbox(),
                             clock_, random_, logger_, barrier_, lists_->galleries(),
                             [this] { return agreements_->Snapshot(); },
                             config_.limits.max_deployments, people_side_->lone_acts()}));
    alerts_.emplace(casework::AlertDeskSetup{*store_, *log_, keys_.kek, random_, clock_, self_,
                                             config_.alert_merge_window, &control_->outcomes(),
                                             &people_side_->lone_acts()});
    return {};
  }

  Status OpenTrust() {
    COMITY_ASSIGN_OR_RETURN(federation_trust_, transport::TrustStore::ForFederation({}));
    COMITY_RETURN_IF_ERROR(federation_trust_->SetPeers(partners_->Pins()));
    COMITY_ASSIGN_OR_RETURN(agency_trust_, transport::TrustStore::ForAgency(
                                               {config_.agency.id, config_.agency.trust_domain,
                                                config_.keys.roots, config_.keys.crl}));
    people_side_->BindRevocations({federation_trust_, agency_trust_}, &barrier_);
    COMITY_ASSIGN_OR_RETURN(
        federation_tls_,
        At("keys.tls", transport::ServerTls::Open({config_.keys.tls, federation_trust_, clock_,
                                                   handshakes_.For("federation")})));
    COMITY_ASSIGN_OR_RETURN(
        agency_tls_,
        At("keys.tls", transport::ServerTls::Open(
                           {config_.keys.tls, agency_trust_, clock_, handshakes_.For("agency")})));
    signer_.emplace(self_, *keys_.agency, clock_, random_);
    verifier_.emplace(self_, clock_, storage_->restoration().restored_at);
    partners_->Connect({*federation_trust_, *federation_tls_, *signer_, *verifier_,
                        [this](const auto& partners) { return Follow(partners); }});
    peers_ = &partners_->links();
    return {};
  }

  // A restored node has perhaps forgotten what this partner said of their agreements.
  std::optional<policy::ReasonCode> Unreunited(const policy::SearchRequest& request) const {
    const policy::AgencyId& other = request.holder == self_ ? request.requester : request.holder;
    if (storage_->reunion().IsReunited(other)) return std::nullopt;
    return policy::ReasonCode::kStateUnreadable;
  }

  // Asked while a ticket of the barrier is held: a suspension that stands is seen by every answer.
  std::optional<policy::ReasonCode> HaltedAtHolder(const policy::SearchRequest& request,
                                                   const std::string& deployment) const {
    if (!partners_->peers().SpeakingKeys(request.requester)) {
      return policy::ReasonCode::kPartnerSuspended;
    }
    if (const auto waits = Unreunited(request)) return waits;
    const auto behind = messages_->HaltedAtHolder(request);
    return behind ? behind : control_->HaltedAtHolder(request, deployment);
  }

  // What depends on partners besides trust and channels.
  Status Follow(const std::vector<policy::AgencyId>& partners) {
    COMITY_RETURN_IF_ERROR(agreements_->Refresh());
    return messages_->Follow(partners);
  }

  Status MakeServices() {
    refusals_.emplace(self_, *log_, clock_, logger_);
    agency_callers_.emplace(*agency_trust_, *people_, *refusals_, clock_);
    federation_callers_.emplace(*federation_trust_, partners_->peers(), *refusals_, clock_);
    const auto snapshot = [this] { return agreements_->Snapshot(); };
    COMITY_ASSIGN_OR_RETURN(
        sealed_,
        At("sealed lists",
           SealedSide::Open({config_, self_, keys_, *store_, *log_, clock_, random_, logger_,
                             *notices_, partners_->peers(), messages_->outbox(), *lists_,
                             *federation_tls_, *peers_, *signer_, *verifier_, snapshot})));
    COMITY_RETURN_IF_ERROR(
        partners_->Serve({*agency_callers_, *approvals_, *notices_, messages_->outbox(), barrier_,
                          [this](const policy::AgencyId& partner) {
                            messages_->Hurry(partner);
                            sealed_->requester().Hurry(partner);
                          }}));
    COMITY_RETURN_IF_ERROR(
        messages_->Serve({*agency_callers_, *refusals_, *alerts_, *notices_, partners_->peers(),
                          *peers_, *agreements_, partners_->key_changes(), sealed_->holder().held(),
                          sealed_->holder().erased()}));
    replays_.emplace(*store_, clock_);
    courier_ = std::make_unique<AgreementCourier>(
        AgreementCourier::Ports{self_, *agreements_, *peers_, *log_, clock_, logger_});
    requester_ports_.emplace(matching::RequesterPorts{
        snapshot, capacity_->meter(), *committer_, *log_, clock_, barrier_,
        [this](const auto& request, const auto& deployment) {
          const auto waits = Unreunited(request);
          return waits ? waits : control_->HaltedAtRequester(request, deployment);
        },
        &control_->observer_at_requester()});
    matching::HolderPorts holder{snapshot,
                                 lists_->galleries(),
                                 scanner_,
                                 capacity_->meter(),
                                 *log_,
                                 clock_,
                                 barrier_,
                                 std::bind_front(&Parts::HaltedAtHolder, this),
                                 &control_->observer_at_holder(),
                                 messages_->remember_released()};
    control_->Serve({*agency_callers_, *peers_, lists_->lists(), *requester_ports_});
    federation_service_.emplace(FederationService::Ports{self_,
                                                         *federation_callers_,
                                                         *refusals_,
                                                         *signer_,
                                                         *verifier_,
                                                         *replays_,
                                                         *agreements_,
                                                         *courier_,
                                                         barrier_,
                                                         std::move(holder),
                                                         random_,
                                                         logger_,
                                                         config_.limits.max_calls_per_peer,
                                                         partners_->peers(),
                                                         partners_->monitor(),
                                                         clock_,
                                                         messages_->inbox(),
                                                         lists_->lists(),
                                                         sealed_->holder().desk(),
                                                         sealed_->holder().search()});
    recognition_.emplace(RecognitionService::Ports{
        self_,
        *agency_callers_,
        control_->deployments(),
        control_->keeper(),
        {*peers_, *signer_, *verifier_, *requester_ports_, *alerts_, random_, logger_,
         config_.limits.peer_deadline, sealed_->requester().source()},
        config_.limits.max_streams});
    agreements_service_.emplace(AgreementsService::Ports{
        *agency_callers_, *people_, *agreements_, *courier_, barrier_, clock_, self_,
        requester_ports_->halted, std::bind_front(&Parts::HaltedAtHolder, this)});
    lists_->Serve(*agency_callers_, sealed_->holder().desk());
    alerts_service_.emplace(AlertsService::Ports{*agency_callers_, *alerts_, *log_, self_, clock_,
                                                 streams_stop_.get_token()});
    const auto alerts = [this](policy::Instant now) { return alerts_->EraseExpired(now); };
    const auto entries = [this](policy::Instant now) { return lists_->EraseDue(now); };
    const std::vector<oversight::RetentionDesk::Eraser> erasers = {
        {policy::RetentionClass::kAlert, alerts}, {policy::RetentionClass::kWatchlist, entries}};
    retention_.emplace(RetentionSide::Ports{config_, keys_, self_, *storage_, *agency_callers_,
                                            *approvals_, *notices_, clock_, random_, logger_,
                                            erasers, [this] { return peers_->partners(); }, [] {}});
    people_side_->Serve(*agency_callers_, *agency_trust_, streams_stop_.get_token());
    node_service_.emplace(NodeService::Ports{
        self_, *agency_callers_, *log_, *peers_, clock_, started_at_, *approvals_,
        people_side_->configuration(), config_.keys.tls,
        NodeHealth({self_, *store_, *log_, *agreements_, lists_->lists(), capacity_->meter(),
                    partners_->peers(), partners_->monitor(), clock_, config_, storage_->Schema(),
                    people_side_->revocations()})});
    return {};
  }

  Status Listen() {
    std::vector<grpc::Service*> own = people_side_->services();
    const auto add = [&](auto&... services) { (own.push_back(&services), ...); };
    add(*recognition_, *agreements_service_, lists_->service(), control_->deployments_service(),
        control_->stops_service(), *alerts_service_, *node_service_, partners_->service(),
        retention_->retention(), retention_->backup(), messages_->service());
    std::vector<grpc::Service*> shared = {&*federation_service_};
    COMITY_RETURN_IF_ERROR(
        servers_.Start({"listen.federation", config_.listen.federation,
                        federation_tls_->credentials(), limits::kFederationPort, std::move(shared)},
                       {"listen.agency", config_.listen.agency, agency_tls_->credentials(),
                        limits::kAgencyPort, std::move(own)}));
    ports_.federation = servers_.federation_port();
    ports_.agency = servers_.agency_port();
    const auto update = [this] {
      UpdateGauges({*log_, control_->deployments(), *recognition_, *agreements_}, clock_.Now(),
                   metrics_);
      sealed_->UpdateGauges(metrics_);
    };
    COMITY_ASSIGN_OR_RETURN(
        web_, WebServer::Start(
                  {config_.listen.web, config_.keys.tls, config_.data_directory / "log", metrics_,
                   [this] { return ProblemOf(*log_); }, update, servers_.WebRefusals()}));
    ports_.web = web_->port();
    return {};
  }

  void KeepHouse() {
    housekeeping_.Add("retention", [this] { retention_->Housekeep(); });
    housekeeping_.Add("bars", seconds(1), [this] { storage_->ListBars(); });
    storage_->OnDistrust([this](store::BoundTable table) { control_->Distrust(table); });
    housekeeping_.Add("tables", [this] { return storage_->LookAtTables(); });
    housekeeping_.Add("capacity", [this] { return capacity_->Housekeep(); });
    housekeeping_.Add("database", [this] { storage_->WatchDatabase(); });
    housekeeping_.Add("partners", [this] { partners_->Housekeep(); });
    housekeeping_.Add("search-control", [this] { control_->Housekeep(); });
    housekeeping_.Add("people", [this] { return people_side_->Housekeep(); });
    housekeeping_.Add("agreements", [this] { return agreements_->Housekeep(); });
    housekeeping_.Add("refusals", [this] {
      handshakes_.WriteRepeats();
      federation_service_->WriteRepeats();
      return refusals_->WriteRepeats();
    });
    const auto reunite = [this] {
      return NoteReunited(storage_->reunion(), peers_->partners(), *agreements_, *courier_);
    };
    if (!storage_->reunion().everybody()) housekeeping_.Add("reunion", seconds(1), reunite);
    housekeeping_.Start();
  }

  Status RecordStart() {
    COMITY_RETURN_IF_ERROR(log_->Record(StartEvent(self_, started_at_, config_.text)));
    started_ = true;
    return people_side_->configuration().Check();
  }

  const runtime::Config& config_;
  runtime::Clock& clock_;
  runtime::Logger& logger_;
  const StartRules rules_;
  runtime::Instant started_at_{};
  SystemRandom random_;
  runtime::Metrics metrics_;
  policy::AgencyId self_;
  IdentityKeys keys_;
  matching::AnswerBarrier barrier_;
  matching::Scanner scanner_;
  std::stop_source streams_stop_;
  HandshakeLog handshakes_{clock_, logger_};
  Restart restart_;
  std::unique_ptr<Storage> storage_;
  store::Store* store_ = nullptr;  // of `storage_`, as the next one
  audit::Log* log_ = nullptr;
  std::unique_ptr<PeopleSide> people_side_;
  identity::People* people_ = nullptr;  // of `people_side_`, as the next two
  identity::Notices* notices_ = nullptr;
  identity::Approvals* approvals_ = nullptr;
  std::unique_ptr<agreements::Register> agreements_;
  std::unique_ptr<MessageSide> messages_;
  std::unique_ptr<ListSide> lists_;
  std::unique_ptr<CapacitySide> capacity_;
  std::optional<matching::Committer> committer_;
  std::unique_ptr<SearchControl> control_;
  std::optional<casework::AlertDesk> alerts_;
  std::shared_ptr<transport::TrustStore> federation_trust_;
  std::shared_ptr<transport::TrustStore> agency_trust_;
  std::unique_ptr<transport::ServerTls> federation_tls_;
  std::unique_ptr<transport::ServerTls> agency_tls_;
  std::optional<MessageSigner> signer_;
  std::optional<MessageVerifier> verifier_;
  std::unique_ptr<PartnerSide> partners_;
  PeerLinks* peers_ = nullptr;  // of `partners_`
  std::optional<RefusalRecord> refusals_;
  std::optional<AgencyCallers> agency_callers_;
  std::optional<FederationCallers> federation_callers_;
  std::optional<ReplayGuard> replays_;
  std::unique_ptr<AgreementCourier> courier_;
  std::optional<matching::RequesterPorts> requester_ports_;
  std::unique_ptr<SealedSide> sealed_;
  std::optional<FederationService> federation_service_;
  std::optional<RecognitionService> recognition_;
  std::optional<AgreementsService> agreements_service_;
  std::optional<AlertsService> alerts_service_;
  std::optional<RetentionSide> retention_;
  std::optional<NodeService> node_service_;
  Servers servers_{metrics_, handshakes_};
  std::unique_ptr<WebServer> web_;
  Ports ports_;
  bool started_ = false, stopped_ = false;
  Housekeeping housekeeping_{logger_};
  std::unique_ptr<RestoredGateway> restored_;  // then nothing of the others is there
};

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::Start(const runtime::Config& config,
                                                runtime::Clock& clock, runtime::Logger& logger,
                                                const StartRules& rules) {
  auto parts = std::make_unique<Parts>(config, clock, logger, rules);
  COMITY_RETURN_IF_ERROR(parts->Start());
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

const Ports& Gateway::ports() const {
  return parts_->ports();
}
std::string Gateway::AwaitRestart(const std::stop_token& stop) {
  return parts_->AwaitRestart(stop);
}
void Gateway::Stop(std::string_view reason) {
  parts_->Stop(reason);
}

}  // namespace comity::gateway
