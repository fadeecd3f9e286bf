// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/peers_service.h"

#include <map>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/agency/convert_peer.h"
#include "services/gateway/agency/peer_content.h"
#include "services/gateway/federation/peer_terms.h"
#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/respond.h"
#include "services/identity/visible_text.h"
#include "services/store/outbox_store.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using identity::Act;
using identity::Role;

std::string SubjectOf(const policy::AgencyId& agency) {
  return "partner " + agency.text();
}

Result<std::map<policy::AgencyId, std::uint64_t>> CountWaiting(const store::Store& store) {
  std::map<policy::AgencyId, std::uint64_t> waiting;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto messages, transaction.outbox().AllWaiting());
    for (const store::OutboxRecord& message : messages) ++waiting[message.peer];
    return {};
  }));
  return waiting;
}

}  // namespace

PeersService::PeersService(Ports ports)
    : ports_(std::move(ports)),
      enrol_(ports_.acts),
      rekey_(ports_.acts),
      resume_(ports_.acts),
      remove_(ports_.acts) {
  ports_.approvals.Handle(Act::kPeerEnrol, enrol_);
  ports_.approvals.Handle(Act::kPeerRekey, rekey_);
  ports_.approvals.Handle(Act::kPeerResume, resume_);
  ports_.approvals.Handle(Act::kPeerRemove, remove_);
}

grpc::Status PeersService::Invite(grpc::ServerContext* context,
                                  const v1::InvitePeerRequest* request,
                                  v1::InvitePeerResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerInvite));
    const std::string& address = request->address().empty() ? ports_.address : request->address();
    COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card, ports_.card.Make(address));
    COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(card));
    audit::Event event;
    event.type = audit::kPeerCardMade;
    event.parties = {ports_.acts.self};
    event.committed = {{"operator", caller.person.text()}, {"address", address}};
    event.messages.emplace("card", terms.fingerprint);
    COMITY_RETURN_IF_ERROR(ports_.journal.Record(event));
    response->set_card(transport::EncodePeerCard(card));
    *response->mutable_terms() = ToProto(terms);
    return {};
  });
}

grpc::Status PeersService::Accept(grpc::ServerContext* context,
                                  const v1::AcceptPeerRequest* request, v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerEnrol));
    const PeerCardAct act{request->card(), request->address(), {}};
    COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(act));
    COMITY_ASSIGN_OR_RETURN(const identity::PendingAct pending,
                            ports_.approvals.Propose(Act::kPeerEnrol, EncodePeerCardAct(act),
                                                     SubjectOf(terms.agency), caller));
    *response = ToProto(pending);
    return {};
  });
}

grpc::Status PeersService::Rekey(grpc::ServerContext* context, const v1::RekeyPeerRequest* request,
                                 v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerRekey));
    PeerCardAct act{request->card(), request->address(), {}};
    act.how.overlap = std::chrono::hours(request->overlap_hours());
    if (request->card().empty()) {
      COMITY_ASSIGN_OR_RETURN(const auto agency, policy::AgencyId::Parse(request->announced()));
      COMITY_ASSIGN_OR_RETURN(const identity::Peer peer, ports_.acts.peers.Find(agency));
      if (!peer.announced) {
        return Fail(ErrorCode::kNotFound, agency.text() + " announced no card");
      }
      act.card = peer.announced->card;
    }
    if (request->has_compromised_since()) {
      COMITY_ASSIGN_OR_RETURN(act.how.compromised_since, FromProto(request->compromised_since()));
    }
    COMITY_ASSIGN_OR_RETURN(const identity::PeerTerms terms, TermsOf(act));
    COMITY_ASSIGN_OR_RETURN(const identity::PendingAct pending,
                            ports_.approvals.Propose(Act::kPeerRekey, EncodePeerCardAct(act),
                                                     SubjectOf(terms.agency), caller));
    *response = ToProto(pending);
    return {};
  });
}

