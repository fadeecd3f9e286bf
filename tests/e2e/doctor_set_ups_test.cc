// SPDX-License-Identifier: Apache-2.0
// What `comity doctor` says of set-ups that are broken, each in one way, on disk and on the wire.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "services/runtime/file.h"
#include "services/runtime/logging.h"
#include "tests/e2e/broken_set_ups.h"
#include "tests/e2e/gateway_process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kCannotPrepare = 77;

class DoctorSetUps : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    around_ = std::make_unique<Neighbours>();
    around_->council.Start({&around_->police});
    around_->stranger.Start({});
    around_->police.Start({&around_->council});
    around_->police.Stop();
  }
  static void TearDownTestSuite() { around_.reset(); }

  // A fresh copy of the police's folder.
  Site Copy() {
    copy_ = std::make_unique<TemporaryDirectory>();
    fs::copy(around_->police.pki().parent_path(), copy_->path() / "site",
             fs::copy_options::recursive);
    return {copy_->path() / "site", *around_};
  }
  static CommandOutput Run(const std::vector<std::string>& arguments) {
    auto output = RunCommand(arguments, std::chrono::seconds(60));
    EXPECT_THAT(output, IsOk());
    return output ? *output : CommandOutput();
  }
  static std::vector<std::string> Doctor(const fs::path& config) {
    return {COMITY_PROGRAM, "doctor", "--config", config.string(), "--json"};
  }
  static CommandOutput Examine(const Site& site, const std::string& prepare) {
    std::vector<std::string> command;
    if (!prepare.empty()) {
      command = {"unshare", "--mount", "sh", "-c", prepare, "sh", site.folder.string()};
    }
    const auto doctor = Doctor(site.config());
    command.insert(command.end(), doctor.begin(), doctor.end());
    return Run(command);
  }
  struct Told {
    std::string level, what, words;
  };
  static std::vector<Told> Findings(const CommandOutput& output) {
    std::vector<Told> told;
    const auto json = nlohmann::json::parse(output.out, nullptr, false);
    if (json.is_discarded()) return told;
    for (const auto& finding : json["findings"]) {
      told.push_back({finding["level"], finding["what"], finding["words"]});
    }
    return told;
  }

  static std::unique_ptr<Neighbours> around_;
  std::unique_ptr<TemporaryDirectory> copy_;
};
std::unique_ptr<Neighbours> DoctorSetUps::around_;

TEST_F(DoctorSetUps, TheDoctorNamesTheCauseOfEachOfThem) {
  std::set<std::string> names;
  std::string left_out;  // what this machine does not let be prepared
  for (const BrokenSetUp& broken : BrokenSetUps()) {
    SCOPED_TRACE(broken.name);
    EXPECT_TRUE(names.insert(broken.name).second);
    const Site site = Copy();
    broken.breaks(site);
    const CommandOutput output = Examine(site, broken.prepare);
    if (output.exit_code == kCannotPrepare && !broken.prepare.empty()) {
      left_out += " " + broken.name;
      continue;
    }
    EXPECT_EQ(output.exit_code, broken.exit_code) << output.out << output.err;
    bool found = false;
    for (const Told& told : Findings(output)) {
      found = found || (told.level == broken.level && told.what == broken.what &&
                        told.words.find(broken.words) != std::string::npos);
    }
    EXPECT_TRUE(found) << output.out << output.err;
  }
  EXPECT_GE(names.size(), 25U);
  if (left_out.empty()) return;
  RecordProperty("not_tested", left_out);
  std::cerr << "[ NOT TESTED ] they need root and mounts:" << left_out << "\n";
}

TEST_F(DoctorSetUps, AHealthySetUpHasNothingWrong) {
  const Site site = Copy();
  const CommandOutput output = Examine(site, {});
  EXPECT_EQ(output.exit_code, 0) << output.out;
  for (const Told& told : Findings(output)) {
    EXPECT_NE(told.level, "WRONG") << told.what << ": " << told.words;
  }
  EXPECT_THAT(output.out, HasSubstr("is who was enrolled, and admits this gateway"));
  EXPECT_THAT(output.out, HasSubstr("every page is sound"));
  EXPECT_THAT(output.out, HasSubstr("signed by keys.log"));
}

