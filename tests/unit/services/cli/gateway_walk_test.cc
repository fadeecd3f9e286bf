// SPDX-License-Identifier: Apache-2.0
// The commands against two real gateways on loopback.
#include <gmock/gmock.h>

#include <array>
#include <map>
#include <thread>

#include "services/runtime/clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Agency {
  std::string id;
  std::vector<std::string> posts;  // dpo, signatory, signatory
  std::string federation = "127.0.0.1:" + std::to_string(FreePort());
  std::string agency_port = "127.0.0.1:" + std::to_string(FreePort());
};

class GatewayWalk : public ::testing::Test {
 protected:
  GatewayWalk() {
    for (const Agency& agency : {council_, police_}) MakeKeys(agency);
    WriteAgreement();
    gateways_.push_back(Start(council_, police_));
    gateways_.push_back(Start(police_, council_));
    AwaitReady("ev-chief");
    AwaitReady("ns-acc");
  }

  std::string Path(const std::string& name) const { return (root_.path() / name).string(); }
  void MakeKeys(const Agency& agency) {
    ComityJson({"pki", "init", "--agency", agency.id, "--trust-domain", agency.id + ".example",
                "--dir", Path(agency.id)});
    ComityJson({"pki", "issue", "--dir", Path(agency.id), "--gateway"});
    const auto card =
        ComityJson({"pki", "card", "--dir", Path(agency.id), "--out", Path(agency.id + ".card")});
    keys_.push_back(card["signing_key"]);
    for (const std::string& post : agency.posts) {
      const auto issued = ComityJson({"pki", "issue", "--dir", Path(agency.id), "--person", post,
                                      "--listen", agency.agency_port});
      keys_.push_back(issued["signing_key"]);
      profiles_[post] = issued["profile"];
    }
  }
  // The sample with these people's keys, in the document's order, and with dates around now.
  void WriteAgreement() {
    std::string text = ReadWhole(std::string(COMITY_SOURCE_DIR) + "/docs/sample_agreement.yaml");
    std::size_t at = 0;
    for (const std::string& key : keys_) {
      at = text.find("ed25519:", at);
      text.replace(at, key.size(), key);
      at += key.size();
    }
    const auto day = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto year = [&](int days) {
      return runtime::EncodeTimestamp(day + std::chrono::days(days)).substr(0, 10);
    };
    for (const auto& [from, to] : std::map<std::string, std::string>{
             {"2026-01-01", year(-10)}, {"2027-01-01", year(200)}, {"2026-12-01", year(100)}}) {
      for (at = text.find(from); at != std::string::npos; at = text.find(from)) {
        text.replace(at, from.size(), to);
      }
    }
    WriteWhole(Path("agreement.yaml"), text);
  }
  Process Start(const Agency& own, const Agency& peer) {
    const std::string config = Path("site-" + own.id + "/comityd.toml");
    ComityJson({"pki", "config", "--dir", Path(own.id), "--out", config, "--federation",
                own.federation, "--agency-port", own.agency_port, "--web",
                "127.0.0.1:" + std::to_string(FreePort()), "--peer",
                Path(peer.id + ".card") + "@" + peer.federation});
    auto started = Process::Start({COMITYD_PROGRAM, "--config", config}, Path(own.id + ".log"));
    COMITY_CHECK(started.has_value());
    return std::move(*started);
  }
  CommandOutput As(const std::string& post, std::vector<std::string> command) const {
    command.insert(command.end(), {"--profile", profiles_.at(post)});
    return Comity(std::move(command));
  }
  Json JsonAs(const std::string& post, std::vector<std::string> command) const {
    command.push_back("--json");
    return Json::parse(As(post, std::move(command)).out);
  }
  void AwaitReady(const std::string& post) const {
    for (int i = 0; i < 200; ++i) {
      if (As(post, {"status", "--no-contact"}).exit_code == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL() << "the gateway does not start: " << ReadWhole(Path("northshire-police.log"));
  }
  void BringIntoForce() const {
    ASSERT_EQ(As("ns-acc", {"agreement", "submit", Path("agreement.yaml")}).exit_code, 0);
    for (const std::string post : {"ns-dpo", "ev-dpo"}) {
      As(post, {"agreement", "advise", kAgreement, "--position", "for", "--text", "fine"});
    }
    for (const std::string post : {"ev-chief", "ev-siro", "ns-acc", "ns-siro"}) {
      As(post, {"agreement", "sign", kAgreement});
    }
    for (const std::string post : {"ev-chief", "ns-acc"}) {
      ASSERT_EQ(JsonAs(post, {"agreement", "status", kAgreement})[0]["status"], "in-force");
    }
  }
  CommandOutput Deploy(const std::string& threshold) const {
    return As("ev-chief", {"deployment",
                           "create",
                           "--agreement",
                           kAgreement,
                           "--purpose",
                           "court-order-arrest",
                           "--category",
                           "wanted-by-courts",
                           "--engine-profile",
                           "facenet/20180402/128",
                           "--engine",
                           "cams",
                           "--threshold",
                           threshold,
                           "--place",
                           "Old Bridge",
                           "--reason",
                           "market day",
                           "--case-ref",
                           "EV-1",
                           "--hours",
                           "4",
                           "--mode",
                           "direct",
                           "--json"});
  }
  // Entries of which each template is one axis: no two alike, all of norm 1.
  void WriteList(int entries) const {
    const auto now = std::chrono::system_clock::now();
    const std::string from = runtime::EncodeTimestamp(
        std::chrono::floor<std::chrono::seconds>(now - std::chrono::hours(1)));
    const std::string until = runtime::EncodeTimestamp(
        std::chrono::floor<std::chrono::seconds>(now + std::chrono::hours(20)));
    std::string lines;
    std::string templates;
    for (int i = 0; i < entries; ++i) {
      lines += R"({"reference":"ns-)" + std::to_string(i) +
               R"(","category":"wanted-by-courts","image":{"source_kind":"custody",)"
               R"("acquisition_legal_basis":"PACE 1984 s.64A"},"rationale":{"necessity":"warrant",)"
               R"("proportionality":"other enquiries failed","at":")" +
               from + R"("},"response":{"priority":"amber","text":"speak"},"valid_from":")" + from +
               R"(","expires_at":")" + until + "\"}\n";
      std::array<float, 128> row{};
      row[static_cast<std::size_t>(i)] = 1;
      templates.append(reinterpret_cast<const char*>(row.data()), sizeof row);
    }
    WriteWhole(Path("list.jsonl"), lines);
    WriteWhole(Path("list.f32"), templates);
  }
  CommandOutput Import() const {
    return As("ns-acc", {"watchlist", "import", "warrants", "--entries", Path("list.jsonl"),
                         "--templates", Path("list.f32"), "--engine", "facenet", "--engine-version",
                         "20180402", "--dimension", "128"});
  }

  static constexpr char kAgreement[] = "northshire-eastvale-2026";
  TemporaryDirectory root_;
  const Agency council_{"eastvale-council", {"ev-dpo", "ev-chief", "ev-siro"}};
  const Agency police_{"northshire-police", {"ns-dpo", "ns-acc", "ns-siro"}};
  std::vector<std::string> keys_;
  std::map<std::string, std::string> profiles_;
  std::vector<Process> gateways_;
};

