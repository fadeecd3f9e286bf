// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "services/cli/opening_file.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"
#include "tests/unit/services/cli/opening_world.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class AuditOpening : public ::testing::Test {
 protected:
  AuditOpening() {
    world_.LogLists();
    blinded_ = world_.Search("x-1/7");
    world_.LogHit("x-1/7", blinded_);
    WriteAll();
  }
  void WriteAll() {
    fs::remove_all(log_);
    const SampleLog log = world_.Log();
    for (const auto& [path, content] : log.files) WriteWhole(log_ / path, AsText(content));
    WriteWhole(vkey_, log.vkeys);
    WriteWhole(file_, cli::EncodeOpening(world_.opening));
  }
  std::vector<std::string> Command() const {
    return {"audit", "opening", file_.string(), "--log", log_.string(), "--vkey", vkey_.string()};
  }

  TemporaryDirectory root_;
  const fs::path log_ = root_.path() / "export";
  const fs::path vkey_ = root_.path() / "holder.vkey";
  const fs::path file_ = root_.path() / "opening.json";
  OpeningWorld world_;
  std::map<std::string, Digest> blinded_;
};

TEST_F(AuditOpening, EndsWithZeroWhenEveryFrameIsVerifiedAndShowsNoFace) {
  const CommandOutput output = Comity(Command());
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("x-1/7     verified"));
  EXPECT_EQ(output.err, "");
  const auto json = ComityJson(Command());
  EXPECT_EQ(json["verified"], true);
  EXPECT_EQ(json["holder"], "landespolizei-nord");
  EXPECT_EQ(json["frames"][0]["finding"], "verified");
  const std::string face = EncodeBase64(AsBytes(world_.opening.frames(0).probe()));
  EXPECT_THAT(ReadWhole(file_), HasSubstr(face));
  EXPECT_THAT(output.out + json.dump(), Not(HasSubstr(face)));
}

TEST_F(AuditOpening, EndsWithOneWhenAFrameDiffersOrIsNotInTheLog) {
  auto crafted = world_.Search("x-1/8");
  crafted["blinded-0"] = blinded_["blinded-0"];
  world_.LogHit("x-1/8", crafted);
  world_.Search("x-1/9");
  WriteAll();
  const CommandOutput output = Comity(Command());
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, HasSubstr("x-1/8     differs"));
  EXPECT_THAT(output.out, HasSubstr("x-1/9     not-in-log"));
  const auto json = ComityJson(Command());
  EXPECT_EQ(json["verified"], false);
  EXPECT_EQ(json["frames"][0]["finding"], "verified");
  EXPECT_EQ(json["frames"][1]["finding"], "differs");
  EXPECT_EQ(json["frames"][2]["finding"], "not-in-log");
}

TEST_F(AuditOpening, SaysNothingOfAnOpeningWhenTheLogIsNotVerified) {
  Replace(log_ / "tile/entries/001.p/47", "search-hit", "search-hat");
  const CommandOutput output = Comity(Command());
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.err, HasSubstr("is NOT verified, so nothing is said"));
  EXPECT_EQ(ComityJson(Command())["verified"], false);
}

TEST_F(AuditOpening, EndsWithTwoWithoutAFileOfTheRightForm) {
  Replace(file_, "comity-opening/1", "comity-opening/9");
  const CommandOutput output = Comity(Command());
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("no opening of a sealed search"));
  fs::remove(file_);
  EXPECT_EQ(Comity(Command()).exit_code, 2);
}

// Whoever makes a log makes a key that it verifies by.
TEST_F(AuditOpening, TakesNoLogOnItsOwnKey) {
  const CommandOutput output = Comity({"audit", "opening", file_.string(), "--log", log_.string()});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("--vkey"));
  EXPECT_EQ(output.out, "");
}

TEST_F(AuditOpening, EndsWithOneWhenAnExchangeThatWasAskedForIsMissing) {
  world_.LogHit("x-1/9", world_.Search("x-1/9"));
  WriteAll();
  auto command = Command();
  command.insert(command.end(), {"--exchange", "x-1/7", "--exchange", "x-1/9"});
  EXPECT_EQ(Comity(command).exit_code, 0);
  EXPECT_EQ(ComityJson(command)["missing"].size(), 0U);
  command.insert(command.end(), {"--exchange", "x-1/8"});
  const CommandOutput output = Comity(command);
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, HasSubstr("x-1/8     missing"));
  const auto json = ComityJson(command);
  EXPECT_EQ(json["verified"], false);
  EXPECT_EQ(json["missing"][0], "x-1/8");
}

TEST_F(AuditOpening, HelpSaysWhatADifferenceMeansAndWarnsOfTheFaces) {
  const std::string verify = Comity({"audit", "opening", "--help"}).out;
  EXPECT_THAT(verify, HasSubstr("evidence against the"));
  EXPECT_THAT(verify, HasSubstr("sample exchanges from the search-hit entries"));
  const std::string help = Comity({"alert", "open", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("WARNING"));
  EXPECT_THAT(help, HasSubstr("0600"));
}

// Before any gateway is asked: nothing is opened that could not be kept.
TEST_F(AuditOpening, AlertOpenOverwritesNothing) {
  const CommandOutput output =
      Comity({"alert", "open", "a-1", "--reason", "why", "--out", file_.string()});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("exists already"));
}

}  // namespace
}  // namespace comity::testing
