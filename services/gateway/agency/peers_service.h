// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "comity/v1/peers.grpc.pb.h"
#include "services/audit/journal.h"
#include "services/gateway/agency/own_card.h"
#include "services/gateway/agency/peer_acts.h"
#include "services/gateway/wire/callers.h"
#include "services/matching/answer_barrier.h"
#include "services/store/store.h"

namespace comity::gateway {

// comity.v1.Peers at the agency port. Threads: thread-safe.
class PeersService final : public v1::Peers::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    identity::Approvals& approvals;
    PeerActPorts acts;
    const OwnCard& card;
    std::string address;  // where partners reach this gateway, unless told otherwise
    const store::Store& store;
    audit::Journal& journal;
    matching::AnswerBarrier& barrier;
  };
  // All references must outlive the object. Handles its acts that need two people.
  explicit PeersService(Ports ports);

  grpc::Status Invite(grpc::ServerContext* context, const v1::InvitePeerRequest* request,
                      v1::InvitePeerResponse* response) override;
  grpc::Status Accept(grpc::ServerContext* context, const v1::AcceptPeerRequest* request,
                      v1::PendingAct* response) override;
  grpc::Status Rekey(grpc::ServerContext* context, const v1::RekeyPeerRequest* request,
                     v1::PendingAct* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListPeersRequest* request,
                    v1::ListPeersResponse* response) override;
  grpc::Status Suspend(grpc::ServerContext* context, const v1::SuspendPeerRequest* request,
                       v1::Peer* response) override;
  grpc::Status Resume(grpc::ServerContext* context, const v1::ResumePeerRequest* request,
                      v1::PendingAct* response) override;
  grpc::Status Remove(grpc::ServerContext* context, const v1::RemovePeerRequest* request,
                      v1::PendingAct* response) override;

 private:
  Result<identity::PendingAct> ProposeState(identity::Act act, const std::string& agency,
                                            const std::string& reason,
                                            const identity::Caller& caller);

  Ports ports_;
  PeerEnrolAct enrol_;
  PeerRekeyAct rekey_;
  PeerResumeAct resume_;
  PeerRemoveAct remove_;
};

}  // namespace comity::gateway
