// SPDX-License-Identifier: Apache-2.0
// The commands against two real gateways on loopback.
#include <gmock/gmock.h>

#include <array>
#include <map>
#include <thread>

#include "services/runtime/clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/watchlist_text.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Person {
  std::string id;
  std::string role;
};
struct Agency {
  std::string id;
  std::string prefix;              // of its people's ids
  std::vector<std::string> posts;  // dpo, signatory, signatory: as the agreement names them
  std::string federation = "127.0.0.1:" + std::to_string(FreePort());
  std::string agency_port = "127.0.0.1:" + std::to_string(FreePort());
};

class GatewayWalk : public ::testing::Test {
 protected:
  GatewayWalk() {
    for (const Agency* agency : {&council_, &police_}) {
      MakeKeys(*agency);
      gateways_.push_back(Start(*agency));
      AwaitReady(agency->prefix + "admin-1");
      AddPeople(*agency);
      Invite(*agency);
    }
    Enrol(council_, police_);
    Enrol(police_, council_);
    AwaitPartner(council_);
    AwaitPartner(police_);
    WriteAgreement();
  }

  std::string Path(const std::string& name) const { return (root_.path() / name).string(); }
  void MakeKeys(const Agency& agency) {
    ComityJson({"pki", "init", "--agency", agency.id, "--trust-domain", agency.id + ".example",
                "--dir", Path(agency.id)});
    ComityJson({"pki", "issue", "--dir", Path(agency.id), "--gateway"});
    for (const std::string& post : agency.posts) person_keys_.push_back(Issue(agency, post));
    for (const Person& person : OthersOf(agency)) Issue(agency, person.id);
    for (const char* id : {"admin-1", "admin-2"}) Issue(agency, agency.prefix + id);
  }
  // Returns the public half of the person's signing key.
  std::string Issue(const Agency& agency, const std::string& person) {
    const auto issued = ComityJson({"pki", "issue", "--dir", Path(agency.id), "--person", person,
                                    "--post", "Post of " + person, "--listen", agency.agency_port});
    profiles_[person] = issued["profile"];
    cards_[person] = issued["card"];
    return issued["signing_key"];
  }
  static std::vector<Person> OthersOf(const Agency& agency) {
    return {{agency.prefix + "op", "operator"},
            {agency.prefix + "sup", "supervisor"},
            {agency.prefix + "adj", "adjudicator"},
            {agency.prefix + "aud", "auditor"}};
  }
  Json Approve(const std::string& person, const Json& act) const {
    return JsonAs(person, {"approvals", "approve", act["approval"].get<std::string>(), "--sha256",
                           act["sha256"].get<std::string>().substr(0, 8)});
  }
  // Each by two administrators, as two people at two terminals would.
  void AddPeople(const Agency& agency) const {
    std::vector<Person> people = OthersOf(agency);
    people.push_back({agency.posts[0], "dpo"});
    people.push_back({agency.posts[1], "signatory"});
    people.push_back({agency.posts[2], "signatory"});
    for (const Person& person : people) {
      const auto act = JsonAs(agency.prefix + "admin-1",
                              {"person", "add", cards_.at(person.id), "--role", person.role});
      const auto approved = Approve(agency.prefix + "admin-2", act);
      ASSERT_EQ(approved["state"], "approved");
    }
  }
  // The agency's card, and what it reads to those who call.
  void Invite(const Agency& agency) {
    const auto card =
        JsonAs(agency.prefix + "admin-1", {"peer", "invite", "--out", Path(agency.id + ".card")});
    fingerprints_[agency.id] = card["fingerprint"];
    keys_.push_back(card["signing_key"]);
    keys_.insert(keys_.end(), person_keys_.begin(), person_keys_.end());
    person_keys_.clear();
  }
  // By two administrators of `own`, the second of whom called the other agency.
  void Enrol(const Agency& own, const Agency& other) const {
    const auto act = JsonAs(own.prefix + "admin-1", {"peer", "accept", Path(other.id + ".card")});
    const auto approved =
        JsonAs(own.prefix + "admin-2", {"approvals", "approve", act["approval"].get<std::string>(),
                                        "--fingerprint", fingerprints_.at(other.id)});
    ASSERT_EQ(approved["state"], "approved");
  }
  // Until the one partner of `own` answers it.
  void AwaitPartner(const Agency& own) const {
    for (int i = 0; i < 600; ++i) {
      const auto peer = JsonAs(own.prefix + "admin-1", {"peer", "list"})["peers"][0];
      if (peer["reachability"] == "present" && peer["enrolled_there"] == "active") return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << own.id << " does not see its partner";
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
  Process Start(const Agency& own) {
    const std::string config = Path("site-" + own.id + "/comityd.toml");
    ComityJson({"pki", "config", "--dir", Path(own.id), "--out", config, "--federation",
                own.federation, "--agency-port", own.agency_port, "--web",
                "127.0.0.1:" + std::to_string(FreePort()), "--administrator",
                cards_.at(own.prefix + "admin-1"), "--administrator",
                cards_.at(own.prefix + "admin-2")});
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
    for (int i = 0; i < 1200; ++i) {
      if (As(post, {"approvals", "list"}).exit_code == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL() << "the gateway does not start: " << ReadWhole(Path("northshire-police.log"));
  }
  void BringIntoForce() const {
    ASSERT_EQ(As("ns-dpo", {"agreement", "submit", Path("agreement.yaml")}).exit_code, 0);
    for (const std::string post : {"ns-dpo", "ev-dpo"}) {
      OnceDelivered(post,
                    {"agreement", "advise", kAgreement, "--position", "for", "--text", "fine"});
    }
    for (const std::string post : {"ev-chief", "ev-siro", "ns-acc", "ns-siro"}) {
      OnceDelivered(post, {"agreement", "sign", kAgreement});
    }
    for (const std::string post : {"ev-chief", "ns-acc"}) AwaitStatus(post, "in-force");
  }
  // What a partner was told travels at once, or within seconds if the machine is slow.
  void OnceDelivered(const std::string& post, const std::vector<std::string>& command) const {
    CommandOutput output;
    for (int i = 0; i < 300; ++i) {
      output = As(post, command);
      if (output.exit_code == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    FAIL() << post << ": " << output.err;
  }
  void AwaitStatus(const std::string& post, const std::string& status) const {
    Json last;
    for (int i = 0; i < 300; ++i) {
      last = JsonAs(post, {"agreement", "status", kAgreement})[0]["status"];
      if (last == status) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    FAIL() << post << ": " << last;
  }
  CommandOutput Deploy(const std::string& threshold) const {
    return As("ev-op", {"deployment",
                        "propose",
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
                        "--offence",
                        "theft-act-1968-s8",
                        "--max-penalty",
                        "14",
                        "--hours",
                        "4",
                        "--mode",
                        "sealed",
                        "--expected-faces",
                        "8000",
                        "--false-match-rate",
                        "0.000001",
                        "--test-report",
                        "engine test 2026-03",
                        "--json"});
  }
  // A definition, and entries of which each template is one axis: no two alike, all of norm 1.
  void WriteList(int entries) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(policy::Instant(
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())));
    DefinitionText definition;
    definition.reference = "warrants";
    definition.starts_at = now - std::chrono::hours(1);
    definition.ends_at = now + std::chrono::hours(20);
    WriteWhole(Path("warrants.yaml"), WriteDefinition(definition));
    std::string lines;
    std::string templates;
    for (int i = 0; i < entries; ++i) {
      lines += EntryLine({.reference = "ns-" + std::to_string(i), .now = now});
      std::array<float, 128> row{};
      row[static_cast<std::size_t>(i)] = 1;
      templates.append(reinterpret_cast<const char*>(row.data()), sizeof row);
    }
    WriteWhole(Path("list.jsonl"), lines);
    WriteWhole(Path("list.f32"), templates);
  }
  CommandOutput AddEntries() const {
    return As("ns-op", {"watchlist", "add", "warrants", "--entries", Path("list.jsonl"),
                        "--templates", Path("list.f32")});
  }

  static constexpr char kAgreement[] = "northshire-eastvale-2026";
  TemporaryDirectory root_;
  const Agency council_{"eastvale-council", "ev-", {"ev-dpo", "ev-chief", "ev-siro"}};
  const Agency police_{"northshire-police", "ns-", {"ns-dpo", "ns-acc", "ns-siro"}};
  std::vector<std::string> keys_, person_keys_;
  std::map<std::string, std::string> fingerprints_;
  std::map<std::string, std::string> profiles_;
  std::map<std::string, std::string> cards_;
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
  EXPECT_EQ(As("ev-op", {"deployment", "show", id}).exit_code, 2);
  EXPECT_EQ(Approve("ev-sup", Json::parse(created.out)["pending"])["state"], "approved");
  const auto shown = JsonAs("ev-op", {"deployment", "show", id});
  EXPECT_EQ(shown["state"], "active");
  EXPECT_EQ(shown["approved_by"], "ev-sup");
  EXPECT_EQ(JsonAs("ev-op", {"deployment", "list"}).size(), 1U);
  const auto stop = JsonAs("ev-op", {"stop", "set", "deployment", id, "--reason", "a complaint"});
  EXPECT_EQ(JsonAs("ev-op", {"stop", "list"})[0]["stop"], stop["stop"]);
  EXPECT_THAT(JsonAs("ev-op", {"deployment", "show", id})["halted"].get<std::string>(),
              HasSubstr(stop["stop"].get<std::string>()));
  const auto lift =
      JsonAs("ev-sup", {"stop", "lift", stop["stop"].get<std::string>(), "--reason", "unfounded"});
  EXPECT_EQ(Approve("ev-siro", lift)["state"], "approved");
  EXPECT_EQ(JsonAs("ev-op", {"stop", "list"}).size(), 0U);
  EXPECT_EQ(JsonAs("ev-op", {"stop", "list", "--all"}).size(), 1U);
  EXPECT_EQ(As("ev-op", {"deployment", "stop", id, "--reason", "over"}).exit_code, 0);
  EXPECT_EQ(As("ev-op", {"deployment", "stop", id, "--reason", "over"}).exit_code, 1);

  const auto suspended =
      JsonAs("ns-dpo", {"agreement", "suspend", kAgreement, "--reason", "inquiry"});
  AwaitStatus("ev-chief", "suspended");
  EXPECT_EQ(Json::parse(Deploy("0.7").out)["holders"][0]["code"], "agreement-suspended");
  const std::string lifts = suspended["statement"];
  for (const std::string post : {"ns-acc", "ns-siro"}) {
    OnceDelivered(post,
                  {"agreement", "resume", kAgreement, "--lifts", lifts, "--reason", "closed"});
  }
  AwaitStatus("ev-chief", "in-force");
}

TEST_F(GatewayWalk, AnExportedAgreementIsOneThatCheckAndSubmitTake) {
  ASSERT_NO_FATAL_FAILURE(BringIntoForce());
  const auto exported = JsonAs("ev-siro", {"agreement", "export", kAgreement, "--dir", Path("x")});
  EXPECT_EQ(exported["files"].size(), 7U);
  const std::string document = Path("x/northshire-eastvale-2026-v1.yaml");
  EXPECT_EQ(Comity({"agreement", "check", document}).exit_code, 0);
  const auto answers = JsonAs("ns-dpo", {"agreement", "submit", document});
  ASSERT_FALSE(answers.empty());
  for (const auto& answer : answers) {
    EXPECT_EQ(answer["known_already"], true);
  }
  EXPECT_EQ(ReadWhole(Path("x/northshire-eastvale-2026-v1.yaml")),
            ReadWhole(Path("agreement.yaml")));
}

TEST_F(GatewayWalk, AListIsDraftedFilledApprovedAndClosed) {
  WriteList(20);
  WriteWhole(Path("faulty.yaml"), "schema: comity/watchlist/1\n");
  CommandOutput faulty = As("ns-op", {"watchlist", "draft", Path("faulty.yaml")});
  EXPECT_EQ(faulty.exit_code, 1);
  EXPECT_THAT(faulty.err, HasSubstr("faulty.yaml:1:1: reference: this field is missing"));
  EXPECT_EQ(As("ns-op", {"watchlist", "draft", Path("warrants.yaml")}).exit_code, 0);
  Replace(Path("list.jsonl"), "custody", "nowhere");
  faulty = AddEntries();
  EXPECT_EQ(faulty.exit_code, 1);
  EXPECT_THAT(faulty.err, HasSubstr("list.jsonl:1: "));
  WriteList(20);
  EXPECT_EQ(AddEntries().exit_code, 0);
  EXPECT_EQ(JsonAs("ns-op", {"watchlist", "status", "warrants"})[0]["state"], "draft");

  const auto act = JsonAs("ns-op", {"watchlist", "submit", "warrants"});
  const auto approved = Approve("ns-sup", act);
  EXPECT_EQ(approved["state"], "approved");
  EXPECT_EQ(
      As("ns-op", {"watchlist", "withdraw", "warrants", "ns-3", "--reason", "arrested"}).exit_code,
      0);
  EXPECT_EQ(As("ns-op", {"watchlist", "restrict", "warrants", "ns-4", "--contested", "--reason",
                         "denies it"})
                .exit_code,
            0);
  const auto status = JsonAs("ns-op", {"watchlist", "show", "warrants"});
  EXPECT_EQ(status["state"], "approved");
  EXPECT_EQ(status["active_by_category"]["wanted-by-courts"], 18);
  EXPECT_EQ(status["contested"], 1);
  const auto entry = JsonAs("ns-op", {"watchlist", "entry", "warrants", "ns-4"});
  EXPECT_EQ(entry["fields"]["rationale"]["by"], "Detective Inspector");

  EXPECT_EQ(As("ns-op", {"watchlist", "close", "warrants", "--reason", "over"}).exit_code, 3);
  EXPECT_EQ(As("ns-sup", {"watchlist", "close", "warrants", "--reason", "over"}).exit_code, 0);
  EXPECT_EQ(JsonAs("ns-dpo", {"watchlist", "manifest", "warrants"})["entries"], 20);
  const std::string today = runtime::EncodeTimestamp(std::chrono::floor<std::chrono::seconds>(
                                                         std::chrono::system_clock::now()))
                                .substr(0, 10);
  EXPECT_EQ(As("ns-dpo", {"watchlist", "was-on", "ns-3", "--day", today}).exit_code, 0);
  EXPECT_EQ(As("ns-dpo", {"watchlist", "was-on", "ns-3", "--day", "2020-01-01"}).exit_code, 1);
}

TEST_F(GatewayWalk, AnExportedLogVerifiesAndProvesItsEntries) {
  const std::string dir = Path("log");
  EXPECT_EQ(As("ns-aud", {"audit", "export", dir}).exit_code, 0);
  EXPECT_EQ(As("ns-aud", {"audit", "export", dir}).exit_code, 1);
  const auto verified = ComityJson({"audit", "verify", dir, "--vkey", dir + "/log.vkey"});
  EXPECT_EQ(verified["verified"], true);
  EXPECT_EQ(verified["by_type"]["audit-exported"], 1);
  EXPECT_EQ(As("ns-aud", {"audit", "prove", "--index", "0", "--out", Path("p")}).exit_code, 0);
  const CommandOutput proof =
      Comity({"audit", "verify-proof", Path("p/entry-0.tlog-proof"), "--entry",
              Path("p/entry-0.json"), "--vkey", dir + "/log.vkey"});
  EXPECT_EQ(proof.exit_code, 0) << proof.err;
  EXPECT_EQ(As("ns-aud", {"audit", "prove", "--index", "999999"}).exit_code, 2);
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

TEST_F(GatewayWalk, TheDoctorIsContentWithARunningGateway) {
  const CommandOutput healthy =
      Comity({"doctor", "--config", Path("site-eastvale-council/comityd.toml")});
  EXPECT_EQ(healthy.exit_code, 0) << healthy.out;
  EXPECT_THAT(healthy.out, HasSubstr("peer card: 'comity peer invite' can make it"));
}

TEST_F(GatewayWalk, PartnersAreListedWithBothSidesOfTheEnrolment) {
  const auto peer = JsonAs("ev-admin-1", {"peer", "list"})["peers"][0];
  EXPECT_EQ(peer["agency"], "northshire-police");
  EXPECT_EQ(peer["state"], "active");
  EXPECT_EQ(peer["enrolled_there"], "active");
  EXPECT_EQ(peer["protocol"], 1);
  EXPECT_EQ(peer["capabilities_there"], Json::array({"direct", "sealed"}));
  EXPECT_THAT(As("ev-admin-1", {"peer", "list"}).out, HasSubstr("northshire-police"));
}

TEST_F(GatewayWalk, CardIsApprovedWithTheFingerprintThatWasReadOutOnly) {
  const auto remove =
      JsonAs("ev-admin-1", {"peer", "remove", "northshire-police", "--reason", "x"});
  EXPECT_EQ(Approve("ev-admin-2", remove)["state"], "approved");
  const CommandOutput accepted =
      As("ev-admin-1", {"peer", "accept", Path("northshire-police.card")});
  const std::string next = accepted.out.substr(accepted.out.find("approvals approve p-"));
  EXPECT_THAT(next, HasSubstr(" --fingerprint '...'"));
  const std::string act = next.substr(next.find("p-"), 28);
  EXPECT_EQ(As("ev-admin-2", {"approvals", "approve", act}).exit_code, 2);
  const CommandOutput other = As("ev-admin-2", {"approvals", "approve", act, "--fingerprint",
                                                fingerprints_.at("eastvale-council")});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr("is not that of the card"));
  const CommandOutput right = As("ev-admin-2", {"approvals", "approve", act, "--fingerprint",
                                                fingerprints_.at("northshire-police")});
  EXPECT_EQ(right.exit_code, 0) << right.err;
}

TEST_F(GatewayWalk, SuspendedPartnerIsShownAsSuch) {
  EXPECT_EQ(
      As("ev-dpo", {"peer", "suspend", "northshire-police", "--reason", "lost key"}).exit_code, 0);
  EXPECT_EQ(As("ev-dpo", {"peer", "suspend", "northshire-police", "--reason", "again"}).exit_code,
            1);
  const auto peer = JsonAs("ev-admin-1", {"peer", "list"})["peers"][0];
  EXPECT_EQ(peer["state"], "suspended");
  EXPECT_EQ(peer["reason"], "lost key");
}

TEST_F(GatewayWalk, AWatchOfAlertsEndsCleanlyWhenInterrupted) {
  auto watch = Process::Start(
      {COMITY_PROGRAM, "alert", "watch", "--open", "--profile", profiles_.at("ev-adj")},
      Path("watch.log"));
  ASSERT_TRUE(watch.has_value());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_TRUE(watch->IsRunning());
  EXPECT_EQ(watch->Stop(std::chrono::seconds(5)), 0);
  EXPECT_EQ(ReadWhole(Path("watch.log")), "");
}

}  // namespace
}  // namespace comity::testing
