// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "services/runtime/config_text.h"
#include "tests/support/temporary_directory.h"

namespace comity::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Line numbers below count from the line after R"(.
const char* const kFull = R"([agency]
id = "northshire-police"
name = "Northshire Police"
trust_domain = "northshire-police.example"

[data]
directory = "data"

[listen]
federation = "0.0.0.0:17443"
agency = "[::1]:17444"
web = "localhost:0"

[keys]
tls = "pki/gateway.pem"
roots = "/etc/comity/roots.pem"
crl = "pki/own.crl"
signing = "keys/../keys/signing.key"
log = "keys/log.key"
key_encryption = "keys/kek.key"

[peers]
crl_folder = "crls"
away_after = 45

[limits]
max_streams = 7
max_calls_per_peer = 8
max_deployments = 9
max_lists = 10
max_entries_per_list = 11
peer_deadline = 12

[alerts]
merge_window = 60

[log]
level = "warn"

[[administrator]]
id = "admin-1"
post = "First administrator"
certificate = "people/admin-1.crt"
signing_key_file = "people/admin-1.pub"

[[administrator]]
id = "admin-2"
post = "Second administrator"
certificate = "people/admin-2.crt"
signing_key_file = "people/admin-2.pub"
)";

const char* const kLeast = R"([agency]
id = "a"
name = "A"
trust_domain = "a.example"
[data]
directory = "data"
[keys]
tls = "t"
roots = "r"
signing = "s"
log = "l"
key_encryption = "k"
[[administrator]]
id = "p"
post = "P"
certificate = "pc"
signing_key_file = "pk"
[[administrator]]
id = "q"
post = "Q"
certificate = "qc"
signing_key_file = "qk"
)";

Configured<Config> Parse(const std::string& text) {
  return ParseConfig(text, "/etc/comity/c.toml");
}

// The full configuration with the first `from` replaced by `to`.
std::string With(const std::string& from, const std::string& to) {
  std::string text = kFull;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Config, ReadsEveryKey) {
  const auto config = Parse(kFull);
  ASSERT_TRUE(config) << Describe(config.error()[0], "c.toml");
  EXPECT_EQ(config->agency.id, "northshire-police");
  EXPECT_EQ(config->agency.name, "Northshire Police");
  EXPECT_EQ(config->agency.trust_domain, "northshire-police.example");
  EXPECT_EQ(config->listen.federation, (Endpoint{"0.0.0.0", 17443}));
  EXPECT_EQ(config->listen.agency, (Endpoint{"::1", 17444}));
  EXPECT_EQ(config->listen.web, (Endpoint{"localhost", 0}));
  EXPECT_EQ(config->limits.max_streams, 7U);
  EXPECT_EQ(config->limits.max_calls_per_peer, 8U);
  EXPECT_EQ(config->limits.max_deployments, 9U);
  EXPECT_EQ(config->limits.max_lists, 10U);
  EXPECT_EQ(config->limits.max_entries_per_list, 11U);
  EXPECT_EQ(config->limits.peer_deadline, std::chrono::seconds(12));
  EXPECT_EQ(config->alert_merge_window, std::chrono::seconds(60));
  ASSERT_THAT(config->administrators, SizeIs(2));
  EXPECT_EQ(config->administrators[0].id, "admin-1");
  EXPECT_EQ(config->administrators[1].id, "admin-2");
  EXPECT_EQ(config->administrators[1].post, "Second administrator");
  EXPECT_EQ(config->log_level, LogLevel::kWarn);
  EXPECT_EQ(config->text, kFull);
}

