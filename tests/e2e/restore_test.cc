// SPDX-License-Identifier: Apache-2.0
// A node is backed up, goes on, dies and is put back, by its people with real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "services/cli/profile.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/process.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class Restore : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(20);
    agencies_.police().Stop();
    agencies_.council().Stop();
    ASSERT_TRUE(police_.Start()) << police_.log();
  }
  // As a person of the police at a terminal.
  CommandOutput As(const std::string& person, std::vector<std::string> arguments) {
    const LiveAgency& agency = agencies_.police();
    cli::Profile profile;
    const std::string gateway = police_.engine().gateway;
    profile.gateway = {
        gateway.substr(0, gateway.find(':')),
        static_cast<std::uint16_t>(std::stoi(gateway.substr(gateway.find(':') + 1)))};
    profile.spiffe_id = agency.spiffe_id();
    profile.identity = agency.person_identity(person);
    profile.roots = agency.pki() / "ca" / "ca.pem";
    profile.signing_key = agency.pki() / "people" / (person + ".key");
    const fs::path file = folder_.path() / (person + ".toml");
    std::ofstream(file, std::ios::trunc) << cli::EncodeProfile(profile);
    arguments.insert(arguments.begin(), COMITY_PROGRAM);
    arguments.insert(arguments.end(), {"--profile", file.string(), "--json"});
    auto output = RunCommand(arguments);
    EXPECT_TRUE(output.has_value());
    return output.value_or(CommandOutput());
  }
  Json JsonAs(const std::string& person, std::vector<std::string> arguments) {
    const CommandOutput output = As(person, std::move(arguments));
    EXPECT_LE(output.exit_code, 1) << output.err;
    return Json::parse(output.out, nullptr, false);
  }
  // The node dies, its data directory is lost, and the backup is put back in its place.
  CommandOutput LoseAndRestore(const fs::path& backup) {
    police_.Kill();
    const fs::path data = agencies_.police().data();
    fs::rename(data, folder_.path() / "lost");
    auto restored = RunCommand({COMITY_PROGRAM, "restore", backup.string(), "--config",
                                police_.config().string(), "--into", data.string()});
    EXPECT_TRUE(restored.has_value());
    return restored.value_or(CommandOutput());
  }
  // Waits until the ledger's second copy bars somebody, at most 20 seconds.
  bool AwaitBar() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      std::ifstream stream(agencies_.police().ledger() / "ledger", std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(stream), {}};
      if (text.find(R"("kind":"barred")") != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  const TemporaryDirectory folder_;
  TwoAgencies agencies_{128};
  GatewayProcess police_{agencies_.police()};
};

TEST_F(Restore, BringsNothingErasedBackAndWorksAgainAfterTwoPeople) {
  const fs::path file = folder_.path() / "police.backup";
  const Json made = JsonAs("admin-1", {"backup", file.string()});
  ASSERT_TRUE(made.contains("backup"));
  const CommandOutput withdrawn =
      As("operator", {"watchlist", "withdraw", "lantern", "ref-3", "--reason", "found"});
  ASSERT_EQ(withdrawn.exit_code, 0) << withdrawn.err;
  const CommandOutput restored = LoseAndRestore(file);
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_THAT(restored.out, HasSubstr("erased again when the gateway starts"));
  ASSERT_TRUE(police_.Start()) << police_.log();
  EXPECT_THAT(police_.log(), HasSubstr("gateway-restored"));
  const CommandOutput status = As("auditor", {"restoration", "status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_EQ(Json::parse(status.out)["state"], "restored");
  EXPECT_EQ(Json::parse(status.out)["replayed"], 1);

  const Json act = JsonAs("admin-1", {"restoration", "confirm", "--reason", "disk replaced"});
  const CommandOutput alone =
      As("admin-1", {"approvals", "approve", act["approval"], "--sha256", act["sha256"]});
  EXPECT_NE(alone.exit_code, 0);
  const CommandOutput second =
      As("keys-1", {"approvals", "approve", act["approval"], "--sha256", act["sha256"]});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  ASSERT_TRUE(police_.AwaitAgain()) << police_.log();  // by itself
  EXPECT_EQ(JsonAs("auditor", {"restoration", "status"})["state"], "confirmed");
  const Json lists = JsonAs("operator", {"watchlist", "status"});
  EXPECT_THAT(lists.dump(), HasSubstr("\"active\":19"));
  EXPECT_THAT(lists.dump(), HasSubstr("\"withdrawn\":1"));
  const CommandOutput due = As("dpo", {"retention", "due"});
  EXPECT_EQ(due.exit_code, 0) << due.out << due.err;
  const Json report = JsonAs("dpo", {"retention", "report"});
  EXPECT_THAT(report.dump(), HasSubstr("replayed"));
  EXPECT_EQ(report["overdue"], 0);
  EXPECT_EQ(police_.Stop(std::chrono::seconds(10)), 0);
}

TEST_F(Restore, KeepsOutWhoWasRevokedAfterTheBackupThoughTheNodeWasKilled) {
  const fs::path file = folder_.path() / "police.backup";
  ASSERT_TRUE(JsonAs("admin-1", {"backup", file.string()}).contains("backup"));
  EXPECT_EQ(As("release", {"notice", "list"}).exit_code, 0);
  const CommandOutput revoked =
      As("admin-1", {"person", "revoke", "release", "--reason", "left the agency"});
  ASSERT_EQ(revoked.exit_code, 0) << revoked.err;
  ASSERT_TRUE(AwaitBar());
  const CommandOutput restored = LoseAndRestore(file);
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  ASSERT_TRUE(police_.Start()) << police_.log();
  EXPECT_THAT(police_.log(), HasSubstr("bars-upheld"));
  EXPECT_EQ(As("release", {"notice", "list"}).exit_code, 3);
  EXPECT_EQ(As("operator", {"notice", "list"}).exit_code, 0);
  EXPECT_EQ(police_.Stop(std::chrono::seconds(10)), 0);
}

}  // namespace
}  // namespace comity::testing
