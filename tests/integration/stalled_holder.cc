// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/stalled_holder.h"

#include <grpcpp/server_builder.h>

#include <chrono>
#include <thread>
#include <utility>

#include "crypto/base/check.h"
#include "services/runtime/file.h"
#include "services/transport/limits.h"

namespace comity::testing {
namespace {

sign::SigningKey ReadKey(const LiveAgency& agency) {
  const auto file = runtime::ReadSecretFile(agency.pki() / "keys" / "agency-signing.key", 4096);
  COMITY_CHECK(file.has_value());
  return sign::SigningKey::ParseKeyFile(AsText(file->Expose())).value();
}

}  // namespace

StalledHolder::StalledHolder(const LiveAgency& agency, const LiveAgency& requester,
                             const runtime::Clock& clock)
    : self_(policy::AgencyId::Parse(agency.name()).value()),
      requester_(policy::AgencyId::Parse(requester.name()).value()),
      key_(ReadKey(agency)),
      signer_(self_, key_, clock, random_) {
  std::vector<transport::PinnedPeer> peers{
      {requester.name(), requester.spiffe_id(), requester.pki() / "ca" / "ca.pem", {}}};
  auto trust = transport::TrustStore::ForFederation(std::move(peers));
  COMITY_CHECK(trust.has_value());
  auto tls =
      transport::ServerTls::Open({agency.pki() / "gateway.pem", *std::move(trust), clock, {}});
  COMITY_CHECK(tls.has_value());
  tls_ = *std::move(tls);
  grpc::ServerBuilder builder;
  transport::ApplyServerDefaults(builder, transport::limits::kMaxFederationMessage);
  // The transport takes no more than this before Read() is called: some ten probes.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 8 * 1024);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(agency.federation_port()),
                           tls_->credentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  COMITY_CHECK(server_ != nullptr);
}

StalledHolder::~StalledHolder() {
  server_->Shutdown(std::chrono::system_clock::now());
}

grpc::Status StalledHolder::Search(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) {
  v1::SignedMessage first;
  v1::SearchOpen open;
  if (!stream->Read(&first) || !open.ParseFromString(first.payload())) return grpc::Status::OK;
  stream->Write(signer_.Sign(v1::SearchOpened(), requester_, open.header().exchange_id()));
  while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return grpc::Status::CANCELLED;
}

}  // namespace comity::testing
