// SPDX-License-Identifier: Apache-2.0
// Real handshakes over loopback: who gets in, who does not, and what changes while a server runs.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/certificate_builder.h"
#include "services/transport/pki_folder.h"
#include "services/transport/tls_policy.h"
#include "tests/integration/echo_gateway.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_agency.h"

namespace comity {
namespace {

using testing::EchoGateway;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::ReadText;
using testing::TestAgency;
using transport::IssuedCertificate;
using transport::PeerKind;
using transport::TrustStore;

constexpr transport::TrustTiming kAtOnce{std::chrono::milliseconds(0), std::chrono::seconds(60)};

struct ShellOutput {
  int exit_code = -1;
  std::string text;
};

ShellOutput Shell(const std::string& command) {
  ShellOutput output;
  FILE* pipe = popen(("(" + command + ") </dev/null 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    output.text.append(buffer, size);
  }
  output.exit_code = WEXITSTATUS(pclose(pipe));
  return output;
}

// A TLS server of OpenSSL's own on loopback that speaks one version only and makes one handshake.
class OneHandshakeServer {
 public:
  OneHandshakeServer(const std::filesystem::path& identity, int version)
      : context_(SSL_CTX_new(TLS_server_method())), socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    // The policy of this process forbids TLS 1.2; this server stands for a foreign one.
    SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TLSv1_2);
    COMITY_CHECK(SSL_CTX_set_min_proto_version(context_.get(), version) == 1);
    COMITY_CHECK(SSL_CTX_set_max_proto_version(context_.get(), version) == 1);
    COMITY_CHECK(SSL_CTX_use_certificate_chain_file(context_.get(), identity.c_str()) == 1);
    COMITY_CHECK(SSL_CTX_use_PrivateKey_file(context_.get(), identity.c_str(), SSL_FILETYPE_PEM) ==
                 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    COMITY_CHECK(bind(socket_, generic, size) == 0 && listen(socket_, 1) == 0);
    COMITY_CHECK(getsockname(socket_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneHandshakeServer() {
    if (thread_.joinable()) thread_.join();
    close(socket_);
  }
  std::uint16_t port() const { return port_; }
  bool Succeeded() {
    thread_.join();
    return succeeded_;
  }

 private:
  void Serve() {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a client that may have hung up
    const int connection = accept(socket_, nullptr, nullptr);
    SSL* session = SSL_new(context_.get());
    SSL_set_fd(session, connection);
    succeeded_ = SSL_accept(session) == 1;
    SSL_free(session);
    close(connection);
  }

  transport::SslCtxPtr context_;
  int socket_;
  std::uint16_t port_ = 0;
  bool succeeded_ = false;
  std::thread thread_;
};

// The police's gateway runs; the council calls.
class MutualTls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_THAT(transport::EnforceTls13(), IsOk()); }

  void SetUp() override {
    const auto now = clock_.Now();
    server_file_ = police_.IssueGateway(now).pem_file;
    client_ = council_.IssueGateway(now);
    auto trust = TrustStore::ForFederation({council_.AsPeer()}, kAtOnce);
    ASSERT_THAT(trust, IsOk());
    gateway_ = std::make_unique<EchoGateway>(server_file_, std::move(*trust), clock_);
  }

  std::shared_ptr<grpc::Channel> Open(const std::filesystem::path& identity,
                                      const transport::PinnedPeer& server) {
    auto channel = transport::OpenChannel({gateway_->address(), identity, server},
                                          {transport::limits::kMaxFederationMessage, clock_});
    EXPECT_THAT(channel, IsOk());
    return *channel;
  }
  std::shared_ptr<grpc::Channel> Open() { return Open(client_.pem_file, police_.AsPeer()); }

  static grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel,
                           v1::NodeStatusResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return v1::Node::NewStub(channel)->Status(&context, v1::NodeStatusRequest(), &response);
  }
  static grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel) {
    v1::NodeStatusResponse ignored;
    return Call(channel, ignored);
  }

  // Waits for what a watcher of files brings about within seconds; fails the test if it does not.
  static bool Eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (std::chrono::steady_clock::now() < end) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  std::string SClient(const std::string& options) const {
    return "timeout 10 openssl s_client -connect 127.0.0.1:" + std::to_string(gateway_->port()) +
           " -alpn h2 " + options;
  }

