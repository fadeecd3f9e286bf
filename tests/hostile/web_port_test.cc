// SPDX-License-Identifier: Apache-2.0
// What anybody who reaches the web port can do to it.
#include <atomic>
#include <thread>

#include "services/gateway/web_stream.h"
#include "services/transport/limits.h"
#include "services/transport/tls_policy.h"
#include "tests/hostile/raw_connection.h"
#include "tests/integration/live_agency.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;

class WebPort : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_THAT(transport::EnforceTls13(), IsOk()); }
  void SetUp() override { police_.Start({}); }

  std::uint16_t port() const { return static_cast<std::uint16_t>(police_.gateway().ports().web); }
  static TlsWishes Wishes() {
    TlsWishes wishes;
    wishes.alpn = "http/1.1";
    return wishes;
  }
  std::string Says(const std::string& request, const std::string& from = "127.0.0.1") const {
    RawTls tls(port(), Wishes(), from);
    if (!tls.is_done()) return "no connection";
    tls.Send(request);
    return tls.Receive(1 << 20, 500ms);
  }
  static std::string Get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: gateway\r\n" + headers + "\r\n";
  }
  // "200", or what was said in its place.
  std::string StatusOf(const std::string& request) const {
    const std::string said = Says(request);
    return said.starts_with("HTTP/1.1 ") ? said.substr(9, 3) : said;
  }
  bool IsHealthy(const std::string& from = "127.0.0.1") const {
    return Says(Get("/healthz"), from).starts_with("HTTP/1.1 200");
  }
  LiveAgency police_{"northshire-police"};
};

TEST_F(WebPort, ServesItsFourPathsAndNothingElse) {
  EXPECT_EQ(StatusOf(Get("/healthz")), "200");
  EXPECT_EQ(StatusOf(Get("/metrics")), "200");
  EXPECT_EQ(StatusOf(Get("/log/checkpoint")), "200");
  EXPECT_EQ(StatusOf(Get("/log/tile/entries/000")), "404");
  for (const char* path :
       {"/", "/log", "/log/", "/log/tile/", "/log/tile/../../comity.db", "/log/tile/0/../000",
        "/log/tile/%2e%2e/%2e%2e/comity.db", "/log/..%2f..%2fkeys", "/log/tile/0/x/000",
        "//etc/passwd", "/healthz/", "/metrics/..", "/log/checkpoint%00.txt", "/log/tile/0/-1"}) {
    EXPECT_EQ(StatusOf(Get(path)), "404") << path;
  }
}

TEST_F(WebPort, TakesNoOtherMethod) {
  for (const char* method : {"HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT",
                             "TRACE", "PRI", "get", "COPY"}) {
    const std::string status = StatusOf(std::string(method) + " /metrics HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(status == "405" || status == "400") << method << status;
  }
}

TEST_F(WebPort, TakesNoBodyAndNoLargeRequest) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(StatusOf(Get("/metrics", "Content-Length: 4\r\n") + "body"), "405");
  EXPECT_NE(StatusOf("POST /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n" +
                     std::string(100'000, 'a')),
            "200");
  EXPECT_NE(StatusOf(Get("/metrics", "X-Large: " + std::string(9000, 'a') + "\r\n")), "200");
  EXPECT_NE(StatusOf(Get("/" + std::string(9000, 'a'))), "200");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_NE(StatusOf(Get("/metrics", many)), "200");
  EXPECT_TRUE(IsHealthy());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(WebPort, SendsNoMoreThanTheFileWhateverPartsAreAskedFor) {
  const std::string whole = Says(Get("/log/checkpoint"));
  std::string parts = "Range: bytes=0-";
  for (int i = 0; i < 1000; ++i) parts += ",0-";
  EXPECT_LE(Says(Get("/log/checkpoint", parts + "\r\n")).size(), whole.size() + 200);
}

TEST_F(WebPort, GivesADribblingClientNoMoreTimeThanAnother) {
  RawTls tls(port(), Wishes(), "127.0.0.2");
  ASSERT_TRUE(tls.is_done());
  const auto begin = std::chrono::steady_clock::now();
  std::size_t sent = 0;
  while (tls.Send("G") && !tls.IsClosedWithin(500ms)) ++sent;
  EXPECT_LE(std::chrono::steady_clock::now() - begin, gateway::WebStream::kRequestTime + 3s);
  EXPECT_GT(sent, 3u);
}

TEST_F(WebPort, IsNotSilencedFromOneAddress) {
  // Half handshakes, and handshakes without a request: each would hold one of eight threads.
  std::vector<RawConnection> half;
  for (int i = 0; i < 100; ++i) {
    half.emplace_back(port(), "127.0.0.2");
    half.back().Send("\x16");
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(IsHealthy()) << i;
  std::vector<std::unique_ptr<RawTls>> silent;
  for (int i = 0; i < 30; ++i) {
    silent.push_back(std::make_unique<RawTls>(port(), Wishes(), "127.0.0.3"));
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(IsHealthy());
  // Six of each address for eight threads: it is waited for, and not longer than they may stay.
  EXPECT_LE(std::chrono::steady_clock::now() - begin,
            gateway::WebStream::kHandshakeTime + gateway::WebStream::kRequestTime);
}

TEST_F(WebPort, ComesBackAfterAFloodFromManyAddresses) {
  std::vector<RawConnection> half;
  for (int address = 10; address < 40; ++address) {
    for (int i = 0; i < 6; ++i) {
      half.emplace_back(port(), "127.0.0." + std::to_string(address));
    }
  }
  std::this_thread::sleep_for(gateway::WebStream::kHandshakeTime * 5);  // 32 places, 8 threads
  EXPECT_TRUE(IsHealthy());
}

TEST_F(WebPort, EndsWithTheGatewayWhileClientsWait) {
  std::vector<RawConnection> half;
  for (int i = 0; i < 6; ++i) half.emplace_back(port(), "127.0.0.2");
  std::this_thread::sleep_for(200ms);
  const auto begin = std::chrono::steady_clock::now();
  police_.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
}

}  // namespace
}  // namespace comity::testing
