// SPDX-License-Identifier: Apache-2.0
// A partner's gateway that opens a session and then reads no further.
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <thread>

#include "services/runtime/file.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "tests/integration/direct_search_world.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

// Stands in for `agency` at its federation port, with its certificate and key.
class StalledHolder final : public v1::Federation::Service {
 public:
  StalledHolder(const LiveAgency& agency, const LiveAgency& requester, const runtime::Clock& clock)
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
  ~StalledHolder() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status Search(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override {
    v1::SignedMessage first;
    v1::SearchOpen open;
    if (!stream->Read(&first) || !open.ParseFromString(first.payload())) return grpc::Status::OK;
    stream->Write(signer_.Sign(v1::SearchOpened(), requester_, open.header().exchange_id()));
    while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return grpc::Status::CANCELLED;
  }

 private:
  static sign::SigningKey ReadKey(const LiveAgency& agency) {
    const auto file = runtime::ReadSecretFile(agency.pki() / "keys" / "agency-signing.key", 4096);
    COMITY_CHECK(file.has_value());
    return sign::SigningKey::ParseKeyFile(AsText(file->Expose())).value();
  }

  const policy::AgencyId self_;
  const policy::AgencyId requester_;
  const sign::SigningKey key_;
  SystemRandom random_;
  gateway::MessageSigner signer_;
  std::unique_ptr<transport::ServerTls> tls_;
  std::unique_ptr<grpc::Server> server_;
};

using StalledHolderTest = DirectSearchWorld;

TEST_F(StalledHolderTest, AHolderThatStopsReadingLeavesNoFaceWithoutAnAnswer) {
  constexpr std::uint64_t kFaces = 20;
  Agree();
  const std::string deployment = CreateDeployment(Definition()).deployment();
  police_.Stop();
  const StalledHolder holder(police_, council_, clock_);
  const auto engine = Watch(deployment);
  const Template face = RandomTemplate(random_);
  const std::jthread sender([&] {
    for (std::uint64_t i = 1; i <= kFaces; ++i) {
      if (!engine->Send({i, "capture-" + std::to_string(i), "camera-1", face})) return;
    }
  });
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t i = 1; i <= kFaces; ++i) {
    const auto answer = engine->Receive();
    ASSERT_THAT(answer, IsOk());
    EXPECT_TRUE(answer->has_unanswered()) << answer->DebugString();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

}  // namespace
}  // namespace comity::testing