  runtime::SystemClock clock_;
  TestAgency police_{"northshire-police", clock_.Now()};
  TestAgency council_{"eastvale-council", clock_.Now()};
  std::filesystem::path server_file_;
  IssuedCertificate client_;
  std::unique_ptr<EchoGateway> gateway_;
};

TEST_F(MutualTls, ACallKnowsWhoCalls) {
  v1::NodeStatusResponse response;
  const grpc::Status status = Call(Open(), response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.agency(), "eastvale-council");
  EXPECT_EQ(response.version(), "spiffe://eastvale-council.example/gateway");
}

TEST_F(MutualTls, RefusesAnAgencyThatIsNotEnrolled) {
  TestAgency stranger("mallory", clock_.Now());
  EXPECT_EQ(Call(Open(stranger.IssueGateway(clock_.Now()).pem_file, police_.AsPeer())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(MutualTls, RefusesAPersonOfAnEnrolledAgencyAtTheFederationPort) {
  const auto person = council_.Issue(PeerKind::kPerson, "j-smith", clock_.Now());
  EXPECT_EQ(Call(Open(person.pem_file, police_.AsPeer())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  // gRPC itself lets this chain pass; the refusal is the verifier's.
  EXPECT_GE(gateway_->refusals(), 1);
}

TEST_F(MutualTls, TheClientRefusesAServerThatIsAnotherThanThePinned) {
  // The anchor is the right one, the identity is not: an engine of the police answers.
  TestAgency fake("northshire-police", clock_.Now());
  const auto engine = fake.Issue(PeerKind::kEngine, "bridge", clock_.Now());
  auto trust = TrustStore::ForFederation({council_.AsPeer()}, kAtOnce);
  ASSERT_THAT(trust, IsOk());
  EchoGateway imposter(engine.pem_file, std::move(*trust), clock_);
  auto channel = transport::OpenChannel({imposter.address(), client_.pem_file, fake.AsPeer()},
                                        {transport::limits::kMaxFederationMessage, clock_});
  ASSERT_THAT(channel, IsOk());
  EXPECT_EQ(Call(*channel).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(MutualTls, TheClientRefusesAServerOfAnotherAuthority) {
  TestAgency fake("northshire-police", clock_.Now());
  EXPECT_EQ(Call(Open(client_.pem_file, fake.AsPeer())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(MutualTls, SpeaksTls13Only) {
  const std::string identity = " -cert " + client_.pem_file.string() + " -key " +
                               client_.pem_file.string() + " -CAfile " + police_.anchor().string();
  const ShellOutput good = Shell(SClient("-tls1_3 -groups P-256" + identity));
  EXPECT_THAT(good.text, HasSubstr("New, TLSv1.3"));
  EXPECT_THAT(good.text, HasSubstr("Verify return code: 0 (ok)"));

  const ShellOutput old = Shell(SClient("-tls1_2" + identity));
  EXPECT_NE(old.exit_code, 0);
  EXPECT_THAT(old.text, HasSubstr("Cipher is (NONE)"));
}

TEST_F(MutualTls, RefusesACallerWithoutACertificate) {
  using grpc::experimental::FileWatcherCertificateProvider;
  const std::string anchor = police_.anchor().string();
  const std::string identity = client_.pem_file.string();
  for (const bool with_certificate : {false, true}) {
    grpc::experimental::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(
        with_certificate
            ? std::make_shared<FileWatcherCertificateProvider>(identity, identity, anchor, 1)
            : std::make_shared<FileWatcherCertificateProvider>(anchor, 1));
    options.watch_root_certs();
    if (with_certificate) options.watch_identity_key_cert_pairs();
    const auto channel = grpc::CreateChannel(gateway_->address().text(),
                                             grpc::experimental::TlsCredentials(options));
    EXPECT_EQ(Call(channel).ok(), with_certificate);
  }
}

TEST_F(MutualTls, TheClientSpeaksTls13Only) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    OneHandshakeServer server(server_file_, version);
    auto channel =
        transport::OpenChannel({{"127.0.0.1", server.port()}, client_.pem_file, police_.AsPeer()},
                               {transport::limits::kMaxFederationMessage, clock_});
    ASSERT_THAT(channel, IsOk());
    EXPECT_FALSE(Call(*channel).ok());                         // what answers speaks no HTTP/2 ...
    EXPECT_EQ(server.Succeeded(), version == TLS1_3_VERSION);  // ... but TLS 1.3 gets that far
  }
}

TEST_F(MutualTls, ARevocationBitesTheNextCallOfALiveConnection) {
  const auto channel = Open();
  ASSERT_TRUE(Call(channel).ok());
  council_.Revoke(client_.serial, clock_.Now());
  EXPECT_EQ(Call(channel).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call(Open()).error_code(), grpc::StatusCode::UNAVAILABLE);  // the handshake
}

TEST_F(MutualTls, ARevocationBitesTheNextMessageOfAnOpenStream) {
  const auto channel = Open();
  grpc::ClientContext context;
  const auto stream = v1::Federation::NewStub(channel)->Search(&context);
  v1::SignedMessage message;
  message.set_payload("probe");
  ASSERT_TRUE(stream->Write(message));
  ASSERT_TRUE(stream->Read(&message));
  council_.Revoke(client_.serial, clock_.Now());
  stream->Write(message);
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(MutualTls, ARevocationOfTheServerIsSeenAtAnOpenStream) {
  const auto server = police_.IssueGateway(clock_.Now());
  EchoGateway gateway(server.pem_file, *TrustStore::ForFederation({council_.AsPeer()}, kAtOnce),
                      clock_);
  const auto channel =
      *transport::OpenChannel({gateway.address(), client_.pem_file, police_.AsPeer()},
                              {transport::limits::kMaxFederationMessage, clock_});
  const auto trust = *TrustStore::ForFederation({police_.AsPeer()}, kAtOnce);
  grpc::ClientContext context;
  const auto stream = v1::Federation::NewStub(channel)->Search(&context);
  v1::SignedMessage message;
  message.set_payload("probe");
  ASSERT_TRUE(stream->Write(message));
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_THAT(transport::ServerOf(context, *trust, clock_.Now()), IsOk());
  police_.Revoke(server.serial, clock_.Now());
  EXPECT_THAT(transport::ServerOf(context, *trust, clock_.Now()),
              FailsWith(ErrorCode::kUnauthenticated));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

// A session of sealed search names both certificates in its first messages.
TEST_F(MutualTls, TheServersCertificateIsKnownBeforeTheFirstMessage) {
  const auto channel = Open();
  const auto trust = *TrustStore::ForFederation({police_.AsPeer()}, kAtOnce);
  grpc::ClientContext context;
  const auto stream = v1::Federation::NewStub(channel)->Search(&context);
  const auto server = transport::ServerOf(context, *trust, clock_.Now());
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(
      server->certificate,
      transport::Fingerprint(*transport::ParseCertificateChain(ReadText(server_file_))->leaf));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(MutualTls, APortKnowsTheCertificatesItHasShownAndNoOther) {
  const auto of_file = [&] {
    return transport::Fingerprint(*transport::ParseCertificateChain(ReadText(server_file_))->leaf);
  };
  std::shared_ptr<TrustStore> trust = *TrustStore::ForFederation({}, kAtOnce);
  const auto tls = transport::ServerTls::Open({server_file_, trust, clock_, nullptr});
  ASSERT_THAT(tls, IsOk());
  const Digest first = of_file();
  EXPECT_TRUE((*tls)->HasShown(first));
  EXPECT_FALSE((*tls)->HasShown(
      transport::Fingerprint(*transport::ParseCertificateChain(ReadText(client_.pem_file))->leaf)));
  police_.IssueGateway(clock_.Now());
  ASSERT_NE(of_file(), first);
  EXPECT_TRUE((*tls)->HasShown(of_file()));
  EXPECT_TRUE((*tls)->HasShown(first));
}

TEST_F(MutualTls, AMissingRevocationListRefusesTheNextCall) {
  const auto channel = Open();
  ASSERT_TRUE(Call(channel).ok());
  std::filesystem::remove(council_.crl());
  EXPECT_EQ(Call(channel).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(MutualTls, TheServersIdentityRotatesWithoutOneFailure) {
  const auto old_channel = Open();
  ASSERT_TRUE(Call(old_channel).ok());
  const std::string old_serial =
      transport::SerialOf(*transport::ParseCertificateChain(ReadText(server_file_))->leaf);
  const std::string new_serial = police_.IssueGateway(clock_.Now()).serial;  // replaced by rename
  ASSERT_NE(old_serial, new_serial);
  int calls = 0;
  int failures = 0;
  const std::string command = SClient("-tls1_3 -groups P-256 -showcerts") +
                              " 2>/dev/null | openssl x509 -noout -serial | tr A-F a-f";
  const bool rotated = Eventually([&] {
    ++calls;
    failures += Call(Open()).ok() ? 0 : 1;
    return Shell(command).text.find(new_serial) != std::string::npos;
  });
  EXPECT_TRUE(rotated);
  EXPECT_EQ(failures, 0) << "of " << calls;
  EXPECT_TRUE(Call(old_channel).ok());
  EXPECT_TRUE(Call(Open()).ok());
}

TEST_F(MutualTls, APeersAnchorRotatesWithoutOneFailure) {
  // The council moves to a second authority: both anchors are pinned first, then the leaf changes.
  TestAgency renewed("eastvale-council", clock_.Now());
  const auto new_leaf = renewed.IssueGateway(clock_.Now());
  ASSERT_EQ(Call(Open(new_leaf.pem_file, police_.AsPeer())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  const std::string anchors = ReadText(council_.anchor()) + ReadText(renewed.anchor());
  const std::string crls = ReadText(council_.crl()) + ReadText(renewed.crl());
  ASSERT_THAT(runtime::WriteFile(council_.crl(), AsBytes(crls), 0644), IsOk());
  ASSERT_THAT(runtime::WriteFile(council_.anchor(), AsBytes(anchors), 0644), IsOk());
  int failures = 0;
  EXPECT_TRUE(Eventually([&] {
    failures += Call(Open()).ok() ? 0 : 1;
    return Call(Open(new_leaf.pem_file, police_.AsPeer())).ok();
  }));
  EXPECT_EQ(failures, 0);
}

TEST_F(MutualTls, AMessageBeyondTheLimitIsRefused) {
  grpc::ClientContext context;
  v1::SignedMessage request;
  v1::SignedMessage response;
  const auto channel = Open();
  request.set_payload(std::string(1024 * 1024, 'x'));
  ASSERT_TRUE(v1::Federation::NewStub(channel)->Hello(&context, request, &response).ok());
  // A peer of its own making does not keep to the limit that our channel sets for itself.
  auto greedy = transport::OpenChannel({gateway_->address(), client_.pem_file, police_.AsPeer()},
                                       {64 * 1024 * 1024, clock_});
  ASSERT_THAT(greedy, IsOk());
  grpc::ClientContext second;
  request.set_payload(std::string(2 * 1024 * 1024, 'x'));
  EXPECT_EQ(v1::Federation::NewStub(*greedy)->Hello(&second, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(MutualTls, TheHealthServiceAnswers) {
  grpc::GenericStub stub(Open());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const grpc::Slice whole_server;  // an empty request asks about no service in particular
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                          grpc::ByteBuffer(&whole_server, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, this);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_TRUE(status.ok()) << status.error_message();
  grpc::Slice slice;
  ASSERT_TRUE(response.TrySingleSlice(&slice).ok());
  EXPECT_EQ(std::string(slice.begin(), slice.end()), "\x08\x01");  // status: SERVING
}

TEST_F(MutualTls, OpenNamesAnIdentityFileThatIsUnusable) {
  auto trust = TrustStore::ForFederation({}, kAtOnce);
  ASSERT_THAT(trust, IsOk());
  std::shared_ptr<TrustStore> shared = std::move(*trust);
  const auto open = [&](const std::filesystem::path& file) {
    return transport::ServerTls::Open({file, shared, clock_, nullptr});
  };
  EXPECT_THAT(open("/no/such/file"), testing::FailsWith(ErrorCode::kNotFound));
  std::filesystem::permissions(server_file_, std::filesystem::perms(0644));
  const auto refused = open(server_file_);
  ASSERT_THAT(refused, testing::FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(refused.error().detail, HasSubstr(server_file_.string()));
}

TEST_F(MutualTls, WithoutPeersTheServerRunsAndNobodyGetsIn) {
  auto trust = TrustStore::ForFederation({}, kAtOnce);
  ASSERT_THAT(trust, IsOk());
  EchoGateway lonely(server_file_, std::move(*trust), clock_);
  auto channel = transport::OpenChannel({lonely.address(), client_.pem_file, police_.AsPeer()},
                                        {transport::limits::kMaxFederationMessage, clock_});
  ASSERT_THAT(channel, IsOk());
  EXPECT_EQ(Call(*channel).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace comity
