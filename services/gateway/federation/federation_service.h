// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "comity/v1/federation.grpc.pb.h"
#include "services/agreements/register.h"
#include "services/gateway/federation/agreement_courier.h"
#include "services/gateway/federation/list_validation.h"
#include "services/gateway/federation/partner_inbox.h"
#include "services/gateway/federation/peer_monitor.h"
#include "services/gateway/federation/sealed_desk.h"
#include "services/gateway/federation/sealed_offers.h"
#include "services/gateway/federation/sealed_stream.h"
#include "services/gateway/wire/call_rate.h"
#include "services/gateway/wire/callers.h"
#include "services/gateway/wire/places.h"
#include "services/gateway/wire/replay_guard.h"
#include "services/gateway/wire/signed_message.h"
#include "services/gateway/wire/warning_fold.h"
#include "services/matching/holder_session.h"
#include "services/transport/limits.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// comity.v1.Federation: what other agencies' gateways may ask. Threads: thread-safe.
class FederationService final : public v1::Federation::Service {
 public:
  struct Ports {
    policy::AgencyId self;
    FederationCallers& callers;
    RefusalRecord& refusals;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    ReplayGuard& replays;
    agreements::Register& agreements;
    AgreementCourier& courier;
    matching::AnswerBarrier& barrier;
    matching::HolderPorts search;
    RandomSource& random;
    runtime::Logger& logger;
    std::uint32_t max_calls_per_peer;
    const identity::Peers& peers;
    PeerMonitor& monitor;
    const runtime::Clock& clock;
    PartnerInbox& inbox;
    watchlists::Register& lists;
    SealedDesk& sealed_desk;
    SealedSearchPorts sealed;
  };
  // All references must outlive the object.
  explicit FederationService(Ports ports)
      : ports_(std::move(ports)), calls_(ports_.max_calls_per_peer) {}

  grpc::Status Hello(grpc::ServerContext* context, const v1::SignedMessage* request,
                     v1::SignedMessage* response) override;
  grpc::Status DeliverAgreement(grpc::ServerContext* context, const v1::SignedMessage* request,
                                v1::SignedMessage* response) override;
  grpc::Status Deliver(grpc::ServerContext* context, const v1::SignedMessage* request,
                       v1::SignedMessage* response) override;
  grpc::Status ListOffers(grpc::ServerContext* context, const v1::SignedMessage* request,
                          v1::SignedMessage* response) override;
  grpc::Status ValidateLists(grpc::ServerContext* context, const v1::SignedMessage* request,
                             v1::SignedMessage* response) override;
  grpc::Status Search(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override;

  grpc::Status ListSealed(grpc::ServerContext* context, const v1::SignedMessage* request,
                          v1::SignedMessage* response) override;
  grpc::Status FetchSealed(grpc::ServerContext* context, const v1::SignedMessage* request,
                           grpc::ServerWriter<v1::SealedChunk>* writer) override;
  grpc::Status SealedSearch(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>* stream) override;

  // Writes counts of failed calls that are due. To be called about every ten seconds.
  void WriteRepeats() { failures_.WriteRepeats(); }

 private:
  // The caller, and its place for the length of the call.
  struct Entered {
    PinnedPeer peer;
    Places::Place place;
  };
  // Runs a call's body, which names the caller as soon as it is known.
  template <typename Body>
  grpc::Status Respond(std::string_view method, Body&& body);
  // Sets `caller`. Errors: those of FederationCallers::Peer; kExhausted  rate or places
  Result<Entered> Enter(const grpc::ServerContext& context, std::string_view method, CallRate& rate,
                        std::string& caller);
  void AwaitSealed(const grpc::ServerContext& context, const v1::ListSealedRequest& asked,
                   const policy::AgencyId& requester);
  void LogFailure(const WarningFold::Warning& last, std::int64_t attempts) const;
  // Verifies the message, refuses replays, and records what is refused.
  template <typename Payload>
  Result<Payload> Receive(const v1::SignedMessage& message, const PinnedPeer& peer);

  Ports ports_;
  ListValidator validator_{{ports_.self, ports_.lists, ports_.search}};
  SealedOffers sealed_offers_{{ports_.self, ports_.search, ports_.sealed_desk, ports_.logger}};
  Places calls_;  // open at a time, by peer
  Places sealed_sessions_{transport::limits::kMaxSealedSessionsPerPeer};
  Places sealed_waits_{transport::limits::kMaxSealedWaitsPerPeer};
  CallRate rate_{transport::limits::kPeerCallsPerSecond, transport::limits::kPeerCallBurst};
  // Its own, so that a large list holds up nothing else.
  CallRate fetches_{transport::limits::kPeerFetchesPerSecond, transport::limits::kPeerFetchBurst};
  // Their own, so that a full outbox holds up nothing else.
  CallRate deliveries_{transport::limits::kPeerDeliveriesPerSecond,
                       transport::limits::kPeerDeliveryBurst};
  // Those of every kind but entry-change: each has work done that is out of proportion.
  CallRate rare_deliveries_{transport::limits::kPeerRareDeliveriesPerSecond,
                            transport::limits::kPeerRareDeliveryBurst};
  // Announcements that the partner stops: each becomes a notice to people, and its return another.
  CallRate leavings_{transport::limits::kPeerLeavingsPerSecond,
                     transport::limits::kPeerLeavingBurst};
  WarningFold failures_{ports_.clock,
                        [this](const WarningFold::Warning& last, std::int64_t attempts) {
                          LogFailure(last, attempts);
                        }};
};

}  // namespace comity::gateway
