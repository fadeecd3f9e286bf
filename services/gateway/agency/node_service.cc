// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/node_service.h"

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/gateway/wire/version.h"
#include "services/transport/certificate.h"

namespace comity::gateway {
namespace {

v1::PeerStatus Contact(const PeerLinks& peers, const PeerLinks::Link& link) {
  v1::PeerStatus status;
  status.set_agency(link.peer.agency.text());
  status.set_address(link.address);
  const auto hello = peers.Hello(link.peer.agency);
  status.set_reachable(hello.has_value());
  if (hello) {
    status.set_clock_skew_ms(hello->clock_skew.count());
    status.set_protocol(hello->protocol);
    *status.mutable_certificate_expires_at() = gateway::ToProto(hello->certificate_expires_at);
  } else {
    status.set_fault(hello.error().detail);
  }
  return status;
}

}  // namespace

grpc::Status NodeService::Status(grpc::ServerContext* context, const v1::NodeStatusRequest* request,
                                 v1::NodeStatusResponse* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kNodeStatus));
    response->set_agency(ports_.self.text());
    response->set_version(std::string(kVersion));
    *response->mutable_now() = ToProto(ports_.clock.Now());
    *response->mutable_started_at() = ToProto(ports_.started_at);
    const audit::Checkpoint checkpoint = ports_.log.Latest();
    response->set_checkpoint_size(checkpoint.size);
    COMITY_RETURN_IF_ERROR(
        ports_.log.store().Read([&](const store::Transaction& transaction) -> comity::Status {
          COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, transaction.audit().Size());
          response->set_log_size(size);
          return {};
        }));
    if (const auto own = transport::ReadOwnCertificate(ports_.certificate); own) {
      *response->mutable_certificate_expires_at() = ToProto(own->expires_at);
    }
    const Digest& configuration = ports_.configuration.configuration();
    response->set_configuration(configuration.bytes.data(), configuration.bytes.size());
    response->set_configuration_acknowledged(ports_.configuration.acknowledged());
    if (ports_.health) {
      COMITY_RETURN_IF_ERROR(ports_.health->Gather(caller, *response->mutable_health()));
    }
    // All at once: a dead peer costs its own deadline, not the sum of them.
    std::vector<std::future<v1::PeerStatus>> contacts;
    const auto links = ports_.peers.all();
    for (const auto& [agency, link] : links) {
      if (request->contact_peers()) {
        contacts.push_back(
            std::async(std::launch::async, [&, at = link] { return Contact(ports_.peers, *at); }));
      } else {
        v1::PeerStatus& status = *response->add_peers();
        status.set_agency(agency.text());
        status.set_address(link->address);
      }
    }
    for (auto& contact : contacts) *response->add_peers() = contact.get();
    return {};
  });
}

grpc::Status NodeService::AcknowledgeConfiguration(
    grpc::ServerContext* context, const v1::AcknowledgeConfigurationRequest* request,
    v1::PendingAct* response) {
  return RespondLocally([&]() -> comity::Status {
    COMITY_ASSIGN_OR_RETURN(
        const identity::Caller caller,
        ports_.callers.Person(*context, identity::Act::kConfigurationAcknowledge));
    COMITY_ASSIGN_OR_RETURN(const std::string content,
                            ports_.configuration.ContentFor(AsBytes(request->configuration())));
    COMITY_ASSIGN_OR_RETURN(const identity::PendingAct act,
                            ports_.approvals.Propose(identity::Act::kConfigurationAcknowledge,
                                                     content, "configuration", caller));
    *response = ToProto(act);
    return {};
  });
}

}  // namespace comity::gateway
