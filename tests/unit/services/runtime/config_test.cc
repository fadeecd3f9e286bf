// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
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

[[peer]]
agency = "eastvale-council"
address = "gateway.eastvale.example:7443"
spiffe_id = "spiffe://eastvale-council.example/gateway"
trust_anchor = "peers/eastvale/ca.pem"
crl = "peers/eastvale/ca.crl"
signing_key_file = "peers/eastvale/signing.pub"

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
}

TEST(Config, ReadsPeers) {
  const auto config = Parse(kFull);
  ASSERT_TRUE(config);
  ASSERT_THAT(config->peers, SizeIs(1));
  const PeerConfig& peer = config->peers[0];
  EXPECT_EQ(peer.agency, "eastvale-council");
  EXPECT_EQ(peer.address, (Endpoint{"gateway.eastvale.example", 7443}));
  EXPECT_EQ(peer.spiffe_id, "spiffe://eastvale-council.example/gateway");
  EXPECT_EQ(peer.trust_anchor, "/etc/comity/peers/eastvale/ca.pem");
  EXPECT_EQ(peer.crl, "/etc/comity/peers/eastvale/ca.crl");
  EXPECT_EQ(peer.signing_key_file, "/etc/comity/peers/eastvale/signing.pub");
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
  EXPECT_THAT(config->peers, IsEmpty());
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
    {"unknown_table", "[log]", "[logs]", 41, "did you mean `log`?"},
    {"unknown_key", "address =", "adress =\"h:1\"\naddress =", 24, "did you mean `address`?"},
    {"unknown_limit", "max_streams = 7", "max_stream = 7", 31, "did you mean `max_streams`?"},
    {"missing_key", "id = \"northshire-police\"\n", "", 1, "`id` is missing from [agency]"},
    {"missing_peer_key", "address = \"gateway.eastvale.example:7443\"\n", "", 22,
     "`address` is missing from [[peer]]"},
    {"missing_key_file", "log = \"keys/log.key\"\n", "", 14, "`log` is missing from [keys]"},
    {"id_form", "\"northshire-police\"", "\"Northshire\"", 2, "`id` must have"},
    {"number_for_text", "\"Northshire Police\"", "5", 3, "must be text in quotes"},
    {"empty_name", "\"Northshire Police\"", "\"\"", 3, "1 to 128 octets"},
    {"control_character", "\"data\"", "\"da\\u0000ta\"", 7, "no control characters"},
    {"trust_domain", "\"northshire-police.example\"", "\"Northshire/x\"", 4, "trust domain"},
    {"listen_without_port", "\"0.0.0.0:17443\"", "\"0.0.0.0\"", 10, "host:port"},
    {"listen_port_range", "\"0.0.0.0:17443\"", "\"0.0.0.0:65536\"", 10, "0 to 65535"},
    {"same_address", "\"[::1]:17444\"", "\"0.0.0.0:17443\"", 9, "are the same"},
    {"peer_port_zero", "example:7443", "example:0", 24, "1 to 65535"},
    {"spiffe_scheme", "\"spiffe://e", "\"https://e", 25, "SPIFFE"},
    {"spiffe_without_path", "example/gateway", "example", 25, "SPIFFE"},
    {"spiffe_dots", "example/gateway", "example/../gateway", 25, "SPIFFE"},
    {"own_agency_as_peer", "agency = \"eastvale-council\"", "agency = \"northshire-police\"", 22,
     "the id of this agency"},
    {"limit_zero", "max_lists = 10", "max_lists = 0", 34, "from 1 to 1000"},
    {"limit_above_bound", "max_streams = 7", "max_streams = 1025", 31, "from 1 to 1024"},
    {"limit_negative", "max_deployments = 9", "max_deployments = -9", 33, "from 1 to 1024"},
    {"limit_as_fraction", "peer_deadline = 12", "peer_deadline = 1.5", 36, "whole number"},
    {"window_above_bound", "merge_window = 60", "merge_window = 3601", 39, "from 1 to 3600"},
    {"log_level", "\"warn\"", "\"verbose\"", 42, "debug, info, warn or error"},
    {"table_as_value", "[log]\nlevel = \"warn\"", "[logx]", 41, "unknown key"},
    {"peer_as_table", "[[peer]]", "[peer]", 22, "[[peer]]"},
};
INSTANTIATE_TEST_SUITE_P(Lines, ConfigBadLine, ::testing::ValuesIn(kBadLines),
                         [](const auto& bad) { return std::string(bad.param.name); });

TEST(Config, ListsAllFaultsInTheOrderOfLines) {
  std::string text = kLeast;
  text.replace(text.find("\"a\""), 3, "\"-\"");
  text += "unknown = 1\n[limits]\nmax_lists = -1\n[extra]\n";
  const auto config = Parse(text);
  ASSERT_FALSE(config);
  std::vector<std::uint32_t> lines;
  for (const ConfigIssue& issue : config.error()) lines.push_back(issue.line);
  EXPECT_THAT(lines, ElementsAre(2, 13, 15, 16));
}

TEST(Config, NamesEachMissingTable) {
  const auto config = Parse("");
  ASSERT_FALSE(config);
  ASSERT_THAT(config.error(), SizeIs(3));
  EXPECT_THAT(config.error()[0].message, HasSubstr("[agency]"));
  EXPECT_THAT(config.error()[1].message, HasSubstr("[data]"));
  EXPECT_THAT(config.error()[2].message, HasSubstr("[keys]"));
}

TEST(Config, RefusesTwoPeersOfTheSameIdentity) {
  const std::string full = kFull;
  const std::size_t from = full.find("[[peer]]");
  const auto config = Parse(full + full.substr(from, full.find("[limits]") - from));
  ASSERT_FALSE(config);
  ASSERT_THAT(config.error(), SizeIs(2));
  EXPECT_EQ(config.error()[0].line, 43U);
  EXPECT_THAT(config.error()[0].message, HasSubstr("two [[peer]] have the agency"));
  EXPECT_THAT(config.error()[1].message, HasSubstr("same spiffe_id"));
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
  Make("r", 0644);
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(ConfigFiles, ReportsEachMissingFileAndEachOpenKey) {
  Make("t", 0640);
  Make("s", 0400);
  Make("l", 0604);
  const auto faults = Check();
  ASSERT_THAT(faults, SizeIs(4));
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