TEST(Config, ResolvesPathsAgainstTheFolderOfTheFile) {
  const auto config = Parse(kFull);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data_directory, "/etc/comity/data");
  EXPECT_EQ(config->keys.tls, "/etc/comity/pki/gateway.pem");
  EXPECT_EQ(config->keys.roots, "/etc/comity/roots.pem");
  EXPECT_EQ(config->keys.crl, "/etc/comity/pki/own.crl");
  EXPECT_EQ(config->keys.signing, "/etc/comity/keys/signing.key");
  EXPECT_EQ(config->keys.log, "/etc/comity/keys/log.key");
  EXPECT_EQ(config->keys.key_encryption, "/etc/comity/keys/kek.key");
  EXPECT_EQ(config->administrators[0].certificate, "/etc/comity/people/admin-1.crt");
  EXPECT_EQ(config->administrators[0].signing_key_file, "/etc/comity/people/admin-1.pub");
}

TEST(Config, TakesASecondLedgerOnlyOutsideTheData) {
  const auto with = [](const std::string& folder) {
    return Parse(
        With("directory = \"data\"", "directory = \"data\"\nerasure_ledger = \"" + folder + "\""));
  };
  EXPECT_EQ(Parse(kFull)->erasure_ledger, std::nullopt);
  EXPECT_EQ(with("/mnt/other/ledger")->erasure_ledger, "/mnt/other/ledger");
  EXPECT_EQ(with("data-ledger")->erasure_ledger, "/etc/comity/data-ledger");
  for (const char* within : {"data", "data/erasure", "data/../data/x"}) {
    const auto config = with(within);
    ASSERT_FALSE(config) << within;
    EXPECT_THAT(config.error().front().message, HasSubstr("must not lie within"));
  }
}

TEST(Config, NamesAPostgresqlDatabaseOrHasNone) {
  EXPECT_EQ(Parse(kFull)->store, std::nullopt);
  const auto with = [](const std::string& table) {
    return Parse(With("[listen]", "[store]\n" + table + "\n[listen]"));
  };
  const auto config =
      with("url = \"postgresql://comity_gateway@db/comity\"\npassword_file = \"keys/store\"");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->store->url, "postgresql://comity_gateway@db/comity");
  EXPECT_EQ(config->store->password_file, "/etc/comity/keys/store");
  EXPECT_EQ(with("url = \"postgresql:///comity\"")->store->password_file, std::nullopt);
  for (const char* other : {"mysql://db/comity", "db", "postgres://db/comity"}) {
    const auto bad = with("url = \"" + std::string(other) + "\"");
    ASSERT_FALSE(bad) << other;
    EXPECT_EQ(Describe(bad.error().front(), "c.toml"),
              "c.toml:10:7: `url` must begin with postgresql://");
  }
  EXPECT_FALSE(with("password_file = \"keys/store\""));
}

TEST(Config, ReadsWhatIsLocalAboutPartners) {
  const auto config = Parse(kFull);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->peers.crl_folder, "/etc/comity/crls");
  EXPECT_EQ(config->peers.away_after, std::chrono::seconds(45));
}

