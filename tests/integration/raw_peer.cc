// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/raw_peer.h"

#include <utility>

#include "crypto/base/check.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/exchange_id.h"
#include "services/runtime/file.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::testing {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

sign::SigningKey ReadKey(const std::filesystem::path& file) {
  const auto text = runtime::ReadSecretFile(file, kMaxKeyFile);
  COMITY_CHECK(text.has_value());
  auto key = sign::SigningKey::ParseKeyFile(AsText(text->Expose()));
  COMITY_CHECK(key.has_value());
  return *std::move(key);
}

}  // namespace

RawPeer::RawPeer(const UncheckedRequester::Settings& settings, const runtime::Clock& clock)
    : self_(policy::AgencyId::Parse(settings.agency).value()),
      holder_{policy::AgencyId::Parse(settings.holder).value(),
              sign::ParsePublicKey(settings.holder_key).value()},
      clock_(clock),
      key_(ReadKey(settings.signing_key_file)),
      signer_(self_, key_, clock_, random_),
      verifier_(self_, clock_) {
  const auto address = transport::ParseAddress(settings.holder_address);
  COMITY_CHECK(address.has_value());
  const auto channel =
      transport::OpenChannel({*address,
                              settings.identity_file,
                              {settings.holder, settings.holder_id, settings.holder_anchor, {}}},
                             {transport::limits::kMaxFederationMessage, clock_});
  COMITY_CHECK(channel.has_value());
  stub_ = v1::Federation::NewStub(*channel);
}

RawPeer::Stream::Stream(v1::Federation::Stub& stub, std::chrono::seconds patience) {
  context_.set_deadline(std::chrono::system_clock::now() + patience);
  stream_ = stub.Search(&context_);
}

Result<v1::SignedMessage> RawPeer::Stream::Exchange(const v1::SignedMessage& message) {
  v1::SignedMessage reply;
  if (stream_->Write(message) && stream_->Read(&reply)) return reply;
  const grpc::Status status = stream_->Finish();
  if (status.ok()) return Fail(ErrorCode::kNotFound, "the holder closed the stream in good order");
  return Fail(transport::FromGrpcStatus(status));
}

bool RawPeer::Stream::Await() {
  v1::SignedMessage reply;
  return stream_->Read(&reply);
}

std::string RawPeer::NewExchange() {
  return matching::NewExchangeId(random_);
}

v1::SignedMessage RawPeer::SignOpen(const policy::SearchRequest& terms,
                                    const std::string& exchange) {
  v1::SearchOpen open;
  *open.mutable_terms() = gateway::ToProto(terms);
  open.set_deployment("d-raw");
  *open.mutable_ends_at() = gateway::ToProto(clock_.Now() + std::chrono::hours(1));
  open.mutable_commitments()->set_officer(std::string(32, '\x5a'));
  open.mutable_commitments()->set_case_ref(std::string(32, '\x5b'));
  return Sign(std::move(open), exchange);
}

v1::SignedMessage RawPeer::SignProbe(std::uint64_t sequence, std::string_view embedding,
                                     const policy::AgreementRef& agreement,
                                     const std::string& exchange) {
  v1::SearchProbe probe;
  probe.set_sequence(sequence);
  *probe.mutable_agreement() = gateway::ToProto(agreement);
  probe.mutable_commitments()->set_officer(std::string(32, '\x5a'));
  probe.mutable_commitments()->set_case_ref(std::string(32, '\x5b'));
  probe.set_embedding(std::string(embedding));
  return Sign(std::move(probe), exchange);
}

}  // namespace comity::testing