TEST_F(DoctorSetUps, ItChangesNothingInTheDataFolder) {
  const Site site = Copy();
  const auto content = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(site.data())) {
      if (!entry.is_regular_file() || entry.path().extension() == ".db-shm") continue;
      const auto text = runtime::ReadTextFile(entry.path(), std::size_t{1} << 26);
      // An empty write-ahead log says nothing.
      if (text && !text->empty()) files[entry.path().string()] = *text;
    }
    return files;
  };
  const auto before = content();
  Examine(site, {});
  EXPECT_EQ(content(), before);
}

// A clock that is always wrong by the same.
class ShiftedClock final : public runtime::Clock {
 public:
  explicit ShiftedClock(std::chrono::seconds by) : by_(by) {}
  runtime::Instant Now() const override { return runtime::SystemClock().Now() + by_; }

 private:
  std::chrono::seconds by_;
};

// A gateway of an agency in this process, by a clock of its own.
class ShiftedGateway {
 public:
  ShiftedGateway(LiveAgency& agency, const LiveAgency& partner, std::chrono::seconds by)
      : clock_(by), logger_(runtime::MakeStreamLogger(runtime::LogLevel::kInfo, clock_, log_)) {
    agency.Start({&partner});  // seeds people and partners
    agency.Stop();
    config_ = std::make_unique<runtime::Config>(*runtime::LoadConfig(agency.config_file()));
    auto gateway = gateway::Gateway::Start(*config_, clock_, *logger_);
    EXPECT_THAT(gateway, IsOk());
    if (gateway) gateway_ = *std::move(gateway);
  }
  int agency_port() const { return gateway_->ports().agency; }

 private:
  std::ostringstream log_;
  ShiftedClock clock_;
  std::unique_ptr<runtime::Logger> logger_;
  std::unique_ptr<runtime::Config> config_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

// Two gateways that run, one of them with a wrong clock; the doctor asks the police's.
class DoctorClocks : public ::testing::Test {
 protected:
  void Start(std::chrono::seconds police, std::chrono::seconds council) {
    council_gateway_ = std::make_unique<ShiftedGateway>(council_, police_, council);
    police_gateway_ = std::make_unique<ShiftedGateway>(police_, council_, police);
  }
  CommandOutput Examine() {
    const fs::path profile = police_.pki().parent_path() / "operator.toml";
    const std::string text =
        "gateway = \"127.0.0.1:" + std::to_string(police_gateway_->agency_port()) +
        "\"\nspiffe_id = \"" + police_.spiffe_id() + "\"\nidentity = \"" +
        police_.person_identity().string() + "\"\nroots = \"" +
        (police_.pki() / "ca" / "ca.pem").string() + "\"\n";
    EXPECT_THAT(runtime::WriteFile(profile, AsBytes(text), 0600), IsOk());
    const auto output = RunCommand({COMITY_PROGRAM, "doctor", "--config",
                                    police_.config_file().string(), "--profile", profile.string()});
    EXPECT_THAT(output, IsOk());
    return output ? *output : CommandOutput();
  }

  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  std::unique_ptr<ShiftedGateway> council_gateway_, police_gateway_;
};

TEST_F(DoctorClocks, AClockThatIsMinutesAheadIsNamed) {
  Start(0s, 180s);
  const CommandOutput output = Examine();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, HasSubstr("running gateway: eastvale-council does not answer it: its "
                                    "clock is 180 s ahead of this one"));
}

TEST_F(DoctorClocks, AClockThatIsMinutesBehindIsNamed) {
  Start(240s, 0s);
  EXPECT_THAT(Examine().out, HasSubstr("its clock is 240 s behind this one"));
}

TEST_F(DoctorClocks, AClockThatIsSecondsOffIsAWarning) {
  Start(0s, 20s);
  const CommandOutput output = Examine();
  EXPECT_EQ(output.exit_code, 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("WARN   clock of eastvale-council: differs from this one by"));
}

TEST_F(DoctorClocks, ARunningGatewayWithAGoodClockIsFine) {
  Start(0s, 0s);
  const CommandOutput output = Examine();
  EXPECT_EQ(output.exit_code, 0) << output.out;
  EXPECT_THAT(output.out, HasSubstr("ok     clock of eastvale-council"));
  EXPECT_THAT(output.out, HasSubstr("ok     listen.federation: "));
  EXPECT_THAT(output.out, HasSubstr(" is served; this gateway runs"));
}

}  // namespace
}  // namespace comity::testing
