// SPDX-License-Identifier: Apache-2.0
// What `comityd` says, and how it ends, when it is set up or called wrongly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "services/runtime/clock_record.h"
#include "services/runtime/file.h"
#include "tests/e2e/gateway_process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

CommandOutput Comityd(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ComitydPath());
  auto output = RunCommand(arguments, std::chrono::seconds(20));
  EXPECT_THAT(output, IsOk());
  return output ? *output : CommandOutput();
}

// A folder that a gateway has run in: keys, configuration and data are there, nothing runs.
class SetupFault : public ::testing::Test {
 protected:
  void SetUp() override {
    agency_.Start({});
    agency_.Stop();
  }
  std::filesystem::path folder() const { return agency_.pki().parent_path(); }
  std::filesystem::path config() const { return folder() / "comityd.toml"; }
  std::string ConfigText() const {
    std::ifstream file(config());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // Writes the configuration with one text in place of another.
  void Change(const std::string& from, const std::string& to) {
    std::string text = ConfigText();
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    ASSERT_THAT(runtime::WriteFile(config(), AsBytes(text), 0600), IsOk());
  }
  CommandOutput RunIt() { return Comityd({"--config", config().string()}); }
  std::string At(int line) const { return config().string() + ":" + std::to_string(line) + ":"; }

  LiveAgency agency_{"northshire-police"};
};

TEST_F(SetupFault, ACorrectSetUpChecksSilently) {
  const auto checked = Comityd({"--config", config().string(), "--check"});
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.out, IsEmpty());
  EXPECT_THAT(checked.err, IsEmpty());
}

TEST_F(SetupFault, EveryFaultOfTheConfigurationIsNamedWithItsLine) {
  Change("id = \"northshire-police\"", "id = \"Northshire Police\"");      // line 2
  Change("web = \"127.0.0.1:0\"", "web = \"127.0.0.1:70000\"\nwebb = 1");  // lines 11 and 12
  for (const bool check : {true, false}) {
    std::vector<std::string> arguments = {"--config", config().string()};
    if (check) arguments.push_back("--check");
    const auto output = Comityd(arguments);
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err,
                AllOf(HasSubstr(At(2)), HasSubstr(At(11)), HasSubstr(At(12)), HasSubstr("webb")));
    EXPECT_THAT(output.out, IsEmpty());
  }
}

TEST_F(SetupFault, TextThatIsNotTomlIsNamedWithItsLine) {
  Change("[data]", "[data");
  const auto output = RunIt();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr(At(5)));
}

TEST_F(SetupFault, AMissingConfigurationIsNamed) {
  const auto output = Comityd({"--config", (folder() / "nowhere.toml").string()});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("nowhere.toml"));
}

TEST_F(SetupFault, EveryMissingOrOpenKeyFileIsNamed) {
  std::filesystem::remove(agency_.pki() / "keys" / "log.key");
  std::filesystem::permissions(agency_.pki() / "keys" / "agency-signing.key",
                               std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto output = Comityd({"--config", config().string(), "--check"});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, AllOf(HasSubstr("keys.log"), HasSubstr("log.key"),
                                HasSubstr("keys.signing"), HasSubstr("agency-signing.key")));
}

TEST_F(SetupFault, AKeyOfAnotherKindIsNamed) {
  std::filesystem::copy_file(agency_.pki() / "keys" / "key-encryption.key",
                             agency_.pki() / "keys" / "log.key",
                             std::filesystem::copy_options::overwrite_existing);
  const auto output = RunIt();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("keys.log"));
}

TEST_F(SetupFault, ALogKeyThatDidNotSignTheLogIsRefused) {
  std::filesystem::copy_file(agency_.pki() / "keys" / "agency-signing.key",
                             agency_.pki() / "keys" / "log.key",
                             std::filesystem::copy_options::overwrite_existing);
  const auto output = RunIt();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("log"));
}

