// SPDX-License-Identifier: Apache-2.0
// `comity audit compare` as a person runs it.
#include <gmock/gmock.h>

#include "tests/support/sample_log.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class AuditCompare : public ::testing::Test {
 protected:
  AuditCompare() {
    Write("holder", {"northshire-police", "eastvale-council"}, "search-hit", "permit");
    Write("requester", {"eastvale-council", "northshire-police"}, "alert-raised", "raised");
  }
  // Entries 0 receives the agreement, 1..9 are of `type`.
  void Write(const std::string& folder, const std::vector<std::string>& parties,
             const std::string& type, const std::string& code) {
    const SampleLog log = MakeSampleLog(10, [&](std::uint64_t i) {
      tlog::LogEntry entry = SampleEntry(i);
      entry.type = i == 0 ? "agreement-received" : type;
      entry.parties = parties;
      entry.decision->code = code;
      entry.messages = {{"probe", hash::Sha256(AsBytes("probe" + entry.exchange))},
                        {"answer", hash::Sha256(AsBytes("answer" + entry.exchange))}};
      entry.counts = {{"hits", 1}};
      return *tlog::EncodeEntry(entry);
    });
    fs::remove_all(Dir(folder));
    for (const auto& [path, content] : log.files) {
      WriteWhole(fs::path(Dir(folder)) / path, AsText(content));
    }
  }
  std::string Dir(const std::string& folder) const { return (root_.path() / folder).string(); }
  std::vector<std::string> Command() const {
    return {"audit", "compare", Dir("holder"), Dir("requester"), "--skew", "0"};
  }

  TemporaryDirectory root_;
};

TEST_F(AuditCompare, EndsWith0WhenTheLogsAgree) {
  const CommandOutput output = Comity(Command());
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("no difference"));
  EXPECT_THAT(output.err, HasSubstr("--partner-vkey"));
  const auto json = ComityJson(Command());
  EXPECT_EQ(json["agree"], true);
  EXPECT_EQ(json["alerts"], 9);
}

TEST_F(AuditCompare, EndsWith1AndNamesEachDifference) {
  Write("holder", {"northshire-police", "eastvale-council"}, "search-period", "permit");
  const CommandOutput output = Comity(Command());
  EXPECT_EQ(output.exit_code, 1) << output.err;
  EXPECT_THAT(output.out, HasSubstr("9 differences"));
  EXPECT_THAT(output.out, HasSubstr("alert-without-hit"));
  EXPECT_THAT(output.out, HasSubstr("x-4"));
}

TEST_F(AuditCompare, ComparesNothingThatIsNotVerified) {
  const fs::path file = fs::path(Dir("requester")) / "checkpoint";
  std::string text = ReadWhole(file);
  text[text.size() / 2] ^= 1;
  WriteWhole(file, text);
  const CommandOutput output = Comity(Command());
  EXPECT_NE(output.exit_code, 0);
  EXPECT_NE(output.exit_code, 1);  // that would be: they differ
  EXPECT_THAT(output.err, HasSubstr("is NOT verified"));
  EXPECT_THAT(output.out, Not(HasSubstr("no difference")));
}

}  // namespace
}  // namespace comity::testing