grpc::Status PeersService::List(grpc::ServerContext* context,
                                const v1::ListPeersRequest* /*request*/,
                                v1::ListPeersResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerRead));
    COMITY_ASSIGN_OR_RETURN(auto waiting, CountWaiting(ports_.store));
    const auto contacts = ports_.acts.monitor.Contacts();
    for (const identity::Peer& peer : ports_.acts.peers.List()) {
      const auto contact = contacts.find(peer.terms.agency);
      v1::Peer& proto = *response->add_peers();
      proto = ToProto(peer, contact == contacts.end() ? nullptr : &contact->second);
      proto.set_outbox(waiting[peer.terms.agency]);
    }
    for (const identity::PeerKeys& keys : ports_.acts.peers.Self().keys) {
      *response->add_own_keys() = ToProto(keys);
    }
    return {};
  });
}

grpc::Status PeersService::Suspend(grpc::ServerContext* context,
                                   const v1::SuspendPeerRequest* request, v1::Peer* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerSuspend));
    COMITY_ASSIGN_OR_RETURN(const auto agency, policy::AgencyId::Parse(request->agency()));
    COMITY_RETURN_IF_ERROR(
        identity::CheckVisibleText("a reason", request->reason(), transport::limits::kMaxReason));
    const PeerActPorts& acts = ports_.acts;
    COMITY_RETURN_IF_ERROR(ports_.journal.Commit([&](store::Transaction& transaction,
                                                     audit::Recorder& recorder) -> Status {
      COMITY_RETURN_IF_ERROR(
          acts.peers.Suspend(transaction, recorder, agency, {caller.person, request->reason()}));
      return acts.notices.Post(transaction, recorder,
                               {identity::notice::kPeerNotice,
                                {Role::kOperator, Role::kSupervisor, Role::kDpo, Role::kSignatory},
                                agency.text(),
                                agency.text() + " was suspended: " + request->reason()});
    }));
    COMITY_RETURN_IF_ERROR(acts.peers.Refresh());
    // What was being answered when the register changed is answered; nothing after that.
    ports_.barrier.Drain();
    acts.notices.Announce();
    acts.monitor.Tell(agency);
    COMITY_ASSIGN_OR_RETURN(const identity::Peer peer, acts.peers.Find(agency));
    *response = ToProto(peer, nullptr);
    return {};
  });
}

Result<identity::PendingAct> PeersService::ProposeState(Act act, const std::string& agency,
                                                        const std::string& reason,
                                                        const identity::Caller& caller) {
  COMITY_ASSIGN_OR_RETURN(const auto id, policy::AgencyId::Parse(agency));
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("a reason", reason, transport::limits::kMaxReason));
  PeerStateAct content{id, reason, std::nullopt};
  if (act == Act::kPeerResume) {
    COMITY_ASSIGN_OR_RETURN(const identity::Peer peer, ports_.acts.peers.Find(id));
    content.suspended_at = peer.changed_at;
  }
  return ports_.approvals.Propose(act, EncodePeerStateAct(content), SubjectOf(id), caller);
}

grpc::Status PeersService::Resume(grpc::ServerContext* context,
                                  const v1::ResumePeerRequest* request, v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerResume));
    COMITY_ASSIGN_OR_RETURN(
        const identity::PendingAct pending,
        ProposeState(Act::kPeerResume, request->agency(), request->reason(), caller));
    *response = ToProto(pending);
    return {};
  });
}

grpc::Status PeersService::Remove(grpc::ServerContext* context,
                                  const v1::RemovePeerRequest* request, v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller, ports_.callers.Person(*context, Act::kPeerRemove));
    COMITY_ASSIGN_OR_RETURN(
        const identity::PendingAct pending,
        ProposeState(Act::kPeerRemove, request->agency(), request->reason(), caller));
    *response = ToProto(pending);
    return {};
  });
}

}  // namespace comity::gateway