TEST_F(SetupFault, APortInUseIsNamed) {
  GatewayProcess gateway(agency_);
  ASSERT_TRUE(gateway.Start()) << gateway.log();
  for (const char* port : {"federation", "agency", "web"}) {
    LiveAgency other("eastvale-council");
    other.Start({});
    other.Stop();
    const std::filesystem::path file = other.pki().parent_path() / "comityd.toml";
    auto text = runtime::ReadTextFile(file, 65536);
    ASSERT_THAT(text, IsOk());
    const std::string taken = "127.0.0.1:" + std::to_string(agency_.federation_port());
    const std::size_t line = text->find(std::string("\n") + port + " = ") + 1;
    text->replace(line, text->find('\n', line) - line, std::string(port) + " = \"" + taken + "\"");
    ASSERT_THAT(runtime::WriteFile(file, AsBytes(*text), 0600), IsOk());
    const auto output = Comityd({"--config", file.string()});
    EXPECT_EQ(output.exit_code, 1) << port;
    EXPECT_THAT(output.err, AllOf(HasSubstr(std::string("listen.") + port), HasSubstr(taken),
                                  HasSubstr("in use")));
  }
  EXPECT_TRUE(gateway.IsRunning());
}

TEST_F(SetupFault, ASecondGatewayOnOneDataFolderIsRefusedAndHarmsNothing) {
  GatewayProcess gateway(agency_);
  ASSERT_TRUE(gateway.Start()) << gateway.log();
  const auto output = RunIt();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err,
              AllOf(HasSubstr("data.directory"), HasSubstr("another process has the data")));
  EXPECT_TRUE(gateway.IsRunning());
  EXPECT_EQ(gateway.Stop(std::chrono::seconds(5)), 0);
}

TEST_F(SetupFault, ADatabaseThatIsNoneIsRefused) {
  std::ofstream(folder() / "data" / "comity.db", std::ios::trunc) << std::string(8192, 'x');
  std::filesystem::remove(folder() / "data" / "comity.db-wal");
  const auto output = RunIt();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("data.directory"));
}

TEST_F(SetupFault, AClockThatWasSetSinceTheLastRunIsRefusedUntilSomebodyAcceptsIt) {
  GatewayProcess gateway(agency_);
  ASSERT_TRUE(gateway.Start()) << gateway.log();
  ASSERT_EQ(gateway.Stop(std::chrono::seconds(5)), 0) << gateway.log();
  const std::filesystem::path file = folder() / "data" / "clock";
  auto record = runtime::LoadClockRecord(file);
  ASSERT_THAT(record, IsOk());
  // As if the clock had been set ahead by a day since.
  record->now -= std::chrono::hours(24);
  ASSERT_THAT(runtime::SaveClockRecord(file, *record), IsOk());
  const auto refused = RunIt();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr(" s after what it can be since"), HasSubstr("--accept-clock")));
  // Refused again, until a person says that it is right.
  EXPECT_EQ(RunIt().exit_code, 1);
  auto accepted = Process::Start({ComitydPath(), "--config", config().string(), "--accept-clock"},
                                 folder() / "accepted.log");
  ASSERT_THAT(accepted, IsOk());
  const auto is_kept = [&] {
    const auto now = runtime::LoadClockRecord(file);
    return now && now->now > record->now + std::chrono::hours(23);
  };
  for (int i = 0; i < 500 && !is_kept(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a process of its own
  }
  EXPECT_TRUE(is_kept());
  EXPECT_EQ(accepted->Stop(std::chrono::seconds(10)), 0);
  ASSERT_TRUE(gateway.Start()) << gateway.log();
  EXPECT_EQ(gateway.Stop(std::chrono::seconds(5)), 0);
}

TEST(ComitydCommandLine, HelpAndVersionGoToStandardOutput) {
  const auto help = Comityd({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--config FILE"), HasSubstr("--check")));
  EXPECT_THAT(help.err, IsEmpty());
  const auto version = Comityd({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, MatchesRegex("[a-z]+/[0-9]+\\.[0-9]+\\.[0-9]+[^ ]*\n"));
}

TEST(ComitydCommandLine, WrongUsageEndsWithTwoAndSaysWhy) {
  for (const auto& [arguments, said] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "--config is missing"},
           {{"--config"}, "--config"},
           {{"--check"}, "--config is missing"},
           {{"--nonsense"}, "unknown argument '--nonsense'"}}) {
    const auto output = Comityd(arguments);
    EXPECT_EQ(output.exit_code, 2) << said;
    EXPECT_THAT(output.err, AllOf(HasSubstr(said), HasSubstr("usage: comityd")));
    EXPECT_THAT(output.out, IsEmpty());
  }
}

}  // namespace
}  // namespace comity::testing
