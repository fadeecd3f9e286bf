// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/partner_side.h"

#include <utility>

#include "services/gateway/own_keys.h"
#include "services/transport/address.h"
#include "services/transport/limits.h"
#include "services/transport/peer_identity.h"

namespace comity::gateway {
namespace {

identity::PeerTerms SelfOf(const runtime::Config& config, const policy::AgencyId& self,
                           const IdentityKeys& keys) {
  identity::PeerTerms terms;
  terms.agency = self;
  terms.name = config.agency.name;
  terms.spiffe_id =
      transport::EncodeSpiffeId({transport::PeerKind::kGateway, config.agency.trust_domain, {}});
  terms.address = config.listen.federation.text();
  terms.signing_key = keys.agency->public_key();
  terms.log_key = keys.log->public_key();
  return terms;
}

}  // namespace

Result<std::unique_ptr<PartnerSide>> PartnerSide::Open(Ports ports) {
  std::unique_ptr<PartnerSide> side(new PartnerSide(std::move(ports)));
  const Ports& with = side->ports_;
  COMITY_ASSIGN_OR_RETURN(side->former_keys_,
                          FormerKeys(with.store, with.self, with.keys.agency->public_key()));
  COMITY_ASSIGN_OR_RETURN(
      side->peers_,
      identity::Peers::Open({with.store, with.journal, SelfOf(with.config, with.self, with.keys),
                             *with.keys.agency, side->former_keys_, with.clock}));
  return side;
}

void PartnerSide::Connect(Wire wire) {
  const auto connect = [&tls = wire.tls](
                           const policy::AgencyId& agency,
                           const std::string& text) -> Result<std::shared_ptr<grpc::Channel>> {
    COMITY_ASSIGN_OR_RETURN(const transport::Address address, transport::ParseAddress(text));
    return tls.ChannelTo(agency.text(), address, transport::limits::kMaxFederationMessage);
  };
  const auto view = [this](const policy::AgencyId& agency) {
    return ViewOf(*peers_, agency, ports_.clock.Now());
  };
  links_.emplace(PeerLinks::Ports{connect, view, wire.trust, wire.signer, wire.verifier,
                                  ports_.clock, ports_.random});
  binding_.emplace(PeerBinding::Ports{*peers_, wire.trust, *links_, ports_.config.peers.crl_folder,
                                      std::move(wire.follow), ports_.clock, ports_.logger});
}

Status PartnerSide::Serve(Desk desk) {
  COMITY_ASSIGN_OR_RETURN(
      monitor_, PeerMonitor::Open({ports_.self, *peers_, *links_, ports_.store, ports_.journal,
                                   desk.notices, ports_.clock, ports_.logger,
                                   ports_.config.peers.away_after, std::move(desk.on_return)}));
  const runtime::Config& config = ports_.config;
  card_.emplace(OwnCard::Setup{config.agency.id, config.agency.name, config.agency.trust_domain,
                               config.keys.tls, config.keys.roots, *ports_.keys.agency,
                               ports_.keys.log->public_key(), ports_.clock});
  const PeerActPorts acts{ports_.self, *peers_,      desk.notices, desk.outbox,
                          *monitor_,   ports_.clock, desk.barrier};
  service_.emplace(PeersService::Ports{desk.callers, desk.approvals, acts, *card_,
                                       config.listen.federation.text(), ports_.store,
                                       ports_.journal, desk.barrier});
  key_changes_.emplace(KeyChangeHandler::Ports{*peers_, desk.notices, ports_.clock});
  binding_->Apply();
  peers_->OnChange([this] { binding_->Apply(); });
  return {};
}

void PartnerSide::Housekeep() {
  if (peers_->IsReadable()) return binding_->Apply();
  if (const Status read = peers_->Refresh(); !read) {
    ports_.logger.Error("partners-not-read", {{"reason", read.error().detail}});
  }
}

}  // namespace comity::gateway
