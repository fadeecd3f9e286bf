// SPDX-License-Identifier: Apache-2.0
// Two echo hops are the floor of a search: bare gRPC with this project's credentials and limits,
// one message of 2.5 KB (a probe of 512 float32 with its header) at a time, over loopback.
#include <fmt/core.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "comity/v1/federation.grpc.pb.h"
#include "crypto/base/check.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/tls_policy.h"
#include "tests/bench/bare_echo.h"
#include "tests/support/test_agency.h"

namespace comity {
namespace {

using SteadyClock = std::chrono::steady_clock;

// As BareEcho, and every call or message asks who calls: what a gateway pays.
class CheckedEcho final : public v1::Federation::Service {
 public:
  CheckedEcho(transport::TrustStore& trust, const runtime::Clock& clock)
      : trust_(trust), clock_(clock) {}
  grpc::Status Hello(grpc::ServerContext* context, const v1::SignedMessage* request,
                     v1::SignedMessage* response) override {
    COMITY_CHECK(transport::CallerOf(*context, trust_, clock_.Now()).has_value());
    *response = *request;
    return grpc::Status::OK;
  }
  grpc::Status Search(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override {
    v1::SignedMessage message;
    while (stream->Read(&message)) {
      COMITY_CHECK(transport::CallerOf(*context, trust_, clock_.Now()).has_value());
      if (!stream->Write(message)) break;
    }
    return grpc::Status::OK;
  }

 private:
  transport::TrustStore& trust_;
  const runtime::Clock& clock_;
};

double Micros(SteadyClock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

template <typename Round>
void Measure(const char* name, int rounds, Round&& round) {
  for (int i = 0; i < rounds / 10; ++i) round();  // warm caches, windows and the verdict
  std::vector<double> micros;
  micros.reserve(static_cast<std::size_t>(rounds));
  const auto begin = SteadyClock::now();
  for (int i = 0; i < rounds; ++i) {
    const auto start = SteadyClock::now();
    round();
    micros.push_back(Micros(SteadyClock::now() - start));
  }
  const double total = Micros(SteadyClock::now() - begin);
  std::sort(micros.begin(), micros.end());
  fmt::print("{:<28} {:>7.0f}/s   p50 {:>6.1f} us   p99 {:>7.1f} us\n", name, rounds / total * 1e6,
             micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
}

void MeasureService(const char* name, grpc::Service& service, transport::ServerTls& tls,
                    const transport::ChannelTarget& base, const runtime::Clock& clock) {
  int port = 0;
  grpc::ServerBuilder builder;
  transport::ApplyServerDefaults(builder, transport::limits::kMaxFederationMessage);
  builder.AddListeningPort("127.0.0.1:0", tls.credentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  COMITY_CHECK(server != nullptr);
  transport::ChannelTarget target = base;
  target.address.port = static_cast<std::uint16_t>(port);
  const auto channel =
      transport::OpenChannel(target, {transport::limits::kMaxFederationMessage, clock});
  COMITY_CHECK(channel.has_value());
  const auto stub = v1::Federation::NewStub(*channel);
  v1::SignedMessage message;
  message.set_payload(std::string(2400, 'x'));
  message.set_signature(std::string(64, 's'));

  Measure((std::string(name) + " unary").c_str(), 20'000, [&] {
    grpc::ClientContext context;
    v1::SignedMessage response;
    COMITY_CHECK(stub->Hello(&context, message, &response).ok());
  });
  grpc::ClientContext context;
  const auto stream = stub->Search(&context);
  Measure((std::string(name) + " stream ping-pong").c_str(), 50'000, [&] {
    v1::SignedMessage response;
    COMITY_CHECK(stream->Write(message) && stream->Read(&response));
  });
  stream->WritesDone();
  COMITY_CHECK(stream->Finish().ok());
  server->Shutdown();
}

void MeasureVerdict(transport::TrustStore& trust, const std::string& pem,
                    const runtime::Clock& clock) {
  Measure("remembered verdict", 200'000,
          [&] { COMITY_CHECK(trust.Verify(pem, clock.Now()).has_value()); });
}

int Run() {
  COMITY_CHECK(transport::EnforceTls13());
  const runtime::SystemClock clock;
  testing::TestAgency police("northshire-police", clock.Now());
  testing::TestAgency council("eastvale-council", clock.Now());
  const auto identity = police.IssueGateway(clock.Now()).pem_file;
  const auto caller = council.IssueGateway(clock.Now()).pem_file;
  auto opened = transport::TrustStore::ForFederation({council.AsPeer()});
  COMITY_CHECK(opened.has_value());
  const std::shared_ptr<transport::TrustStore> trust = std::move(*opened);
  auto tls = transport::ServerTls::Open({identity, trust, clock, nullptr});
  COMITY_CHECK(tls.has_value());
  const transport::ChannelTarget target{{"127.0.0.1", 0}, caller, police.AsPeer()};

  bench::BareEcho bare;
  MeasureService("bare", bare, **tls, target, clock);
  CheckedEcho checked(*trust, clock);
  MeasureService("caller checked", checked, **tls, target, clock);
  MeasureVerdict(*trust, testing::ReadText(caller), clock);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace comity

int main() {
  return comity::Run();
}
