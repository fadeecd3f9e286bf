// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_links.h"

#include <string>
#include <utility>

#include "services/gateway/federation/clock_hint.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/version.h"
#include "services/matching/exchange_id.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::gateway {
namespace {

using Stub = v1::Federation::Stub;
using transport::limits::kHelloDeadline;
using transport::limits::kUnaryDeadline;

// Who stops does not wait for partners that are away.
constexpr std::chrono::seconds kGoodbyeDeadline{2};

// A block has at most 3 MB; a line that takes longer goes on with it in the next call.
constexpr std::chrono::seconds kFetchDeadline{60};
constexpr std::size_t kMaxChunk = std::size_t{1} << 20;

void SetDeadline(grpc::ClientContext& context, std::chrono::seconds deadline) {
  context.set_deadline(std::chrono::system_clock::now() + deadline);
}

// Why a Hello failed, with whose clock is off if that is the cause.
Error WithClock(Error error, const grpc::ClientContext& context, policy::Instant halfway) {
  const auto skew = ClockHintOf(context, halfway);
  if (!skew || std::chrono::abs(*skew) <= transport::limits::kMaxClockSkew) return error;
  const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(*skew));
  error.detail = "its clock is " + std::to_string(seconds.count()) + " s " +
                 (skew->count() > 0 ? "ahead of" : "behind") +
                 " this one, and messages are refused from 60 s on: set the clock that is wrong "
                 "(timedatectl); " +
                 error.detail;
  return error;
}

}  // namespace

Status PeerLinks::Set(const std::vector<Target>& targets) {
  const auto before = links_.With([](const auto& links) { return links; });
  std::map<policy::AgencyId, Known> after;
  Status fault;
  for (const Target& target : targets) {
    const policy::AgencyId& agency = target.peer.agency;
    const auto known = before.find(agency);
    auto link = std::make_shared<Link>(Link{target.peer, target.address, {}});
    if (known != before.end() && known->second.link->address == target.address) {
      link->stub = known->second.link->stub;
    } else {
      auto channel = ports_.connect(agency, target.address);
      if (!channel) {
        if (fault)
          fault = Fail(channel.error().code, agency.text() + ": " + channel.error().detail);
        continue;
      }
      link->stub = v1::Federation::NewStub(*channel);
    }
    after.emplace(agency, Known{std::move(link), target.suspended});
  }
  links_.With([&](auto& links) { links.swap(after); });
  return fault;
}

Result<PeerLinks::Known> PeerLinks::Look(const policy::AgencyId& agency) const {
  return links_.With([&](const auto& links) -> Result<Known> {
    const auto known = links.find(agency);
    if (known != links.end()) return known->second;
    return Fail(ErrorCode::kNotFound, agency.text() + " is no partner");
  });
}

Result<PeerLinks::LinkPtr> PeerLinks::Find(const policy::AgencyId& agency) const {
  COMITY_ASSIGN_OR_RETURN(const Known known, Look(agency));
  if (!known.suspended) return known.link;
  return Fail(ErrorCode::kPermissionDenied, agency.text() + " is suspended here");
}

std::map<policy::AgencyId, PeerLinks::LinkPtr> PeerLinks::all() const {
  return links_.With([](const auto& links) {
    std::map<policy::AgencyId, LinkPtr> active;
    for (const auto& [agency, known] : links) {
      if (!known.suspended) active.emplace(agency, known.link);
    }
    return active;
  });
}

std::vector<policy::AgencyId> PeerLinks::partners() const {
  return links_.With([](const auto& links) {
    std::vector<policy::AgencyId> agencies;
    for (const auto& [agency, known] : links) agencies.push_back(agency);
    return agencies;
  });
}

Status PeerLinks::Verify(const grpc::ClientContext& call, const policy::AgencyId& agency) const {
  COMITY_RETURN_IF_ERROR(Find(agency));
  return ServedBy(call, agency);
}

Result<Digest> PeerLinks::CertificateOf(const grpc::ClientContext& call,
                                        const policy::AgencyId& agency) const {
  COMITY_RETURN_IF_ERROR(Verify(call, agency));
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer server,
                          transport::ServerOf(call, ports_.trust, ports_.clock.Now()));
  return server.certificate;
}

Status PeerLinks::ServedBy(const grpc::ClientContext& call, const policy::AgencyId& agency) const {
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer server,
                          transport::ServerOf(call, ports_.trust, ports_.clock.Now()));
  if (server.agency == agency.text()) return {};
  return Fail(ErrorCode::kUnauthenticated, "the call is served by " + server.agency);
}

// Who answered is looked at again: a connection that is open is of no use to a certificate that was
// revoked since.
template <typename Payload>
Result<Payload> PeerLinks::Read(const Answer& answer, const PinnedPeer& peer,
                                const std::string& exchange) const {
  if (!answer.status.ok()) return Fail(transport::FromGrpcStatus(answer.status));
  COMITY_RETURN_IF_ERROR(ServedBy(answer.context, peer.agency));
  auto payload = ports_.verifier.Verify<Payload>(answer.reply, peer);
  if (payload && payload->header().exchange_id() != exchange) {
    return Fail(ErrorCode::kCorrupt, "the answer is to another exchange");
  }
  return payload;
}

