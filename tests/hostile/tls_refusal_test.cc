// SPDX-License-Identifier: Apache-2.0
// Which handshakes the three ports refuse. A program that is not ours asks: openssl s_client.
#include "services/runtime/file.h"
#include "tests/hostile/flooded_world.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {
namespace {

using namespace std::chrono_literals;

class TlsRefusal : public FloodedWorld {
 protected:
  static void SetUpTestSuite() { ASSERT_THAT(transport::EnforceTls13(), IsOk()); }
  void SetUp() override { DirectSearchWorld::SetUp(); }

  enum class Port { kFederation, kAgency, kWeb };
  static constexpr Port kAll[] = {Port::kFederation, Port::kAgency, Port::kWeb};

  int NumberOf(Port port) const {
    const gateway::Ports ports = police_.gateway().ports();
    if (port == Port::kFederation) return ports.federation;
    return port == Port::kAgency ? ports.agency : ports.web;
  }
  std::filesystem::path PapersFor(Port port) const {
    return port == Port::kFederation ? council_.pki() / "gateway.pem" : police_.person_identity();
  }
  // What is sent once the handshake is done, to see whether the port answers as itself.
  static std::string Question(Port port) {
    return port == Port::kWeb ? "GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n" : Http2Preface();
  }
  // Handshake by openssl s_client, which sends the question and waits two seconds for an answer.
  // True: the port took the connection and answered as itself.
  bool Answers(Port port, const std::string& options, bool with_papers = true) const {
    TemporaryDirectory folder;
    const std::filesystem::path question = folder.path() / "question";
    EXPECT_THAT(runtime::WriteFile(question, AsBytes(Question(port)), 0600), IsOk());
    std::string command = "(cat " + question.string() + "; sleep 1) | timeout 3 openssl s_client " +
                          "-quiet -connect 127.0.0.1:" + std::to_string(NumberOf(port)) + " " +
                          options;
    if (with_papers) {
      const std::string file = PapersFor(port).string();
      command += " -cert " + file + " -cert_chain " + file + " -key " + file;
    }
    const auto said = RunCommand({"/bin/sh", "-c", command + " 2>/dev/null"});
    EXPECT_THAT(said, IsOk());
    // SETTINGS come first from a server of HTTP/2.
    if (port == Port::kWeb) return said->out.starts_with("HTTP/1.1 200");
    return said->out.size() >= 9 && said->out[3] == '\x04';
  }
  static std::string Alpn(Port port) { return port == Port::kWeb ? "-alpn http/1.1" : "-alpn h2"; }
};

TEST_F(TlsRefusal, IsNotForWhoeverComesAsAgreed) {
  for (const Port port : kAll) {
    EXPECT_TRUE(Answers(port, "-tls1_3 -groups P-256 " + Alpn(port))) << NumberOf(port);
  }
  EXPECT_TRUE(Answers(Port::kWeb, "", false)) << "a scraper has no papers and names no protocol";
}

TEST_F(TlsRefusal, OfFormerVersions) {
  for (const Port port : kAll) {
    EXPECT_FALSE(Answers(port, "-tls1_2 " + Alpn(port))) << NumberOf(port);
    EXPECT_FALSE(Answers(port, "-tls1_2 -cipher ALL@SECLEVEL=0 " + Alpn(port))) << NumberOf(port);
    EXPECT_FALSE(Answers(port, "-tls1_1 -cipher ALL@SECLEVEL=0 " + Alpn(port))) << NumberOf(port);
  }
}

TEST_F(TlsRefusal, OfOtherGroups) {
  for (const Port port : kAll) {
    for (const char* group : {"X25519", "P-384", "P-521", "X448"}) {
      EXPECT_FALSE(Answers(port, "-tls1_3 -groups " + std::string(group) + " " + Alpn(port)))
          << NumberOf(port) << group;
    }
  }
}

TEST_F(TlsRefusal, OfOtherProtocols) {
  EXPECT_FALSE(Answers(Port::kFederation, "-tls1_3 -alpn http/1.1"));
  EXPECT_FALSE(Answers(Port::kFederation, "-tls1_3"));
  EXPECT_FALSE(Answers(Port::kAgency, "-tls1_3 -alpn http/1.1"));
  EXPECT_FALSE(Answers(Port::kAgency, "-tls1_3"));
  EXPECT_FALSE(Answers(Port::kWeb, "-tls1_3 -alpn h2"));
  EXPECT_TRUE(Answers(Port::kWeb, "-tls1_3 -alpn h2,http/1.1"));
}

TEST_F(TlsRefusal, OfWhoeverHasNoCertificate) {
  EXPECT_FALSE(Answers(Port::kFederation, "-tls1_3 -alpn h2", false));
  EXPECT_FALSE(Answers(Port::kAgency, "-tls1_3 -alpn h2", false));
}

}  // namespace
}  // namespace comity::testing