TEST(Config, DefaultsOnlyPortsLimitsAndTheLog) {
  const auto config = Parse(kLeast);
  ASSERT_TRUE(config) << Describe(config.error()[0], "c.toml");
  EXPECT_EQ(config->listen.federation.text(), "127.0.0.1:7443");
  EXPECT_EQ(config->listen.agency.text(), "127.0.0.1:7444");
  EXPECT_EQ(config->listen.web.text(), "127.0.0.1:7445");
  EXPECT_EQ(config->limits.max_entries_per_list, 100'000U);
  EXPECT_EQ(config->alert_merge_window, std::chrono::seconds(30));
  EXPECT_EQ(config->log_level, LogLevel::kInfo);
  EXPECT_FALSE(config->peers.crl_folder);
  EXPECT_EQ(config->peers.away_after, std::chrono::seconds(30));
  EXPECT_FALSE(config->keys.crl);
}

struct BadLine {
  const char* name;
  const char* from;
  const char* to;
  std::uint32_t line;
  const char* message;
};
void PrintTo(const BadLine& bad, std::ostream* out) {
  *out << bad.name;
}

class ConfigBadLine : public ::testing::TestWithParam<BadLine> {};

TEST_P(ConfigBadLine, IsReportedWithItsNumber) {
  const auto config = Parse(With(GetParam().from, GetParam().to));
  ASSERT_FALSE(config);
  ASSERT_THAT(config.error(), SizeIs(1));
  EXPECT_EQ(config.error()[0].line, GetParam().line);
  EXPECT_GT(config.error()[0].column, 0U);
  EXPECT_THAT(config.error()[0].message, HasSubstr(GetParam().message));
}

const BadLine kBadLines[] = {
    {"syntax", "directory = \"data\"", "directory = ", 7, ""},
    {"duplicate_key", "name = \"Northshire Police\"", "id = \"x\"", 3, "id"},
    {"unknown_table", "[log]", "[logs]", 37, "did you mean `log`?"},
    {"unknown_key", "away_after =", "away_aftr =", 24, "did you mean `away_after`?"},
    {"away_after_range", "away_after = 45", "away_after = 2", 24, "from 3 to 3600"},
    {"peers_as_tables", "[peers]", "[[peer]]", 22, "unknown key `peer`"},
    {"unknown_limit", "max_streams = 7", "max_stream = 7", 27, "did you mean `max_streams`?"},
    {"missing_key", "id = \"northshire-police\"\n", "", 1, "`id` is missing from [agency]"},
    {"missing_key_file", "log = \"keys/log.key\"\n", "", 14, "`log` is missing from [keys]"},
    {"id_form", "\"northshire-police\"", "\"Northshire\"", 2, "`id` must have"},
    {"number_for_text", "\"Northshire Police\"", "5", 3, "must be text in quotes"},
    {"empty_name", "\"Northshire Police\"", "\"\"", 3, "1 to 128 octets"},
    {"control_character", "\"data\"", "\"da\\u0000ta\"", 7, "no control characters"},
    {"trust_domain", "\"northshire-police.example\"", "\"Northshire/x\"", 4, "trust domain"},
    {"listen_without_port", "\"0.0.0.0:17443\"", "\"0.0.0.0\"", 10, "host:port"},
    {"listen_port_range", "\"0.0.0.0:17443\"", "\"0.0.0.0:65536\"", 10, "0 to 65535"},
    {"same_address", "\"[::1]:17444\"", "\"0.0.0.0:17443\"", 9, "are the same"},
    {"limit_zero", "max_lists = 10", "max_lists = 0", 30, "from 1 to 1000"},
    {"limit_above_bound", "max_streams = 7", "max_streams = 1025", 27, "from 1 to 1024"},
    {"limit_negative", "max_deployments = 9", "max_deployments = -9", 29, "from 1 to 1024"},
    {"limit_as_fraction", "peer_deadline = 12", "peer_deadline = 1.5", 32, "whole number"},
    {"window_above_bound", "merge_window = 60", "merge_window = 3601", 35, "from 1 to 3600"},
    {"log_level", "\"warn\"", "\"verbose\"", 38, "debug, info, warn or error"},
    {"table_as_value", "[log]\nlevel = \"warn\"", "[logx]", 37, "unknown key"},
    {"administrator_id", "id = \"admin-1\"", "id = \"Admin\"", 41, "`id` must have"},
    {"administrator_twice", "id = \"admin-2\"", "id = \"admin-1\"", 46, "the same id"},
    {"administrator_without_key", "signing_key_file = \"people/admin-2.pub\"\n", "", 46,
     "`signing_key_file` is missing from [[administrator]]"},
};
INSTANTIATE_TEST_SUITE_P(Lines, ConfigBadLine, ::testing::ValuesIn(kBadLines),
                         [](const auto& bad) { return std::string(bad.param.name); });

// In a table [sealed] behind everything else; its first line has the number `*line`.
std::string WithSealed(const std::string& lines, std::uint32_t* line = nullptr) {
  const std::string full = std::string(kFull) + "\n[sealed]\n";
  if (line != nullptr) {
    *line = 1 + static_cast<std::uint32_t>(std::ranges::count(full, '\n'));
  }
  return full + lines + "\n";
}

TEST(Config, AnswersToSealedProbesLeaveAfterAQuarterOfASecondUnlessItSaysOtherwise) {
  EXPECT_EQ(Parse(kLeast)->sealed_answer_after, std::chrono::milliseconds(250));
  EXPECT_EQ(Parse(WithSealed(""))->sealed_answer_after, std::chrono::milliseconds(250));
  for (const int length : {0, 1, 2000}) {
    const auto config = Parse(WithSealed("answer_after = " + std::to_string(length)));
    ASSERT_TRUE(config);
    EXPECT_EQ(config->sealed_answer_after, std::chrono::milliseconds(length));
  }
}

TEST(Config, ADelayOfSealedAnswersThatCannotBeIsReportedWithItsPlace) {
  const std::pair<const char*, const char*> wrong[] = {
      {"answer_after = -1", "`answer_after` of [sealed] must be a whole number from 0 to 2000"},
      {"answer_after = 2001", "from 0 to 2000"},
      {"answer_after = 0.5", "whole number"},
      {"answer_after = \"250\"", "whole number"},
      {"answer_afer = 250", "did you mean `answer_after`?"},
  };
  for (const auto& [text, message] : wrong) {
    std::uint32_t line = 0;
    const auto config = Parse(WithSealed(text, &line));
    ASSERT_FALSE(config) << text;
    ASSERT_THAT(config.error(), SizeIs(1)) << text;
    EXPECT_EQ(config.error()[0].line, line) << text;
    EXPECT_THAT(config.error()[0].message, HasSubstr(message));
  }
}

TEST(Config, ListsAllFaultsInTheOrderOfLines) {
  std::string text = kLeast;
  text.replace(text.find("\"a\""), 3, "\"-\"");
  text += "unknown = 1\n[limits]\nmax_lists = -1\n[extra]\n";
  const auto config = Parse(text);
  ASSERT_FALSE(config);
  std::vector<std::uint32_t> lines;
  for (const ConfigIssue& issue : config.error()) lines.push_back(issue.line);
  EXPECT_THAT(lines, ElementsAre(2, 23, 25, 26));
}

TEST(Config, NamesEachMissingTable) {
  const auto config = Parse("");
  ASSERT_FALSE(config);
  ASSERT_THAT(config.error(), SizeIs(4));
  EXPECT_THAT(config.error()[0].message, HasSubstr("[[administrator]]"));
  EXPECT_THAT(config.error()[1].message, HasSubstr("[agency]"));
  EXPECT_THAT(config.error()[2].message, HasSubstr("[data]"));
  EXPECT_THAT(config.error()[3].message, HasSubstr("[keys]"));
}

TEST(Config, NeedsExactlyTwoAdministrators) {
  const std::string full = kFull;
  const std::size_t from = full.find("[[administrator]]");
  const std::size_t second = full.find("[[administrator]]", from + 1);
  const auto one = Parse(full.substr(0, second));
  ASSERT_FALSE(one);
  EXPECT_THAT(one.error()[0].message, HasSubstr("exactly two [[administrator]] are needed"));
  const auto three = Parse(full + With("admin-2", "admin-3").substr(second));
  ASSERT_FALSE(three);
  ASSERT_THAT(three.error(), SizeIs(1));
  EXPECT_EQ(three.error()[0].line, 51U);
  EXPECT_THAT(three.error()[0].message, HasSubstr("exactly two [[administrator]]"));
}

TEST(Config, CutsAndEscapesAnUnknownKey) {
  const auto config =
      Parse(std::string(kLeast) + "\"\\u001b" + std::string(5000, 'k') + "\" = 1\n");
  ASSERT_FALSE(config);
  EXPECT_LT(config.error()[0].message.size(), 250U);
  EXPECT_THAT(config.error()[0].message, HasSubstr("\\u001bkkk"));
}

TEST(Config, RefusesAFileAboveOneMebibyte) {
  const auto config = Parse(std::string(kMaxConfigBytes + 1, ' '));
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error()[0].message, HasSubstr("1048576"));
}