Result<HelloAnswer> PeerLinks::Hello(const policy::AgencyId& agency, bool leaving) const {
  COMITY_ASSIGN_OR_RETURN(const Known known, Look(agency));
  const std::string exchange = matching::NewExchangeId(ports_.random);
  v1::HelloRequest request;
  request.set_protocol_min(kProtocolMin);
  request.set_protocol_max(kProtocolMax);
  request.set_software(std::string(kSoftware));
  request.set_leaving(leaving);
  *request.mutable_view() = ToProto(ports_.view(agency));
  grpc::ClientContext context;
  SetDeadline(context, leaving ? kGoodbyeDeadline : kHelloDeadline);
  v1::SignedMessage reply;
  const auto sent_at = ports_.clock.Now();
  const grpc::Status status =
      known.link->stub->Hello(&context, ports_.signer.Sign(request, agency, exchange), &reply);
  const auto round_trip = ports_.clock.Now() - sent_at;
  auto read = Read<v1::HelloReply>({status, context, reply}, known.link->peer, exchange);
  if (!read) return Fail(WithClock(std::move(read).error(), context, sent_at + round_trip / 2));
  const v1::HelloReply& hello = *read;
  COMITY_ASSIGN_OR_RETURN(const policy::Instant peer_time, FromProto(hello.header().sent_at()));
  HelloAnswer answer;
  COMITY_ASSIGN_OR_RETURN(const transport::VerifiedPeer server,
                          transport::ServerOf(context, ports_.trust, ports_.clock.Now()));
  answer.certificate_expires_at = server.expires_at;
  answer.protocol = hello.protocol();
  answer.software = CleanSoftware(hello.software());
  COMITY_ASSIGN_OR_RETURN(answer.view, FromProto(hello.view()));
  answer.clock_skew =
      std::chrono::duration_cast<std::chrono::milliseconds>(peer_time - sent_at - round_trip / 2);
  return answer;
}

template <typename Reply, typename Method, typename Request>
Result<PeerLinks::Answered<Reply>> PeerLinks::Ask(const Link& link, Method method, Request request,
                                                  const std::stop_token& stop) const {
  Answered<Reply> answered;
  answered.exchange = matching::NewExchangeId(ports_.random);
  const v1::SignedMessage question =
      ports_.signer.Sign(std::move(request), link.peer.agency, answered.exchange);
  grpc::ClientContext context;
  SetDeadline(context, kUnaryDeadline);
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  v1::SignedMessage reply;
  const grpc::Status status = ((*link.stub).*method)(&context, question, &reply);
  COMITY_ASSIGN_OR_RETURN(answered.reply,
                          Read<Reply>({status, context, reply}, link.peer, answered.exchange));
  answered.request = MessageDigest(question);
  answered.answer = MessageDigest(reply);
  return answered;
}

Result<PeerLinks::Delivered> PeerLinks::DeliverAgreement(const policy::AgencyId& agency,
                                                         v1::AgreementDelivery delivery) const {
  COMITY_ASSIGN_OR_RETURN(const LinkPtr link, Find(agency));
  COMITY_ASSIGN_OR_RETURN(auto answered, Ask<v1::AgreementReceipt>(*link, &Stub::DeliverAgreement,
                                                                   std::move(delivery), {}));
  return Delivered{std::move(answered.reply), answered.request, answered.answer,
                   std::move(answered.exchange)};
}

Result<PeerLinks::Offered> PeerLinks::ListOffers(const policy::AgencyId& agency) const {
  COMITY_ASSIGN_OR_RETURN(const LinkPtr link, Find(agency));
  return Ask<v1::ListOffersReply>(*link, &Stub::ListOffers, v1::ListOffersRequest(), {});
}

Result<PeerLinks::Validated> PeerLinks::ValidateLists(const policy::AgencyId& agency,
                                                      v1::ValidateListsRequest asked,
                                                      const std::stop_token& stop) const {
  COMITY_ASSIGN_OR_RETURN(const LinkPtr link, Find(agency));
  return Ask<v1::ValidateListsReply>(*link, &Stub::ValidateLists, std::move(asked), stop);
}

Result<v1::ListSealedReply> PeerLinks::ListSealed(const policy::AgencyId& agency,
                                                  v1::ListSealedRequest asked,
                                                  const std::stop_token& stop) const {
  COMITY_ASSIGN_OR_RETURN(const LinkPtr link, Find(agency));
  COMITY_ASSIGN_OR_RETURN(
      auto answered, Ask<v1::ListSealedReply>(*link, &Stub::ListSealed, std::move(asked), stop));
  return std::move(answered.reply);
}

Status PeerLinks::FetchSealed(const policy::AgencyId& agency, v1::FetchSealedRequest asked,
                              const std::stop_token& stop,
                              const std::function<Status(ByteView)>& take) const {
  COMITY_ASSIGN_OR_RETURN(const LinkPtr link, Find(agency));
  const v1::SignedMessage request =
      ports_.signer.Sign(std::move(asked), agency, matching::NewExchangeId(ports_.random));
  grpc::ClientContext context;
  SetDeadline(context, kFetchDeadline);
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  const auto stream = link->stub->FetchSealed(&context, request);
  v1::SealedChunk chunk;
  Status taken;
  while (taken && stream->Read(&chunk)) {
    taken = chunk.data().empty() || chunk.data().size() > kMaxChunk
                ? Fail(ErrorCode::kInvalidArgument, "a chunk has 1 octet to 1 MiB")
                : take(AsBytes(chunk.data()));
    if (!taken) context.TryCancel();
  }
  const grpc::Status status = stream->Finish();
  COMITY_RETURN_IF_ERROR(taken);
  if (!status.ok()) return Fail(transport::FromGrpcStatus(status));
  return ServedBy(context, agency);
}

Result<v1::PartnerReceipt> PeerLinks::Deliver(const policy::AgencyId& agency,
                                              v1::PartnerMessage message,
                                              const std::stop_token& stop) const {
  COMITY_ASSIGN_OR_RETURN(const Known known, Look(agency));
  COMITY_ASSIGN_OR_RETURN(auto answered, Ask<v1::PartnerReceipt>(*known.link, &Stub::Deliver,
                                                                 std::move(message), stop));
  return std::move(answered.reply);
}

}  // namespace comity::gateway
