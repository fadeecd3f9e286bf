// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "services/runtime/descriptor.h"
#include "services/transport/pki.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
namespace fs = std::filesystem;

// Two agencies' keys and a configuration of the one.
class Doctor : public ::testing::Test {
 protected:
  Doctor() {
    for (const std::string agency : {"northshire-police", "eastvale-council"}) {
      Do({"pki", "init", "--agency", agency, "--trust-domain", agency + ".example", "--dir",
          Path(agency)});
      Do({"pki", "issue", "--dir", Path(agency), "--gateway"});
      for (const char* person : {"admin-1", "admin-2"}) {
        Do({"pki", "issue", "--dir", Path(agency), "--person", person});
      }
    }
    Do({"pki", "config", "--dir", Path("northshire-police"), "--out", Config(), "--administrator",
        Own("people/admin-1.card.toml"), "--administrator", Own("people/admin-2.card.toml"),
        "--federation", Free(), "--agency-port", Free(), "--web", Free()});
  }
  static std::string Free() { return "127.0.0.1:" + std::to_string(FreePort()); }
  static void Do(std::vector<std::string> command) {
    COMITY_CHECK(Comity(std::move(command)).exit_code == 0);
  }
  std::string Path(const std::string& name) const { return (root_.path() / name).string(); }
  std::string Config() const { return Path("site/comityd.toml"); }
  std::string Own(const std::string& name) const { return Path("northshire-police/" + name); }
  static CommandOutput Run(const std::string& config) {
    return Comity({"doctor", "--config", config});
  }
  // Some line is WRONG, about `what`, and its words hold `words`.
  void ExpectWrong(const std::string& what, const std::string& words) const {
    const CommandOutput output = Run(Config());
    EXPECT_EQ(output.exit_code, 1);
    const auto json = ComityJson({"doctor", "--config", Config()});
    bool found = false;
    for (const auto& finding : json["findings"]) {
      found = found || (finding["level"] == "WRONG" && finding["what"] == what &&
                        finding["words"].get<std::string>().find(words) != std::string::npos);
    }
    EXPECT_TRUE(found) << output.out;
  }
  void ReissueGateway(int days, runtime::Instant now) const {
    transport::IssueRequest request;
    request.days = days;
    request.renew = true;
    COMITY_CHECK(transport::Issue(Own(""), request, now).has_value());
  }

  TemporaryDirectory root_;
};

TEST_F(Doctor, FindsAnAdministratorWhomTheAgencyPortWouldNotLetIn) {
  fs::copy_file(Path("eastvale-council/people/admin-1.crt"),
                Path("site/administrators/admin-1.crt"), fs::copy_options::overwrite_existing);
  ExpectWrong("administrator admin-1 certificate", "spiffe://eastvale-council.example/person");
}

TEST_F(Doctor, FindsOneKeyForBothAdministrators) {
  fs::copy_file(Path("site/administrators/admin-1.pub"), Path("site/administrators/admin-2.pub"),
                fs::copy_options::overwrite_existing);
  ExpectWrong("administrator admin-2", "two people");
}

TEST_F(Doctor, IsContentWithAGoodSetUp) {
  const CommandOutput output = Run(Config());
  EXPECT_EQ(output.exit_code, 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("0 wrong"));
}

TEST_F(Doctor, EndsWithTwoWithoutAConfiguration) {
  EXPECT_EQ(Run(Path("none.toml")).exit_code, 2);
}

TEST_F(Doctor, NamesEveryFaultOfTheConfiguration) {
  Replace(Config(), "trust_domain =", "trust_domian =");
  const CommandOutput output = Run(Config());
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, HasSubstr("did you mean `trust_domain`"));
}

TEST_F(Doctor, NamesAKeyFileThatOthersCanRead) {
  fs::permissions(Own("keys/log.key"), fs::perms(0644));
  ExpectWrong("keys.log", "chmod");
}

TEST_F(Doctor, NamesAMissingFile) {
  fs::remove(Own("crl.pem"));
  ExpectWrong("keys.crl", "there is no file");
}

TEST_F(Doctor, NamesADamagedSigningKey) {
  WriteWhole(Own("keys/agency-signing.key"), "nonsense\n", 0600);
  ExpectWrong("keys.signing", "it must be the file that 'comity pki init' made");
}

TEST_F(Doctor, NamesOneKeyUsedTwice) {
  WriteWhole(Own("keys/log.key"), ReadWhole(Own("keys/agency-signing.key")), 0600);
  ExpectWrong("keys.log", "they must be two");
}

TEST_F(Doctor, NamesADamagedKeyEncryptionKey) {
  WriteWhole(Own("keys/key-encryption.key"), "nonsense\n", 0600);
  ExpectWrong("keys.key_encryption", "key-encryption.key");
}

TEST_F(Doctor, NamesACertificateOfAnotherKind) {
  Do({"pki", "issue", "--dir", Own(""), "--engine", "cams"});
  WriteWhole(Own("gateway.pem"), ReadWhole(Own("engines/cams.pem")), 0600);
  ExpectWrong("keys.tls", "not of a gateway");
}

