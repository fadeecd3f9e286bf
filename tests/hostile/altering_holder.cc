// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/altering_holder.h"

#include <grpcpp/server_builder.h>

#include <chrono>
#include <thread>
#include <utility>

#include "crypto/base/check.h"
#include "services/runtime/file.h"
#include "services/transport/limits.h"

namespace comity::testing {
namespace {

using std::chrono::system_clock;

constexpr std::chrono::seconds kPatience{30};

sign::SigningKey ReadKey(const LiveAgency& agency) {
  const auto file = runtime::ReadSecretFile(agency.pki() / "keys" / "agency-signing.key", 4096);
  COMITY_CHECK(file.has_value());
  return sign::SigningKey::ParseKeyFile(AsText(file->Expose())).value();
}

// One unary call, as it is.
template <typename Method>
grpc::Status Pass(v1::Federation::Stub& behind, Method method, const v1::SignedMessage& request,
                  v1::SignedMessage& response) {
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kPatience);
  return (behind.*method)(&context, request, &response);
}

}  // namespace

AlteringHolder::AlteringHolder(const LiveAgency& holder, const LiveAgency& requester,
                               const runtime::Clock& clock, std::uint16_t port)
    : self_(policy::AgencyId::Parse(holder.name()).value()),
      requester_(policy::AgencyId::Parse(requester.name()).value()),
      key_(ReadKey(holder)),
      signer_(self_, key_, clock, random_) {
  const auto channel = transport::OpenChannel(
      {{"127.0.0.1", holder.federation_port()},
       requester.pki() / "gateway.pem",
       {holder.name(), holder.spiffe_id(), holder.pki() / "ca" / "ca.pem", {}}},
      {transport::limits::kMaxFederationMessage, clock});
  COMITY_CHECK(channel.has_value());
  behind_ = v1::Federation::NewStub(*channel);
  std::vector<transport::PinnedPeer> peers{
      {requester.name(), requester.spiffe_id(), requester.pki() / "ca" / "ca.pem", {}}};
  auto trust = transport::TrustStore::ForFederation(std::move(peers));
  COMITY_CHECK(trust.has_value());
  auto tls =
      transport::ServerTls::Open({holder.pki() / "gateway.pem", *std::move(trust), clock, {}});
  COMITY_CHECK(tls.has_value());
  tls_ = *std::move(tls);
  grpc::ServerBuilder builder;
  transport::ApplyServerDefaults(builder, transport::limits::kMaxFederationMessage);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), tls_->credentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  COMITY_CHECK(server_ != nullptr);
}

AlteringHolder::~AlteringHolder() {
  server_->Shutdown(system_clock::now());
}

void AlteringHolder::Lie(Lies lies) {
  lies_.With([&](Lies& own) { own = std::move(lies); });
}

grpc::Status AlteringHolder::Hello(Context*, const Signed* request, Signed* response) {
  return Pass(*behind_, &v1::Federation::Stub::Hello, *request, *response);
}
grpc::Status AlteringHolder::DeliverAgreement(Context*, const Signed* request, Signed* response) {
  return Pass(*behind_, &v1::Federation::Stub::DeliverAgreement, *request, *response);
}
grpc::Status AlteringHolder::Deliver(Context*, const Signed* request, Signed* response) {
  return Pass(*behind_, &v1::Federation::Stub::Deliver, *request, *response);
}
grpc::Status AlteringHolder::ListOffers(Context*, const Signed* request, Signed* response) {
  return Pass(*behind_, &v1::Federation::Stub::ListOffers, *request, *response);
}
grpc::Status AlteringHolder::ValidateLists(Context*, const Signed* request, Signed* response) {
  return Pass(*behind_, &v1::Federation::Stub::ValidateLists, *request, *response);
}

grpc::Status AlteringHolder::ListSealed(Context*, const Signed* request, Signed* response) {
  const grpc::Status status =
      Pass(*behind_, &v1::Federation::Stub::ListSealed, *request, *response);
  const Lies now = lies();
  v1::ListSealedReply reply;
  if (!status.ok() || !now.lists || !reply.ParseFromString(response->payload())) return status;
  now.lists(reply);
  const std::string exchange = reply.header().exchange_id();
  *response = signer_.Sign(std::move(reply), requester_, exchange);
  return status;
}

grpc::Status AlteringHolder::FetchSealed(Context* context, const Signed* request,
                                         grpc::ServerWriter<v1::SealedChunk>* writer) {
  heard_.With([](Heard& heard) { ++heard.fetches; });
  grpc::ClientContext call;
  call.set_deadline(system_clock::now() + kPatience);
  const auto stream = behind_->FetchSealed(&call, *request);
  Chunks chunks;
  for (v1::SealedChunk chunk; stream->Read(&chunk);) chunks.push_back(chunk);
  const grpc::Status status = stream->Finish();
  const Lies now = lies();
  v1::FetchSealedRequest asked;
  const bool is_endless = now.fetched && asked.ParseFromString(request->payload()) &&
                          now.fetched(asked, chunks) && !chunks.empty();
  for (const v1::SealedChunk& chunk : chunks) {
    if (!writer->Write(chunk)) break;
  }
  while (is_endless && !context->IsCancelled() && writer->Write(chunks.front())) {
  }
  return status;
}

void AlteringHolder::DropSessions() {
  open_.With([](const std::set<Context*>& open) {
    for (Context* context : open) context->TryCancel();
  });
}

void AlteringHolder::Note(const v1::SealedMessage& message) {
  if (message.has_signed_()) return NoteSigned(message.signed_());
  const v1::SealedPart& part = message.part();
  const bool is_end = part.offset() + part.data().size() == part.size();
  if (part.kind() != v1::SealedPart::KIND_TABLES || !is_end) return;
  heard_.With([](Heard& heard) { ++heard.sketches; });
}

void AlteringHolder::NoteSigned(const v1::SignedMessage& message) {
  v1::SealedOpen open;
  v1::SealedProbes probes;
  const bool opens = gateway::MessageVerifier::Claims<v1::SealedOpen>(message) &&
                     open.ParseFromString(message.payload());
  const bool asks = gateway::MessageVerifier::Claims<v1::SealedProbes>(message) &&
                    probes.ParseFromString(message.payload());
  heard_.With([&](Heard& heard) {
    if (opens) {
      ++heard.sessions;
      heard.exchange = open.header().exchange_id();
    }
    if (asks) heard.probe = probes.probes(0).sequence();
  });
}

grpc::Status AlteringHolder::SealedSearch(
    Context* context, grpc::ServerReaderWriter<v1::SealedMessage, v1::SealedMessage>* stream) {
  grpc::ClientContext call;
  const auto behind = behind_->SealedSearch(&call);
  open_.With([&](auto& open) { open.insert(context); });
  {
    const std::jthread forward([&] {
      for (v1::SealedMessage message; stream->Read(&message);) {
        Note(message);
        if (!behind->Write(message)) break;
      }
      behind->WritesDone();
      if (context->IsCancelled()) call.TryCancel();
    });
    for (v1::SealedMessage message; behind->Read(&message);) {
      const Lies now = lies();
      const Messages messages = now.said ? now.said(message) : Messages{message};
      bool taken = true;
      for (const v1::SealedMessage& one : messages) taken = taken && stream->Write(one);
      if (!taken) break;
    }
    // Whoever waits on the other side hears that it is over.
    context->TryCancel();
    call.TryCancel();
  }
  open_.With([&](auto& open) { open.erase(context); });
  return behind->Finish();
}

}  // namespace comity::testing