TEST_F(GatewayWalk, TwoAgenciesAgreeDeployAndSuspend) {
  const auto status = JsonAs("ev-chief", {"status"});
  EXPECT_EQ(status["agency"], "eastvale-council");
  EXPECT_EQ(status["peers"][0]["reachable"], true);
  ASSERT_NO_FATAL_FAILURE(BringIntoForce());

  const CommandOutput created = Deploy("0.7");
  EXPECT_EQ(created.exit_code, 0) << created.err;
  EXPECT_EQ(Json::parse(created.out)["holders"][0]["code"], "permit");
  const CommandOutput refused = Deploy("0.1");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(Json::parse(refused.out)["holders"][0]["code"], "threshold-below-floor");
  const std::string id = Json::parse(created.out)["deployment"];
  EXPECT_EQ(As("ev-chief", {"deployment", "stop", id, "--reason", "over"}).exit_code, 0);
  EXPECT_EQ(As("ev-chief", {"deployment", "stop", id, "--reason", "over"}).exit_code, 1);

  const auto suspended =
      JsonAs("ns-dpo", {"agreement", "suspend", kAgreement, "--reason", "inquiry"});
  EXPECT_EQ(suspended["deliveries"][0]["peer_status"], "suspended");
  EXPECT_EQ(Json::parse(Deploy("0.7").out)["holders"][0]["code"], "agreement-suspended");
  const std::string lifts = suspended["statement"];
  for (const std::string post : {"ns-acc", "ns-siro"}) {
    As(post, {"agreement", "resume", kAgreement, "--lifts", lifts, "--reason", "closed"});
  }
  EXPECT_EQ(JsonAs("ev-chief", {"agreement", "status"})[0]["status"], "in-force");
}

