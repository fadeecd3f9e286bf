// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/federation_service.h"

#include <exception>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/federation/clock_hint.h"
#include "services/gateway/federation/holder_stream.h"
#include "services/gateway/federation/offer_list.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/wire/call_deadline.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/version.h"
#include "services/matching/exchange_id.h"
#include "services/oversight/partner_content.h"
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

constexpr std::string_view kHello = "Federation.Hello";
constexpr std::string_view kDeliverAgreement = "Federation.DeliverAgreement";
constexpr std::string_view kDeliver = "Federation.Deliver";
constexpr std::string_view kListOffers = "Federation.ListOffers";
constexpr std::string_view kValidateLists = "Federation.ValidateLists";
constexpr std::string_view kSearch = "Federation.Search";
constexpr std::string_view kListSealed = "Federation.ListSealed";
constexpr std::string_view kFetchSealed = "Federation.FetchSealed";
constexpr std::string_view kSealedSearch = "Federation.SealedSearch";

// A call that was let in must not wait, for as long as it likes, for a better moment to open.
template <typename Stream, typename Message>
bool ReadFirst(grpc::ServerContext& context, Stream& stream, Message& message) {
  CallDeadline deadline(context, limits::kFirstMessageDeadline);
  return stream.Read(&message);
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
grpc::Status FederationService::Respond(std::string_view method, Body&& body) {
  std::string caller;
  Status status = [&]() -> Status {
    try {
      return std::forward<Body>(body)(caller);
    } catch (const std::exception& exception) {
      return Fail(ErrorCode::kInternal, exception.what());
    }
  }();
  if (status) return grpc::Status::OK;
  const std::string correlation = matching::NewExchangeId(ports_.random);
  failures_.Add({caller, std::string(method), correlation, status.error()});
  return transport::ToGrpcStatus(status.error(), correlation);
}

Result<FederationService::Entered> FederationService::Enter(const grpc::ServerContext& context,
                                                            std::string_view method, CallRate& rate,
                                                            std::string& caller) {
  const bool admitted = method == kHello || method == kDeliver;
  COMITY_ASSIGN_OR_RETURN(PinnedPeer peer,
                          ports_.callers.Peer(context, method,
                                              admitted ? FederationCallers::Suspended::kAdmitted
                                                       : FederationCallers::Suspended::kRefused));
  caller = peer.agency.text();
  COMITY_RETURN_IF_ERROR(rate.Take(caller));
  COMITY_ASSIGN_OR_RETURN(Places::Place place, calls_.Take(caller, "limits.max_calls_per_peer"));
  return Entered{std::move(peer), std::move(place)};
}

void FederationService::LogFailure(const WarningFold::Warning& last, std::int64_t attempts) const {
  ports_.logger.Warn("peer-call-failed", {{"peer", last.subject},
                                          {"method", last.method},
                                          {"correlation", last.correlation},
                                          {"code", Name(last.error.code)},
                                          {"reason", last.error.detail},
                                          {"attempts", attempts}});
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
  return Respond(kHello, [&](std::string& caller) -> Status {
    // A suspended partner too: it learns from the answer that it is.
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kHello, rate_, caller));
    AddClockHint(*context, ports_.clock.Now());
    const PinnedPeer& peer = entered.peer;
    COMITY_ASSIGN_OR_RETURN(const auto hello, Receive<v1::HelloRequest>(*request, peer));
    if (hello.protocol_max() < kProtocolMin || hello.protocol_min() > kProtocolMax) {
      return Fail(ErrorCode::kInvalidArgument, "no protocol version in common");
    }
    COMITY_ASSIGN_OR_RETURN(const PeerView theirs, FromProto(hello.view()));
    const std::uint32_t protocol = std::min(hello.protocol_max(), kProtocolMax);
    if (hello.leaving()) {
      COMITY_RETURN_IF_ERROR(leavings_.Take(caller));
      ports_.monitor.Leaving(peer.agency);
    } else {
      ports_.monitor.Heard(peer.agency, {theirs.state, theirs.keys, protocol,
                                         CleanSoftware(hello.software()), theirs.capabilities});
    }
    v1::HelloReply reply;
    reply.set_protocol(protocol);
    reply.set_software(std::string(kSoftware));
    *reply.mutable_view() = ToProto(ViewOf(ports_.peers, peer.agency, ports_.clock.Now()));
    *response = ports_.signer.Sign(reply, peer.agency, hello.header().exchange_id());
    return {};
  });
}

