// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation_service.h"

#include <exception>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/convert_policy.h"
#include "services/gateway/holder_stream.h"
#include "services/gateway/peer_links.h"
#include "services/gateway/version.h"
#include "services/matching/exchange_id.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;

void AddFault(v1::AgreementReceipt& receipt, std::string_view statement, const Error& error) {
  v1::StatementFault& fault = *receipt.add_faults();
  if (!statement.empty()) {
    auto envelope = sign::ParseDsseJson(statement, limits::kMaxStatement);
    const Digest id = envelope ? policy::StatementId(envelope->payload) : Digest{};
    fault.set_statement(id.bytes.data(), id.bytes.size());
  }
  fault.set_code(std::string(Name(error.code)));
}

Status CheckDelivery(const v1::AgreementDelivery& delivery) {
  if (delivery.document().size() > limits::kMaxAgreementDocument ||
      static_cast<std::size_t>(delivery.statements_size()) > limits::kMaxStatementsPerDelivery) {
    return Fail(ErrorCode::kInvalidArgument,
                "a delivery has one document of 256 KiB and 64 "
                "statements at most");
  }
  return {};
}

}  // namespace

// A peer learns a code and a correlation id; this log learns the rest.
template <typename Body>
grpc::Status FederationService::Respond(Body&& body) {
  Status status = [&]() -> Status {
    try {
      return std::forward<Body>(body)();
    } catch (const std::exception& exception) {
      return Fail(ErrorCode::kInternal, exception.what());
    }
  }();
  if (status) return grpc::Status::OK;
  const std::string correlation = matching::NewExchangeId(ports_.random);
  ports_.logger.Warn("peer-call-failed", {{"correlation", correlation},
                                          {"code", Name(status.error().code)},
                                          {"reason", status.error().detail}});
  return transport::ToGrpcStatus(status.error(), correlation);
}

template <typename Payload>
Result<Payload> FederationService::Receive(const v1::SignedMessage& message,
                                           const PinnedPeer& peer) {
  Result<Payload> payload = ports_.verifier.Verify<Payload>(message, peer);
  Status status = payload ? ports_.replays.Admit(peer.agency, payload->header().exchange_id())
                          : Status(Fail(payload.error()));
  if (status) return payload;
  COMITY_RETURN_IF_ERROR(ports_.refusals.Add({audit::kPeerMessageRefused, peer.agency.text(),
                                              Payload::descriptor()->name(), status.error()}));
  return Fail(std::move(status).error());
}

grpc::Status FederationService::Hello(grpc::ServerContext* context,
                                      const v1::SignedMessage* request,
                                      v1::SignedMessage* response) {
  return Respond([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer,
                            ports_.callers.Peer(*context, "Federation.Hello"));
    COMITY_RETURN_IF_ERROR(rate_.Take(peer.agency.text()));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            calls_.Take(peer.agency.text(), "limits.max_calls_per_peer"));
    COMITY_ASSIGN_OR_RETURN(const auto hello, Receive<v1::HelloRequest>(*request, peer));
    if (hello.protocol_max() < kProtocolMin || hello.protocol_min() > kProtocolMax) {
      return Fail(ErrorCode::kInvalidArgument, "no protocol version in common");
    }
    v1::HelloReply reply;
    reply.set_protocol(std::min(hello.protocol_max(), kProtocolMax));
    reply.set_software(std::string(kSoftware));
    *response = ports_.signer.Sign(reply, peer.agency, hello.header().exchange_id());
    return {};
  });
}

grpc::Status FederationService::DeliverAgreement(grpc::ServerContext* context,
                                                 const v1::SignedMessage* request,
                                                 v1::SignedMessage* response) {
  return Respond([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer,
                            ports_.callers.Peer(*context, "Federation.DeliverAgreement"));
    COMITY_RETURN_IF_ERROR(rate_.Take(peer.agency.text()));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            calls_.Take(peer.agency.text(), "limits.max_calls_per_peer"));
    COMITY_ASSIGN_OR_RETURN(const auto delivery, Receive<v1::AgreementDelivery>(*request, peer));
    COMITY_RETURN_IF_ERROR(CheckDelivery(delivery));
    agreements::Source source;
    source.peer = peer.agency;
    source.exchange = delivery.header().exchange_id();
    source.request = MessageDigest(*request);
    v1::AgreementReceipt receipt;
    std::optional<agreements::Submitted> last;
    bool news = false;
    const auto accept = [&](Result<agreements::Submitted> result, std::string_view statement) {
      if (!result) return AddFault(receipt, statement, result.error());
      news = news || !result->known_already;
      last = *std::move(result);
    };
    if (!delivery.document().empty()) {
      accept(ports_.agreements.SubmitDocument(delivery.document(), source), {});
    }
    for (const std::string& statement : delivery.statements()) {
      accept(ports_.agreements.SubmitStatement(statement, source), statement);
    }
    ports_.barrier.Drain();
    if (last) {
      *receipt.mutable_agreement() = ToProto(last->agreement);
      receipt.set_status(last->status);
      if (news) ports_.courier.Refresh(peer.agency, last->agreement);
    }
    *response = ports_.signer.Sign(receipt, peer.agency, source.exchange);
    return {};
  });
}

grpc::Status FederationService::Search(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) {
  return Respond([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer,
                            ports_.callers.Peer(*context, "Federation.Search"));
    COMITY_RETURN_IF_ERROR(rate_.Take(peer.agency.text()));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            calls_.Take(peer.agency.text(), "limits.max_calls_per_peer"));
    v1::SignedMessage first;
    if (!stream->Read(&first)) return {};
    COMITY_ASSIGN_OR_RETURN(const auto open, Receive<v1::SearchOpen>(first, peer));
    HolderStream session({ports_.self, peer, ports_.callers, ports_.refusals, ports_.signer,
                          ports_.verifier, ports_.search, ports_.logger},
                         *context, *stream);
    return session.Run(open, MessageDigest(first));
  });
}

}  // namespace comity::gateway