TEST_F(GatewayWalk, AnExportedAgreementIsOneThatCheckAndSubmitTake) {
  ASSERT_NO_FATAL_FAILURE(BringIntoForce());
  const auto exported = JsonAs("ev-siro", {"agreement", "export", kAgreement, "--dir", Path("x")});
  EXPECT_EQ(exported["files"].size(), 7U);
  std::vector<std::string> submit = {"agreement", "submit"};
  for (const auto& name : exported["files"]) submit.push_back(Path("x/" + name.get<std::string>()));
  for (const auto& answer : JsonAs("ns-siro", submit)) EXPECT_EQ(answer["known_already"], true);
  EXPECT_EQ(ReadWhole(Path("x/northshire-eastvale-2026-v1.yaml")),
            ReadWhole(Path("agreement.yaml")));
}

TEST_F(GatewayWalk, AListIsImportedWholeOrNotAtAll) {
  WriteList(20);
  EXPECT_EQ(Import().exit_code, 0);
  EXPECT_EQ(
      As("ns-acc", {"watchlist", "withdraw", "warrants", "ns-3", "--reason", "arrested"}).exit_code,
      0);
  const auto status = JsonAs("ns-acc", {"watchlist", "status", "warrants"});
  EXPECT_EQ(status[0]["active_by_category"]["wanted-by-courts"], 19);
  Replace(Path("list.jsonl"), "custody", "nowhere");
  const CommandOutput faulty = Import();
  EXPECT_EQ(faulty.exit_code, 1);
  EXPECT_THAT(faulty.err, HasSubstr("list.jsonl:1: "));
  EXPECT_EQ(JsonAs("ns-acc", {"watchlist", "status"})[0]["active"], 19);
}

TEST_F(GatewayWalk, AnExportedLogVerifiesAndProvesItsEntries) {
  const std::string dir = Path("log");
  EXPECT_EQ(As("ns-acc", {"audit", "export", dir}).exit_code, 0);
  EXPECT_EQ(As("ns-acc", {"audit", "export", dir}).exit_code, 1);
  const auto verified = ComityJson({"audit", "verify", dir, "--vkey", dir + "/log.vkey"});
  EXPECT_EQ(verified["verified"], true);
  EXPECT_EQ(verified["by_type"]["audit-exported"], 1);
  EXPECT_EQ(As("ns-acc", {"audit", "prove", "--index", "0", "--out", Path("p")}).exit_code, 0);
  const CommandOutput proof =
      Comity({"audit", "verify-proof", Path("p/entry-0.tlog-proof"), "--entry",
              Path("p/entry-0.json"), "--vkey", dir + "/log.vkey"});
  EXPECT_EQ(proof.exit_code, 0) << proof.err;
  EXPECT_EQ(As("ns-acc", {"audit", "prove", "--index", "999999"}).exit_code, 2);
}

TEST_F(GatewayWalk, AnotherAgencysPersonIsNotPermitted) {
  const std::string profile = Path("stranger.toml");
  const fs::path people = fs::path(Path("eastvale-council")) / "people";
  WriteWhole(profile, "gateway = \"" + police_.agency_port +
                          "\"\nspiffe_id = \"spiffe://northshire-police.example/gateway\"\n"
                          "identity = \"" +
                          (people / "ev-chief.pem").string() +
                          "\"\nroots = \"northshire-police/ca/ca.pem\"\n");
  EXPECT_EQ(Comity({"status", "--profile", profile}).exit_code, 3);
}

TEST_F(GatewayWalk, TheDoctorSeesRunningGatewaysAndAFailedHandshake) {
  const std::string config = Path("site-eastvale-council/comityd.toml");
  const CommandOutput healthy = Comity({"doctor", "--config", config});
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out;
  EXPECT_THAT(healthy.out, HasSubstr("TLS handshake with " + police_.federation + " succeeds"));
  WriteWhole(Path("site-eastvale-council/peers/northshire-police/anchor.pem"),
             ReadWhole(Path("eastvale-council/ca/ca.pem")));
  const CommandOutput mixed_up = Comity({"doctor", "--config", config});
  EXPECT_EQ(mixed_up.exit_code, 1);
  EXPECT_THAT(mixed_up.out, HasSubstr("the TLS handshake fails"));
  EXPECT_EQ(mixed_up.err, "") << "the libraries below stay silent";
}

TEST_F(GatewayWalk, AWatchOfAlertsEndsCleanlyWhenInterrupted) {
  auto watch = Process::Start(
      {COMITY_PROGRAM, "alert", "watch", "--open", "--profile", profiles_.at("ev-chief")},
      Path("watch.log"));
  ASSERT_TRUE(watch.has_value());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_TRUE(watch->IsRunning());
  EXPECT_EQ(watch->Stop(std::chrono::seconds(5)), 0);
  EXPECT_EQ(ReadWhole(Path("watch.log")), "");
}

}  // namespace
}  // namespace comity::testing
