// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/raw_peer.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

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

std::unique_ptr<v1::Federation::Stub> StubWithSmallWindow(
    const UncheckedRequester::Settings& settings) {
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls::FileWatcherCertificateProvider>(
      settings.identity_file.string(), settings.identity_file.string(),
      settings.holder_anchor.string(), 1));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<tls::NoOpCertificateVerifier>());
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4 * 1024);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return v1::Federation::NewStub(
      grpc::CreateCustomChannel(settings.holder_address, tls::TlsCredentials(options), arguments));
}

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

bool RawPeer::Stream::Send(const v1::SignedMessage& message) {
  return stream_->Write(message);
}

Status RawPeer::Stream::End() {
  v1::SignedMessage dropped;
  while (stream_->Read(&dropped)) {
  }
  const grpc::Status status = stream_->Finish();
  return status.ok() ? Status() : Fail(transport::FromGrpcStatus(status));
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
