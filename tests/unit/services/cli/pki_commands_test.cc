// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "services/runtime/config.h"
#include "services/transport/peer_card.h"
#include "services/transport/trust_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PkiCommands : public ::testing::Test {
 protected:
  PkiCommands() { Make("northshire-police"); }

  std::string Dir(const std::string& agency) const { return (root_.path() / agency).string(); }
  std::string Path(const std::string& name) const { return (root_.path() / name).string(); }
  void Make(const std::string& agency) {
    const CommandOutput output =
        Comity({"pki", "init", "--agency", agency, "--name", "The " + agency, "--trust-domain",
                agency + ".example", "--dir", Dir(agency)});
    COMITY_CHECK(output.exit_code == 0);
  }
  CommandOutput Issue(std::vector<std::string> whom) const {
    whom.insert(whom.begin(), {"pki", "issue", "--dir", Dir("northshire-police")});
    return Comity(std::move(whom));
  }
  Result<transport::VerifiedPeer> Verify(const std::string& pem_file) const {
    const fs::path dir = Dir("northshire-police");
    auto trust = transport::TrustStore::ForAgency(
        {"northshire-police", "northshire-police.example", dir / "ca" / "ca.pem", dir / "crl.pem"});
    COMITY_CHECK(trust.has_value());
    return (*trust)->Verify(ReadWhole(pem_file), runtime::SystemClock().Now());
  }

  TemporaryDirectory root_;
};

TEST_F(PkiCommands, RefuseToMakeKeysTwice) {
  const CommandOutput again =
      Comity({"pki", "init", "--agency", "northshire-police", "--trust-domain",
              "northshire-police.example", "--dir", Dir("northshire-police")});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("exists already"));
}

TEST_F(PkiCommands, NeedExactlyOneKindOfCertificate) {
  EXPECT_EQ(Issue({}).exit_code, 2);
  EXPECT_EQ(Issue({"--gateway", "--engine", "cams"}).exit_code, 2);
}

TEST_F(PkiCommands, IssueAPersonWithKeyAndProfile) {
  const auto issued = ComityJson({"pki", "issue", "--dir", Dir("northshire-police"), "--person",
                                  "j-smith", "--listen", "127.0.0.1:17444"});
  EXPECT_EQ(issued["spiffe_id"], "spiffe://northshire-police.example/person/j-smith");
  EXPECT_EQ(ReadWhole(issued["profile"].get<std::string>()),
            "# Profile for `comity --profile`: which gateway, and as whom.\n"
            "gateway = \"127.0.0.1:17444\"\n"
            "spiffe_id = \"spiffe://northshire-police.example/gateway\"\n"
            "identity = \"j-smith.pem\"\nroots = \"../ca/ca.pem\"\n"
            "signing_key = \"j-smith.key\"\n");
  EXPECT_THAT(Verify(issued["certificate"].get<std::string>()), IsOk());
}

TEST_F(PkiCommands, RevokeWhatTheyIssued) {
  const auto issued =
      ComityJson({"pki", "issue", "--dir", Dir("northshire-police"), "--person", "j-smith"});
  const std::string file = issued["certificate"];
  const std::vector<std::string> revoke = {
      "pki",           "revoke", "--dir",    Dir("northshire-police"),
      "--certificate", file,     "--reason", "key-compromise"};
  EXPECT_EQ(ComityJson(revoke)["serial"], issued["serial"]);
  EXPECT_THAT(Verify(file), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(Comity(revoke).exit_code, 1);
  EXPECT_EQ(Comity({"pki", "renew-crl", "--dir", Dir("northshire-police")}).exit_code, 0);
  EXPECT_THAT(Verify(file), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(PkiCommands, RefuseAnUnknownReason) {
  const CommandOutput output = Comity({"pki", "revoke", "--dir", Dir("northshire-police"),
                                       "--serial", "00", "--reason", "because"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("key-compromise"));
}

TEST_F(PkiCommands, ExportACardThatThePartnerInstalls) {
  const std::string card = Path("northshire.card.toml");
  const CommandOutput exported =
      Comity({"pki", "card", "--dir", Dir("northshire-police"), "--out", card});
  EXPECT_EQ(exported.exit_code, 0);
  EXPECT_THAT(exported.out, HasSubstr("CA SHA-256"));
  EXPECT_EQ(Comity({"pki", "card", "--dir", Dir("northshire-police")}).out, ReadWhole(card));
  EXPECT_EQ(Comity({"pki", "install-card", card, "--dir", Path("peers")}).exit_code, 0);
  EXPECT_TRUE(fs::exists(Path("peers/northshire-police/anchor.pem")));
  EXPECT_EQ(Comity({"pki", "install-card", card, "--dir", Path("peers")}).exit_code, 1);
}

TEST_F(PkiCommands, RefuseACardThatWasChanged) {
  const std::string card = Path("changed.card.toml");
  Comity({"pki", "card", "--dir", Dir("northshire-police"), "--out", card});
  Replace(card, "anchor_fingerprint = \"", "anchor_fingerprint = \"00");
  const CommandOutput output = Comity({"pki", "install-card", card, "--dir", Path("peers")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("anchor_fingerprint"));
}

TEST_F(PkiCommands, WriteAConfigurationThatTheGatewayAccepts) {
  Make("eastvale-council");
  Issue({"--gateway"});
  const std::string card = Path("eastvale.card.toml");
  Comity({"pki", "card", "--dir", Dir("eastvale-council"), "--out", card});
  const std::vector<std::string> command = {"pki",    "config",
                                            "--dir",  Dir("northshire-police"),
                                            "--out",  Path("site/comityd.toml"),
                                            "--peer", card + "@192.0.2.7:7443"};
  EXPECT_EQ(Comity(command).exit_code, 0);
  const auto config = runtime::LoadConfig(Path("site/comityd.toml"));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->agency.name, "The northshire-police");
  ASSERT_EQ(config->peers.size(), 1U);
  EXPECT_EQ(config->peers[0].spiffe_id, "spiffe://eastvale-council.example/gateway");
  EXPECT_THAT(runtime::CheckConfigFiles(*config), ::testing::IsEmpty());
  EXPECT_EQ(Comity(command).exit_code, 1) << "an existing configuration is kept";
}

TEST_F(PkiCommands, RefuseAnAddressThatIsNone) {
  const CommandOutput output = Comity({"pki", "config", "--dir", Dir("northshire-police"), "--out",
                                       Path("comityd.toml"), "--federation", "nowhere"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("federation"));
  EXPECT_FALSE(fs::exists(Path("comityd.toml")));
}

TEST_F(PkiCommands, UnreachableGatewayEndsWithThree) {
  Issue({"--person", "j-smith", "--listen", "127.0.0.1:" + std::to_string(FreePort())});
  const CommandOutput output =
      Comity({"status", "--profile", Dir("northshire-police") + "/people/j-smith.toml"});
  EXPECT_EQ(output.exit_code, 3);
  EXPECT_THAT(output.err, HasSubstr("check that comityd runs"));
}

TEST_F(PkiCommands, FaultyProfileIsToldWithLineAndColumn) {
  WriteWhole(Path("bad.toml"), "gateway = \"127.0.0.1:1\"\nspiffe_id = \"nobody\"\nkolour = 1\n");
  const CommandOutput output = Comity({"status", "--profile", Path("bad.toml")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("bad.toml:2:"));
  EXPECT_THAT(output.err, HasSubstr("bad.toml:3:1: unknown key `kolour`"));
  EXPECT_THAT(output.err, HasSubstr("identity"));
}

}  // namespace
}  // namespace comity::testing