grpc::Status FederationService::DeliverAgreement(grpc::ServerContext* context,
                                                 const v1::SignedMessage* request,
                                                 v1::SignedMessage* response) {
  return Respond(kDeliverAgreement, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered,
                            Enter(*context, kDeliverAgreement, rate_, caller));
    const PinnedPeer& peer = entered.peer;
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
    if (const auto about = FromProto(delivery.agreement()); about && !delivery.status().empty()) {
      COMITY_RETURN_IF_ERROR(
          ports_.agreements.LearnPeerStatus(peer.agency, *about, delivery.status()));
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

grpc::Status FederationService::Deliver(grpc::ServerContext* context,
                                        const v1::SignedMessage* request,
                                        v1::SignedMessage* response) {
  return Respond(kDeliver, [&](std::string& caller) -> Status {
    // A suspended partner too: what it withdraws must not stand here because of the suspension.
    // Nothing else of it is taken, since its key may be in other hands.
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kDeliver, deliveries_, caller));
    const PinnedPeer& peer = entered.peer;
    COMITY_ASSIGN_OR_RETURN(const auto message, Receive<v1::PartnerMessage>(*request, peer));
    if (message.kind() != oversight::message_kind::kEntryChange) {
      COMITY_RETURN_IF_ERROR(ports_.callers.Peer(*context, kDeliver));
      COMITY_RETURN_IF_ERROR(rare_deliveries_.Take(caller));
    }
    COMITY_ASSIGN_OR_RETURN(v1::PartnerReceipt receipt, ports_.inbox.Take(peer.agency, message));
    *response = ports_.signer.Sign(std::move(receipt), peer.agency, message.header().exchange_id());
    return {};
  });
}

grpc::Status FederationService::ListOffers(grpc::ServerContext* context,
                                           const v1::SignedMessage* request,
                                           v1::SignedMessage* response) {
  return Respond(kListOffers, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kListOffers, rate_, caller));
    const PinnedPeer& peer = entered.peer;
    COMITY_ASSIGN_OR_RETURN(const auto asked, Receive<v1::ListOffersRequest>(*request, peer));
    const matching::AnswerBarrier::Ticket ticket = ports_.barrier.Enter();
    const v1::ListOffersReply reply = OffersTo(peer.agency, ports_.self, ports_.search);
    *response = ports_.signer.Sign(reply, peer.agency, asked.header().exchange_id());
    audit::Event event;
    event.type = audit::kOffersShown;
    event.time = ports_.search.clock.Now();
    event.exchange = asked.header().exchange_id();
    event.parties = {ports_.self, peer.agency};
    event.messages = {{"request", MessageDigest(*request)}, {"reply", MessageDigest(*response)}};
    event.counts = {{"offers", reply.offers_size()}};
    return ports_.search.journal.Record(event);
  });
}

grpc::Status FederationService::ValidateLists(grpc::ServerContext* context,
                                              const v1::SignedMessage* request,
                                              v1::SignedMessage* response) {
  return Respond(kValidateLists, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kValidateLists, rate_, caller));
    const PinnedPeer& peer = entered.peer;
    COMITY_ASSIGN_OR_RETURN(const auto asked, Receive<v1::ValidateListsRequest>(*request, peer));
    COMITY_ASSIGN_OR_RETURN(const v1::ValidateListsReply reply,
                            validator_.Validate(asked, peer.agency));
    *response = ports_.signer.Sign(reply, peer.agency, asked.header().exchange_id());
    return validator_.Record(
        asked, reply, peer.agency,
        {{"request", MessageDigest(*request)}, {"reply", MessageDigest(*response)}});
  });
}

