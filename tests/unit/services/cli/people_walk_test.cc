// SPDX-License-Identifier: Apache-2.0
// People, acts of two and notices, at a real gateway, as people at terminals do it.
#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <thread>

#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class PeopleWalk : public ::testing::Test {
 protected:
  PeopleWalk() {
    for (const std::string agency : {"northshire-police", "eastvale-council"}) {
      Comity({"pki", "init", "--agency", agency, "--trust-domain", agency + ".example", "--dir",
              Path(agency)});
    }
    Comity({"pki", "issue", "--dir", Path("northshire-police"), "--gateway"});
    for (const auto& [person, role] : roles_) Issue("northshire-police", person);
    Comity({"pki", "config", "--dir", Path("northshire-police"), "--out", Config(), "--federation",
            Free(), "--agency-port", agency_port_, "--web", Free(), "--administrator",
            CardOf("admin-1"), "--administrator", CardOf("admin-2")});
    Start();
    for (const auto& [person, role] : roles_) {
      if (role == "administrator") continue;
      const auto act = JsonAs("admin-1", {"person", "add", CardOf(person), "--role", role});
      EXPECT_EQ(Approve("admin-2", act).exit_code, 0);
    }
  }

  static std::string Free() { return "127.0.0.1:" + std::to_string(FreePort()); }
  std::string Path(const std::string& name) const { return (root_.path() / name).string(); }
  std::string Config() const { return Path("site/comityd.toml"); }
  std::string CardOf(const std::string& person) const {
    return Path("northshire-police/people/" + person + ".card.toml");
  }
  void Issue(const std::string& agency, const std::string& person) const {
    Comity({"pki", "issue", "--dir", Path(agency), "--person", person, "--post",
            "Post of " + person, "--listen", agency_port_});
  }
  void Start() {
    auto started = Process::Start({COMITYD_PROGRAM, "--config", Config()}, Path("comityd.log"));
    COMITY_CHECK(started.has_value());
    gateway_.emplace(std::move(*started));
    for (int i = 0; i < 200; ++i) {
      if (As("admin-1", {"approvals", "list"}).exit_code == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "the gateway does not start: " << ReadWhole(Path("comityd.log"));
  }
  std::string ProfileOf(const std::string& person) const {
    return Path("northshire-police/people/" + person + ".toml");
  }
  CommandOutput As(const std::string& person, std::vector<std::string> command) const {
    command.insert(command.end(), {"--profile", ProfileOf(person)});
    return Comity(std::move(command));
  }
  CommandOutput Approve(const std::string& person, const Json& act) const {
    return As(person, {"approvals", "approve", act["approval"].get<std::string>(), "--sha256",
                       act["sha256"].get<std::string>().substr(0, 8)});
  }
  Json JsonAs(const std::string& person, std::vector<std::string> command) const {
    command.push_back("--json");
    return Json::parse(As(person, std::move(command)).out);
  }

  const std::map<std::string, std::string> roles_{{"admin-1", "administrator"},
                                                  {"admin-2", "administrator"},
                                                  {"op", "operator"},
                                                  {"sup", "supervisor"},
                                                  {"dpo", "dpo"},
                                                  {"aud", "auditor"}};
  TemporaryDirectory root_;
  const std::string agency_port_ = Free();
  std::optional<Process> gateway_;
};

TEST_F(PeopleWalk, PeopleComeGoAndChangeByTwoPeople) {
  // Who was added in SetUp is listed; nobody but an administrator adds anybody.
  EXPECT_EQ(JsonAs("admin-1", {"person", "list"}).size(), 6U);
  Issue("eastvale-council", "op");
  const std::string card = Path("eastvale-council/people/op.card.toml");
  EXPECT_EQ(As("op", {"person", "list"}).exit_code, 3);
  EXPECT_EQ(As("admin-1", {"person", "add", card, "--role", "operator"}).exit_code, 2)
      << "the card is of another agency";
  const auto act =
      JsonAs("admin-1", {"person", "role", "op", "--role", "operator", "--role", "adjudicator"});
  const std::string id = act["approval"];
  EXPECT_EQ(Approve("admin-1", act).exit_code, 3) << "own act";
  EXPECT_EQ(As("admin-2", {"approvals", "approve", id, "--sha256", "00000000"}).exit_code, 1);
  const CommandOutput unread = As("admin-2", {"approvals", "approve", id});
  EXPECT_EQ(unread.exit_code, 2) << "nothing says that it was read";
  EXPECT_THAT(unread.err, HasSubstr("--sha256"));
  EXPECT_EQ(As("admin-2", {"approvals", "approve", id, "--sha256",
                           act["sha256"].get<std::string>().substr(0, 7)})
                .exit_code,
            2);
  const CommandOutput shown = As("admin-2", {"approvals", "show", id});
  EXPECT_THAT(shown.out, HasSubstr("Roles: operator, adjudicator (now: operator)"));
  EXPECT_THAT(shown.out, HasSubstr(act["sha256"].get<std::string>()));
  EXPECT_THAT(shown.out, HasSubstr("admin-1"));
  EXPECT_EQ(JsonAs("admin-2", {"approvals", "list"}).size(), 1U);
  EXPECT_EQ(JsonAs("op", {"approvals", "list"}).size(), 0U);
  EXPECT_EQ(Approve("admin-2", act).exit_code, 0);
  EXPECT_EQ(Approve("admin-2", act).exit_code, 1);

  EXPECT_EQ(As("admin-1", {"person", "revoke", "op", "--reason", "left"}).exit_code, 0);
  EXPECT_EQ(As("op", {"status", "--no-contact"}).exit_code, 3);
  const auto revoke = JsonAs("admin-1", {"person", "revoke", "dpo", "--reason", "post abolished"});
  EXPECT_EQ(revoke["act"], "person-revoke-privileged");
  EXPECT_EQ(As("dpo", {"status", "--no-contact"}).exit_code, 5);  // an act waits
  EXPECT_EQ(As("admin-2", {"approvals", "reject", revoke["approval"].get<std::string>(), "--reason",
                           "not yet"})
                .exit_code,
            0);
}

TEST_F(PeopleWalk, NoticesAreListedWatchedAndAcknowledged) {
  const auto act = JsonAs("admin-1", {"person", "role", "op", "--role", "supervisor"});
  const auto notices = JsonAs("admin-2", {"notice", "list"});
  ASSERT_FALSE(notices.empty());
  const auto& last = notices.back();
  EXPECT_EQ(last["kind"], "approval-asked");
  EXPECT_THAT(last["words"].get<std::string>(), HasSubstr(act["approval"].get<std::string>()));
  const std::string number = std::to_string(last["number"].get<int>());
  EXPECT_EQ(As("op", {"notice", "ack", number}).exit_code, 2) << "it is for other roles";
  EXPECT_EQ(As("admin-2", {"notice", "ack", number}).exit_code, 0);
  EXPECT_EQ(As("admin-1", {"notice", "ack", number}).exit_code, 1);
  EXPECT_EQ(JsonAs("admin-2", {"notice", "list"}).size(), notices.size() - 1);
  EXPECT_EQ(JsonAs("admin-2", {"notice", "list", "--all"}).size(), notices.size());
  auto watch = Process::Start(
      {COMITY_PROGRAM, "notice", "watch", "--json", "--profile", ProfileOf("admin-1")},
      Path("notices.log"));
  ASSERT_TRUE(watch.has_value());
  As("admin-1", {"approvals", "reject", act["approval"].get<std::string>(), "--reason", "no"});
  for (int i = 0; i < 200; ++i) {
    if (ReadWhole(Path("notices.log")).find("An act was rejected") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_THAT(ReadWhole(Path("notices.log")), HasSubstr("An act was rejected"));
  EXPECT_EQ(watch->Stop(std::chrono::seconds(5)), 0);
}

TEST_F(PeopleWalk, ChangedConfigurationIsToldAndAcknowledgedByTwo) {
  EXPECT_EQ(As("admin-1", {"node", "acknowledge-configuration"}).exit_code, 1);
  const std::string config = Config();
  EXPECT_EQ(gateway_->Stop(std::chrono::seconds(10)), 0);
  WriteWhole(config, ReadWhole(config) + "# changed\n");
  Start();
  EXPECT_EQ(JsonAs("admin-1", {"status"})["configuration_acknowledged"], false);
  EXPECT_EQ(JsonAs("aud", {"notice", "list"}).back()["kind"], "configuration-changed");
  EXPECT_EQ(As("op", {"node", "acknowledge-configuration"}).exit_code, 3);
  const auto act = JsonAs("admin-1", {"node", "acknowledge-configuration"});
  EXPECT_EQ(Approve("admin-2", act).exit_code, 0);
  EXPECT_EQ(JsonAs("admin-1", {"status"})["configuration_acknowledged"], true);
}

}  // namespace
}  // namespace comity::testing
