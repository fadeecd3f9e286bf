// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/federation.grpc.pb.h"
#include "services/agreements/register.h"
#include "services/gateway/agreement_courier.h"
#include "services/gateway/call_rate.h"
#include "services/gateway/callers.h"
#include "services/gateway/places.h"
#include "services/gateway/replay_guard.h"
#include "services/gateway/signed_message.h"
#include "services/matching/holder_session.h"
#include "services/transport/limits.h"

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
  };
  // All references must outlive the object.
  explicit FederationService(Ports ports)
      : ports_(std::move(ports)), calls_(ports_.max_calls_per_peer) {}

  grpc::Status Hello(grpc::ServerContext* context, const v1::SignedMessage* request,
                     v1::SignedMessage* response) override;
  grpc::Status DeliverAgreement(grpc::ServerContext* context, const v1::SignedMessage* request,
                                v1::SignedMessage* response) override;
  grpc::Status Search(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override;

 private:
  template <typename Body>
  grpc::Status Respond(Body&& body);
  // Verifies the message, refuses replays, and records what is refused.
  template <typename Payload>
  Result<Payload> Receive(const v1::SignedMessage& message, const PinnedPeer& peer);

  Ports ports_;
  Places calls_;  // open at a time, by peer
  CallRate rate_{transport::limits::kPeerCallsPerSecond, transport::limits::kPeerCallBurst};
};

}  // namespace comity::gateway
