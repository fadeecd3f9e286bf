// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "services/runtime/config.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_card.h"
#include "services/transport/person_card.h"
#include "services/transport/trust_store.h"
#include "tests/support/partners.h"
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
  // The card of a person who is issued if need be.
  std::string PersonCard(const std::string& person) const {
    const std::string file = Dir("northshire-police") + "/people/" + person + ".card.toml";
    if (!fs::exists(file)) Issue({"--person", person, "--post", "Post of " + person});
    return file;
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

TEST_F(PkiCommands, IssueAnEngineWithAProfileAndNoKeyToSignWith) {
  const auto issued = ComityJson({"pki", "issue", "--dir", Dir("northshire-police"), "--engine",
                                  "cameras", "--listen", "127.0.0.1:17444"});
  EXPECT_EQ(issued["spiffe_id"], "spiffe://northshire-police.example/engine/cameras");
  EXPECT_EQ(ReadWhole(issued["profile"].get<std::string>()),
            "# Profile for `comity --profile`: which gateway, and as whom.\n"
            "gateway = \"127.0.0.1:17444\"\n"
            "spiffe_id = \"spiffe://northshire-police.example/gateway\"\n"
            "identity = \"cameras.pem\"\nroots = \"../ca/ca.pem\"\n");
  EXPECT_FALSE(issued.contains("signing_key"));
  EXPECT_FALSE(issued.contains("card"));
}

TEST_F(PkiCommands, AGatewaysCertificateHasNoProfile) {
  EXPECT_EQ(Issue({"--gateway", "--listen", "127.0.0.1:17444"}).exit_code, 2);
  EXPECT_FALSE(ComityJson({"pki", "issue", "--dir", Dir("northshire-police"), "--gateway"})
                   .contains("profile"));
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

TEST_F(PkiCommands, RotateTheAgencyKeyFromThePresentCard) {
  const fs::path dir = Dir("northshire-police");
  Issue({"--gateway"});
  runtime::SystemClock clock;
  const std::string card = Path("present.card.toml");
  WriteWhole(card, transport::EncodePeerCard(
                       CardOf(AgencyFiles{"northshire-police", dir, "192.0.2.1:7443"}, clock)));
  const std::vector<std::string> rotate = {"pki",    "rotate-key", "--dir", dir.string(),
                                           "--card", card,         "--out", Path("next.card.toml")};
  const auto next = ComityJson(rotate);
  EXPECT_NE(next["signing_key"], AgencyKey(dir));
  EXPECT_THAT(transport::ParsePeerCard(ReadWhole(Path("next.card.toml"))), IsOk());
  EXPECT_EQ(Comity(rotate).exit_code, 1);
  EXPECT_EQ(Comity({"pki", "rotate-key", "--dir", dir.string(), "--switch"}).exit_code, 0);
  EXPECT_EQ(next["signing_key"], AgencyKey(dir));
  EXPECT_EQ(Comity({"pki", "rotate-key", "--dir", dir.string(), "--switch"}).exit_code, 2);
  EXPECT_EQ(Comity({"pki", "rotate-key", "--dir", dir.string()}).exit_code, 2);
}

TEST_F(PkiCommands, WriteAConfigurationThatTheGatewayAccepts) {
  Issue({"--gateway"});
  const std::vector<std::string> command = {"pki",
                                            "config",
                                            "--dir",
                                            Dir("northshire-police"),
                                            "--out",
                                            Path("site/comityd.toml"),
                                            "--administrator",
                                            PersonCard("admin-1"),
                                            "--administrator",
                                            PersonCard("admin-2")};
  EXPECT_EQ(Comity(command).exit_code, 0);
  const auto config = runtime::LoadConfig(Path("site/comityd.toml"));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->agency.name, "The northshire-police");
  ASSERT_EQ(config->administrators.size(), 2U);
  EXPECT_EQ(config->administrators[0].id, "admin-1");
  EXPECT_EQ(config->administrators[0].post, "Post of admin-1");
  EXPECT_THAT(runtime::CheckConfigFiles(*config), ::testing::IsEmpty());
  EXPECT_EQ(Comity(command).exit_code, 1) << "an existing configuration is kept";
}

TEST_F(PkiCommands, RefuseAConfigurationWithoutTwoAdministrators) {
  const CommandOutput output =
      Comity({"pki", "config", "--dir", Dir("northshire-police"), "--out", Path("comityd.toml"),
              "--administrator", PersonCard("admin-1")});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("exactly twice"));
}

TEST_F(PkiCommands, GiveAPersonACardWithoutSecretsThatRenewsWithTheSameKey) {
  const std::string card = PersonCard("admin-1");
  const auto first = transport::ParsePersonCard(ReadWhole(card));
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->id, "admin-1");
  EXPECT_EQ(first->post, "Post of admin-1");
  EXPECT_THAT(ReadWhole(card), ::testing::Not(HasSubstr("PRIVATE")));
  Issue({"--person", "admin-1", "--renew"});
  const auto renewed = transport::ParsePersonCard(ReadWhole(card));
  ASSERT_THAT(renewed, IsOk());
  EXPECT_EQ(renewed->post, "Post of admin-1");
  EXPECT_NE(renewed->certificate, first->certificate);
  const auto key_of = [](const transport::PersonCard& person) {
    return transport::ReadPublicCertificate(person.certificate)->public_key;
  };
  EXPECT_EQ(key_of(*renewed), key_of(*first));
  Issue({"--person", "admin-1", "--renew", "--new-key"});
  const auto rekeyed = transport::ParsePersonCard(ReadWhole(card));
  ASSERT_THAT(rekeyed, IsOk());
  EXPECT_NE(key_of(*rekeyed), key_of(*first));
  EXPECT_EQ(rekeyed->signing_key, first->signing_key);
}

TEST_F(PkiCommands, RefuseAnAddressThatIsNone) {
  const CommandOutput output =
      Comity({"pki", "config", "--dir", Dir("northshire-police"), "--out", Path("comityd.toml"),
              "--federation", "nowhere", "--administrator", PersonCard("admin-1"),
              "--administrator", PersonCard("admin-2")});
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
