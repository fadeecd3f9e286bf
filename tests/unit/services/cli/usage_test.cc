// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <sstream>

#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

class EveryCommand : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryCommand, ExplainsItselfWithUsageOptionsAndExitCodes) {
  std::vector<std::string> arguments = Words(GetParam());
  arguments.push_back("--help");
  const CommandOutput help = Comity(arguments);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  EXPECT_THAT(help.out, HasSubstr("Usage: comity " + std::string(GetParam())));
  EXPECT_THAT(help.out, HasSubstr("Options:"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes:\n  0  "));
  EXPECT_THAT(help.out, HasSubstr("  2  "));
  EXPECT_THAT(help.out, HasSubstr("Example:\n  comity " + std::string(GetParam())));
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

INSTANTIATE_TEST_SUITE_P(
    All, EveryCommand,
    ::testing::Values("pki init", "pki issue", "pki revoke", "pki renew-crl", "pki card",
                      "pki install-card", "pki config", "agreement check", "agreement show",
                      "agreement sign", "agreement advise", "agreement suspend", "agreement resume",
                      "agreement terminate", "agreement submit", "agreement export",
                      "agreement status", "watchlist import", "watchlist status",
                      "watchlist withdraw", "deployment create", "deployment list",
                      "deployment stop", "alert list", "alert watch", "alert ack", "audit export",
                      "audit verify", "audit prove", "audit verify-proof", "status", "doctor",
                      "version"),
    [](const auto& instance) {
      std::string name = instance.param;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
      return name;
    });

TEST(Usage, NamesAMisspeltCommand) {
  const CommandOutput output = Comity({"agreement", "chekc"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_EQ(output.err,
            "comity: unknown: 'chekc' (comity agreement): see 'comity agreement --help'\n");
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

}  // namespace
}  // namespace comity::testing