TEST_F(Doctor, NamesACertificateOfAnotherAgency) {
  WriteWhole(Own("gateway.pem"), ReadWhole(Path("eastvale-council/gateway.pem")), 0600);
  ExpectWrong("keys.tls", "but agency.trust_domain is northshire-police.example");
}

TEST_F(Doctor, NamesACertificateOfAnotherAuthority) {
  WriteWhole(Own("ca/ca.pem"), ReadWhole(Path("eastvale-council/ca/ca.pem")));
  WriteWhole(Own("crl.pem"), ReadWhole(Path("eastvale-council/crl.pem")));
  ExpectWrong("keys.tls", "own engines and people would refuse this certificate");
}

TEST_F(Doctor, NamesAnExpiredCertificate) {
  ReissueGateway(10, runtime::SystemClock().Now() - std::chrono::days(11));
  ExpectWrong("keys.tls", "expired at");
}

TEST_F(Doctor, WarnsOfACertificateThatExpiresSoon) {
  ReissueGateway(10, runtime::SystemClock().Now());
  const CommandOutput output = Run(Config());
  EXPECT_EQ(output.exit_code, 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("WARN   keys.tls: the certificate expires at"));
}

TEST_F(Doctor, NamesAClockThatIsBehind) {
  ReissueGateway(90, runtime::SystemClock().Now() + std::chrono::days(2));
  ExpectWrong("clock", "set the clock");
}

TEST_F(Doctor, NamesAnExpiredRevocationList) {
  const auto then = runtime::SystemClock().Now() - std::chrono::days(8);
  COMITY_CHECK(transport::RenewCrl(Own(""), then).has_value());
  ExpectWrong("keys.roots and keys.crl", "revocation list has expired");
}

TEST_F(Doctor, WarnsOfARevocationListThatExpiresSoon) {
  const auto then = runtime::SystemClock().Now() - std::chrono::days(6);
  COMITY_CHECK(transport::RenewCrl(Own(""), then).has_value());
  EXPECT_THAT(Run(Config()).out, HasSubstr("WARN   keys.crl: expires at"));
}

TEST_F(Doctor, LooksAtTheRevocationListsOfPartners) {
  const std::string list = Path("site/crls/eastvale-council.pem");
  fs::create_directories(Path("site/crls"));
  Replace(Config(), "# crl_folder = ", "crl_folder = ");
  EXPECT_THAT(Run(Config()).out, HasSubstr("WARN   peers.crl_folder"));
  const fs::path source = Path("eastvale-council/crl.pem");
  fs::copy_file(source, list);
  EXPECT_THAT(Run(Config()).out, HasSubstr("revocation list of eastvale-council: valid until"));
  const auto renew = [&](std::chrono::days age) {
    const auto then = runtime::SystemClock().Now() - age;
    COMITY_CHECK(transport::RenewCrl(Path("eastvale-council"), then).has_value());
    fs::copy_file(source, list, fs::copy_options::overwrite_existing);
  };
  renew(std::chrono::days(6));
  EXPECT_THAT(Run(Config()).out, HasSubstr("WARN   revocation list of eastvale-council"));
  renew(std::chrono::days(8));
  ExpectWrong("revocation list of eastvale-council", "install its fresh crl.pem");
  WriteWhole(list, "nonsense");
  ExpectWrong("revocation list of eastvale-council", "the partner is refused");
}

TEST_F(Doctor, NamesAMissingFolderOfRevocationLists) {
  Replace(Config(), "# crl_folder = ", "crl_folder = ");
  ExpectWrong("peers.crl_folder", "there is no folder");
}

TEST_F(Doctor, NamesADataFolderThatIsOpenToOthers) {
  fs::create_directory(Path("site/data"));
  fs::permissions(Path("site/data"), fs::perms(0755));
  ExpectWrong("data.directory", "chmod 0700");
}

TEST_F(Doctor, NamesADataFolderThatIsAFile) {
  WriteWhole(Path("site/data"), "x");
  ExpectWrong("data.directory", "is no folder");
}

TEST_F(Doctor, NamesAnAddressThatIsNotOfThisMachine) {
  Replace(Config(), "web = \"127.0.0.1", "web = \"192.0.2.77");
  ExpectWrong("listen.web", "is no address of this machine");
}

// Listens, and answers no handshake.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    COMITY_CHECK(::bind(socket_.get(), any, size) == 0 && ::listen(socket_.get(), 8) == 0);
    COMITY_CHECK(::getsockname(socket_.get(), any, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  runtime::Descriptor socket_;
  std::uint16_t port_ = 0;
};

TEST_F(Doctor, NamesAPortThatIsTakenWhileNoGatewayRuns) {
  const SilentServer server;
  const std::string text = ReadWhole(Config());
  const std::size_t at = text.find("web = \"") + 7;
  Replace(Config(), text.substr(at, text.find('"', at) - at), server.address());
  ExpectWrong("listen.web", server.address() + " is in use by another program");
}

}  // namespace
}  // namespace comity::testing
