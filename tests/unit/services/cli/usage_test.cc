// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>

#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

class EveryCommand : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryCommand, ExplainsItselfWithUsageOptionsAndExitCodes) {
  std::vector<std::string> arguments = Words(GetParam());
  arguments.push_back("--help");
  const CommandOutput help = Comity(arguments);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  EXPECT_THAT(help.out, HasSubstr("Usage: comity " + GetParam()));
  EXPECT_THAT(help.out, HasSubstr("Options:"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes:\n  0  "));
  EXPECT_THAT(help.out, HasSubstr("  2  "));
  const std::size_t example = help.out.find("Example:\n  comity ");
  ASSERT_NE(example, std::string::npos);
  EXPECT_THAT(help.out.substr(example), HasSubstr("  comity " + GetParam()));
}

TEST_P(EveryCommand, EndsWithTwoForAnUnknownOption) {
  std::vector<std::string> arguments = Words(GetParam());
  arguments.push_back("--no-such-option");
  const CommandOutput output = Comity(arguments);
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.err, ::testing::StartsWith("comity: "));
  EXPECT_THAT(output.err, HasSubstr("--help"));
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(", "), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return parts;
}

const std::vector<std::string> kCommands = Split(
    "pki init, pki issue, pki rotate-key, pki revoke, pki renew-crl, pki config, "
    "agreement check, agreement show, agreement diff, agreement test, "
    "agreement explain, agreement sign, agreement advise, agreement suspend, "
    "agreement resume, agreement terminate, agreement reject, agreement review, "
    "agreement submit, agreement export, agreement list, agreement status, "
    "agreement receipts, watchlist draft, watchlist copy, watchlist submit, "
    "watchlist approve-entries, watchlist add, watchlist status, watchlist show, "
    "watchlist entry, watchlist withdraw, watchlist correct, watchlist restrict, "
    "watchlist unrestrict, watchlist close, watchlist shred, watchlist audit, watchlist manifest, "
    "watchlist was-on, watchlist holders, deployment propose, deployment change, deployment list, "
    "deployment show, deployment stop, stop set, stop list, stop lift, alert list, "
    "alert watch, alert ack, alert open, search identify, search offers, audit export, "
    "audit verify, audit compare, audit prove, audit verify-proof, audit opening, "
    "audit request-opening, audit open, audit verify-opened, status, "
    "node acknowledge-configuration, version, person list, person add, "
    "person role, person revoke, peer invite, peer accept, peer rekey, peer list, "
    "peer suspend, peer resume, peer remove, certificate revoke, certificate list, "
    "certificate reinstate, approvals list, approvals show, "
    "approvals approve, approvals reject, approvals urgent, approvals review, "
    "notice list, notice watch, notice ack, retention due, retention report, "
    "retention holds, retention run, retention hold, retention release, backup, "
    "restore, restoration status, restoration confirm, doctor, bench sealed, engine replay");

INSTANTIATE_TEST_SUITE_P(All, EveryCommand, ::testing::ValuesIn(kCommands),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           for (char& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

// The commands of a group, or the groups and commands of the whole program.
std::vector<std::string> Listed(std::vector<std::string> group) {
  group.push_back("--help");
  std::istringstream help(Comity(std::move(group)).out);
  std::vector<std::string> names;
  bool listing = false;
  for (std::string line; std::getline(help, line);) {
    listing = line == "Subcommands:" || (listing && !line.empty());
    if (listing && line.size() > 2 && line[2] != ' ' && line.starts_with("  ")) {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

TEST(Usage, EveryCommandIsTriedAbove) {
  std::set<std::string> commands;
  for (const std::string& group : Listed({})) {
    const auto members = Listed({group});
    if (members.empty()) commands.insert(group);
    for (const std::string& member : members) commands.insert(group + " " + member);
  }
  EXPECT_EQ(commands, std::set<std::string>(kCommands.begin(), kCommands.end()));
}

TEST(Usage, NamesAMisspeltCommand) {
  const CommandOutput output = Comity({"agreement", "chekc"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_EQ(output.err,
            "comity: unknown: 'chekc'; did you mean 'check'? (comity agreement): see 'comity "
            "agreement --help'\n");
}

TEST(Usage, EndsWithTwoWithoutAProfile) {
  const CommandOutput output = Comity({"status"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("--profile FILE or set COMITY_PROFILE"));
}

TEST(Usage, RefusesNumbersOutsideTheirRange) {
  EXPECT_EQ(Comity({"pki", "issue", "--dir", "x", "--gateway", "--days", "826"}).exit_code, 2);
  EXPECT_EQ(Comity({"alert", "list", "--limit", "0"}).exit_code, 2);
  EXPECT_EQ(Comity({"audit", "prove", "--index", "-1"}).exit_code, 2);
}

TEST(Usage, PrintsItsVersion) {
  const CommandOutput output = Comity({"version"});
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_THAT(output.out, ::testing::MatchesRegex("comity [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Usage, HelpIsACommandToo) {
  EXPECT_EQ(Comity({"help"}).out, Comity({"--help"}).out);
  EXPECT_EQ(Comity({"help", "pki", "init"}).out, Comity({"pki", "init", "--help"}).out);
  EXPECT_EQ(Comity({"help", "nonsense"}).exit_code, 2);
}

TEST(Usage, TheVersionIsAnOptionToo) {
  EXPECT_EQ(Comity({"--version"}).exit_code, 0);
  EXPECT_EQ(Comity({"--version"}).out, Comity({"version"}).out);
}

TEST(Usage, AMisspeltCommandOrOptionIsToldTheNearestOne) {
  EXPECT_THAT(Comity({"statsu"}).err, HasSubstr("did you mean 'status'?"));
  EXPECT_THAT(Comity({"pki", "isue"}).err, HasSubstr("did you mean 'issue'?"));
  EXPECT_THAT(Comity({"doctor", "--confg", "x"}).err, HasSubstr("did you mean '--config'?"));
  EXPECT_THAT(Comity({"xyzzyplugh"}).err, ::testing::Not(HasSubstr("did you mean")));
}

}  // namespace
}  // namespace comity::testing