grpc::Status FederationService::Search(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) {
  return Respond(kSearch, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kSearch, rate_, caller));
    v1::SignedMessage first;
    if (!ReadFirst(*context, *stream, first)) return {};
    // As it stands at this moment: the caller chose when to send.
    COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer, ports_.callers.Peer(*context, kSearch));
    COMITY_ASSIGN_OR_RETURN(const auto open, Receive<v1::SearchOpen>(first, peer));
    HolderStream session({ports_.self, peer, ports_.callers, ports_.refusals, ports_.signer,
                          ports_.verifier, ports_.search, ports_.logger},
                         *context, *stream);
    return session.Run(open, MessageDigest(first));
  });
}

grpc::Status FederationService::ListSealed(grpc::ServerContext* context,
                                           const v1::SignedMessage* request,
                                           v1::SignedMessage* response) {
  return Respond(kListSealed, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kListSealed, rate_, caller));
    COMITY_ASSIGN_OR_RETURN(const auto asked,
                            Receive<v1::ListSealedRequest>(*request, entered.peer));
    AwaitSealed(*context, asked, entered.peer.agency);
    // As it stands at this moment.
    COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer, ports_.callers.Peer(*context, kListSealed));
    const matching::AnswerBarrier::Ticket ticket = ports_.barrier.Enter();
    COMITY_ASSIGN_OR_RETURN(const v1::ListSealedReply reply,
                            sealed_offers_.List(asked, peer.agency));
    *response = ports_.signer.Sign(reply, peer.agency, asked.header().exchange_id());
    return {};
  });
}

// One that finds no place is answered at once, like one that does not want to wait.
void FederationService::AwaitSealed(const grpc::ServerContext& context,
                                    const v1::ListSealedRequest& asked,
                                    const policy::AgencyId& requester) {
  if (asked.wait_ms() == 0) return;
  const auto place = sealed_waits_.Take(requester.text(), "sealed lists waited for by one peer");
  if (!place) return;
  sealed_offers_.AwaitNews(asked, requester, [&] { return !context.IsCancelled(); });
}

grpc::Status FederationService::FetchSealed(grpc::ServerContext* context,
                                            const v1::SignedMessage* request,
                                            grpc::ServerWriter<v1::SealedChunk>* writer) {
  return Respond(kFetchSealed, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kFetchSealed, fetches_, caller));
    COMITY_ASSIGN_OR_RETURN(const auto asked,
                            Receive<v1::FetchSealedRequest>(*request, entered.peer));
    // Nor may it hold its thread by not reading.
    CallDeadline deadline(*context, limits::kSealedRoundDeadline);
    const auto send = [&](const v1::SealedChunk& chunk) {
      deadline.Renew();
      return ports_.callers.Peer(*context, kFetchSealed) && writer->Write(chunk);
    };
    const Status sent = sealed_offers_.Fetch(asked, entered.peer.agency, send);
    if (!deadline.has_passed()) return sent;
    return Fail(ErrorCode::kUnavailable, "the caller does not take what it has asked for");
  });
}

grpc::Status FederationService::SealedSearch(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>* stream) {
  return Respond(kSealedSearch, [&](std::string& caller) -> Status {
    COMITY_ASSIGN_OR_RETURN(const Entered entered, Enter(*context, kSealedSearch, rate_, caller));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            sealed_sessions_.Take(caller, "sealed sessions of one peer"));
    v1::SealedMessage first;
    if (!ReadFirst(*context, *stream, first)) return {};
    COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer, ports_.callers.Peer(*context, kSealedSearch));
    COMITY_ASSIGN_OR_RETURN(const auto open, Receive<v1::SealedOpen>(first.signed_(), peer));
    SealedStream session(
        {ports_.self, peer, ports_.callers, ports_.refusals, ports_.signer, ports_.verifier,
         ports_.search, ports_.sealed, ports_.random, ports_.logger},
        *context, *stream);
    return session.Run(open, MessageDigest(first.signed_()));
  });
}

}  // namespace comity::gateway
