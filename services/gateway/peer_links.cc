// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/peer_links.h"

#include <utility>

#include "services/gateway/convert_time.h"
#include "services/gateway/version.h"
#include "services/matching/exchange_id.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::gateway {
namespace {

using transport::limits::kHelloDeadline;
using transport::limits::kUnaryDeadline;

void SetDeadline(grpc::ClientContext& context, std::chrono::seconds deadline) {
  context.set_deadline(std::chrono::system_clock::now() + deadline);
}

// An answer must repeat the exchange id of its request.
template <typename Payload>
Result<Payload> CheckAnswer(Result<Payload> payload, const std::string& exchange) {
  if (payload && payload->header().exchange_id() != exchange) {
    return Fail(ErrorCode::kCorrupt, "the answer is to another exchange");
  }
  return payload;
}

}  // namespace

PeerLinks::PeerLinks(std::vector<Link> links, transport::TrustStore& trust,
                     const MessageSigner& signer, const MessageVerifier& verifier,
                     const runtime::Clock& clock, RandomSource& random)
    : trust_(trust), signer_(signer), verifier_(verifier), clock_(clock), random_(random) {
  for (Link& link : links) {
    policy::AgencyId agency = link.peer.agency;
    links_.emplace(std::move(agency), std::move(link));
  }
}

Result<const PeerLinks::Link*> PeerLinks::Find(const policy::AgencyId& agency) const {
  const auto link = links_.find(agency);
  if (link == links_.end()) return Fail(ErrorCode::kNotFound, agency.text() + " is no peer");
  return &link->second;
}

Status PeerLinks::Verify(const grpc::ClientContext& call, const policy::AgencyId& agency) const {
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer server,
                          transport::ServerOf(call, trust_, clock_.Now()));
  if (server.agency == agency.text()) return {};
  return Fail(ErrorCode::kUnauthenticated, "the call is served by " + server.agency);
}

Result<HelloAnswer> PeerLinks::Hello(const policy::AgencyId& agency) const {
  COMITY_ASSIGN_OR_RETURN(const Link* link, Find(agency));
  const std::string exchange = matching::NewExchangeId(random_);
  v1::HelloRequest request;
  request.set_protocol_min(kProtocolMin);
  request.set_protocol_max(kProtocolMax);
  request.set_software(std::string(kSoftware));
  grpc::ClientContext context;
  SetDeadline(context, kHelloDeadline);
  v1::SignedMessage reply;
  const auto sent_at = clock_.Now();
  const grpc::Status status =
      link->stub->Hello(&context, signer_.Sign(request, agency, exchange), &reply);
  if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
  COMITY_ASSIGN_OR_RETURN(
      const v1::HelloReply hello,
      CheckAnswer(verifier_.Verify<v1::HelloReply>(reply, link->peer), exchange));
  COMITY_ASSIGN_OR_RETURN(const policy::Instant peer_time, FromProto(hello.header().sent_at()));
  const auto round_trip = clock_.Now() - sent_at;
  HelloAnswer answer;
  answer.protocol = hello.protocol();
  answer.software = hello.software().substr(0, 64);
  answer.clock_skew =
      std::chrono::duration_cast<std::chrono::milliseconds>(peer_time - sent_at - round_trip / 2);
  return answer;
}

Result<PeerLinks::Delivered> PeerLinks::DeliverAgreement(const policy::AgencyId& agency,
                                                         v1::AgreementDelivery delivery) const {
  COMITY_ASSIGN_OR_RETURN(const Link* link, Find(agency));
  Delivered delivered;
  delivered.exchange = matching::NewExchangeId(random_);
  const v1::SignedMessage request = signer_.Sign(std::move(delivery), agency, delivered.exchange);
  grpc::ClientContext context;
  SetDeadline(context, kUnaryDeadline);
  v1::SignedMessage reply;
  const grpc::Status status = link->stub->DeliverAgreement(&context, request, &reply);
  if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
  COMITY_ASSIGN_OR_RETURN(
      delivered.receipt,
      CheckAnswer(verifier_.Verify<v1::AgreementReceipt>(reply, link->peer), delivered.exchange));
  delivered.request = MessageDigest(request);
  delivered.reply = MessageDigest(reply);
  return delivered;
}

}  // namespace comity::gateway