TEST(Config, RefusesIllFormedUtf8) {
  EXPECT_FALSE(Parse("name = \"\xFF\"\n"));
}

TEST(Config, DescribesAnIssueWithItsPlace) {
  EXPECT_EQ(Describe({12, 3, "wrong"}, "c.toml"), "c.toml:12:3: wrong");
  EXPECT_EQ(Describe({0, 0, "no such file"}, "c.toml"), "c.toml: no such file");
}

TEST(Config, SaysWhichFileIsNotThere) {
  const auto config = LoadConfig("/nonexistent/comityd.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error()[0].message, HasSubstr("/nonexistent/comityd.toml"));
}

class ConfigFiles : public ::testing::Test {
 protected:
  void Make(const std::string& name, mode_t mode) {
    std::ofstream(directory_.path() / name) << "x";
    EXPECT_EQ(::chmod((directory_.path() / name).c_str(), mode), 0);
  }
  std::vector<std::string> Check() {
    return CheckConfigFiles(ParseConfig(kLeast, directory_.path() / "c.toml").value());
  }
  const testing::TemporaryDirectory directory_;
};

TEST_F(ConfigFiles, AreAllRightWithPrivateKeysAndPublicCertificates) {
  for (const char* name : {"t", "s", "l", "k"}) Make(name, 0600);
  for (const char* name : {"r", "pc", "pk", "qc", "qk"}) Make(name, 0644);
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(ConfigFiles, ReportsEachMissingFileAndEachOpenKey) {
  Make("t", 0640);
  Make("s", 0400);
  Make("l", 0604);
  for (const char* name : {"pc", "pk", "qk"}) Make(name, 0644);
  const auto faults = Check();
  ASSERT_THAT(faults, SizeIs(5));
  EXPECT_THAT(faults[4], HasSubstr("administrator q certificate: there is no file"));
  EXPECT_THAT(faults[0], HasSubstr("keys.tls"));
  EXPECT_THAT(faults[0], HasSubstr("chmod 600"));
  EXPECT_THAT(faults[1], HasSubstr("keys.roots: there is no file"));
  EXPECT_THAT(faults[2], HasSubstr("keys.log"));
  EXPECT_THAT(faults[3], HasSubstr("keys.key_encryption"));
}

TEST(ConfigText, KnowsEndpoints) {
  EXPECT_EQ(ParseEndpoint("a.b-c:1")->text(), "a.b-c:1");
  EXPECT_EQ(ParseEndpoint("[2001:db8::1]:443")->text(), "[2001:db8::1]:443");
  for (const char* bad :
       {"", ":", "a", "a:", ":1", "a:-1", "a:+1", "a:1x", "a: 1", "a b:1", "::1:443", "[]:1",
        "[x]:1", "a/b:1", "http://a:1", "a:65536", "a:999999"}) {
    EXPECT_FALSE(ParseEndpoint(bad)) << bad;
  }
}

TEST(ConfigText, KnowsAgencyIds) {
  EXPECT_TRUE(IsAgencyId("a"));
  EXPECT_TRUE(IsAgencyId("north-1"));
  EXPECT_TRUE(IsAgencyId(std::string(64, 'a')));
  for (const std::string& bad : {std::string(), std::string("1a"), std::string("a-"),
                                 std::string("A"), std::string("a_b"), std::string(65, 'a')}) {
    EXPECT_FALSE(IsAgencyId(bad)) << bad;
  }
}

}  // namespace
}  // namespace comity::runtime
