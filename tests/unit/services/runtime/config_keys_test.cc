// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config_keys.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "services/runtime/config.h"

namespace comity::runtime {
namespace {

using ::testing::HasSubstr;

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

bool IsNumber(const ConfigKey& key) {
  return key.type == KeyType::kNumber || key.type == KeyType::kSeconds ||
         key.type == KeyType::kMilliseconds;
}

// What the key may hold that is not its default.
std::string SampleOf(const ConfigKey& key) {
  if (IsNumber(key)) return std::to_string(key.least);
  if (key.type == KeyType::kAddress) {
    return Quoted("127.0.0.1:" + std::to_string(1000 + key.meaning.size()));
  }
  if (key.key == "level") return Quoted("warn");
  if (key.key.ends_with("url")) return Quoted("postgresql://role@/database");
  return Quoted(key.key == "erasure_ledger" ? "elsewhere" : "sample");
}

// A configuration with the value of each key that `value_of` has one for; empty: it is left out.
template <typename ValueOf>
std::string ConfigurationOf(ValueOf value_of) {
  std::ostringstream text;
  for (const ConfigTable& table : ConfigTables()) {
    const int times = table.name == "administrator" ? 2 : 1;
    for (int i = 0; i < times; ++i) {
      text << (times == 2 ? "[[" : "[") << table.name << (times == 2 ? "]]" : "]") << "\n";
      for (const ConfigKey& key : ConfigKeys()) {
        std::string value = key.table == table.name ? value_of(key) : std::string();
        if (value.empty()) continue;
        if (times == 2 && key.key == "id") value = Quoted("admin-" + std::to_string(i + 1));
        text << key.key << " = " << value << "\n";
      }
    }
  }
  return text.str();
}

std::string RequiredOnly(const ConfigKey& key) {
  return key.fallback == "required" ? SampleOf(key) : std::string();
}

std::string Faults(const Configured<Config>& config) {
  std::string all;
  if (!config) {
    for (const ConfigIssue& issue : config.error()) all += Describe(issue, "comityd.toml") + "\n";
  }
  return all;
}

TEST(ConfigKeys, EachIsKnownToTheReader) {
  EXPECT_EQ(Faults(ParseConfig(ConfigurationOf(SampleOf), "/etc/comityd.toml")), "");
}

TEST(ConfigKeys, WhatTheReaderKnowsIsAmongThem) {
  // Its own suggestions name what it knows: for each key here misspelt it must be that key.
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string wrong = std::string(key.key) + "x";
    std::string text = ConfigurationOf(SampleOf);
    const std::string line = "\n" + std::string(key.key) + " = ";
    const std::size_t table = text.find("[" + std::string(key.table) + "]");
    text.insert(text.find(line, table) + 1 + key.key.size(), "x");
    EXPECT_THAT(Faults(ParseConfig(text, "c")), HasSubstr("unknown key `" + wrong + "` in ["))
        << key.table;
    EXPECT_THAT(Faults(ParseConfig(text, "c")),
                HasSubstr("did you mean `" + std::string(key.key) + "`?"));
  }
}

TEST(ConfigKeys, ThoseThatAreRequiredAreAllThatIsNeeded) {
  EXPECT_EQ(Faults(ParseConfig(ConfigurationOf(RequiredOnly), "c")), "");
  for (const ConfigKey& left_out : ConfigKeys()) {
    if (left_out.fallback != "required") continue;
    const std::string text = ConfigurationOf([&](const ConfigKey& key) {
      return &key == &left_out ? std::string() : RequiredOnly(key);
    });
    EXPECT_THAT(Faults(ParseConfig(text, "c")),
                HasSubstr("`" + std::string(left_out.key) + "` is missing from"));
  }
}

TEST(ConfigKeys, TheirDefaultsAreThoseThatCountWithoutThem) {
  const auto without = ParseConfig(ConfigurationOf(RequiredOnly), "c");
  const auto with = ParseConfig(ConfigurationOf([](const ConfigKey& key) {
                                  if (key.fallback == "required") return SampleOf(key);
                                  if (key.fallback == "none") return std::string();
                                  const std::string fallback(key.fallback);
                                  return IsNumber(key) ? fallback : Quoted(fallback);
                                }),
                                "c");
  ASSERT_TRUE(without.has_value());
  ASSERT_TRUE(with.has_value()) << Faults(with);
  EXPECT_EQ(with->listen.federation, without->listen.federation);
  EXPECT_EQ(with->listen.agency, without->listen.agency);
  EXPECT_EQ(with->listen.web, without->listen.web);
  EXPECT_EQ(with->peers.away_after, without->peers.away_after);
  EXPECT_EQ(with->limits.max_streams, without->limits.max_streams);
  EXPECT_EQ(with->limits.max_calls_per_peer, without->limits.max_calls_per_peer);
  EXPECT_EQ(with->limits.max_deployments, without->limits.max_deployments);
  EXPECT_EQ(with->limits.max_lists, without->limits.max_lists);
  EXPECT_EQ(with->limits.max_entries_per_list, without->limits.max_entries_per_list);
  EXPECT_EQ(with->limits.peer_deadline, without->limits.peer_deadline);
  EXPECT_EQ(with->alert_merge_window, without->alert_merge_window);
  EXPECT_EQ(with->sealed_answer_after, without->sealed_answer_after);
  EXPECT_EQ(with->log_level, without->log_level);
}

TEST(ConfigKeys, NumbersAreReadWithinTheirBoundsAndNotBeyond) {
  for (const ConfigKey& bounded : ConfigKeys()) {
    if (!IsNumber(bounded)) continue;
    const auto faults_at = [&](std::int64_t value) {
      return Faults(ParseConfig(ConfigurationOf([&](const ConfigKey& key) {
                                  return &key == &bounded ? std::to_string(value)
                                                          : RequiredOnly(key);
                                }),
                                "c"));
    };
    EXPECT_EQ(faults_at(bounded.least), "");
    EXPECT_EQ(faults_at(bounded.most), "");
    EXPECT_THAT(faults_at(bounded.least - 1), HasSubstr(std::string(bounded.key)));
    EXPECT_THAT(faults_at(bounded.most + 1), HasSubstr(std::string(bounded.key)));
  }
}

TEST(ConfigKeys, TextsAreReadUpToTheirSizeAndNotBeyond) {
  for (const ConfigKey& bounded : ConfigKeys()) {
    const bool is_path = bounded.type == KeyType::kPath || bounded.type == KeyType::kPrivatePath;
    if ((bounded.type != KeyType::kText && !is_path) || bounded.key == "level") continue;
    const auto faults_of = [&](std::int64_t size) {
      std::string text(bounded.key.ends_with("url") ? "postgresql://" : "");
      text.resize(static_cast<std::size_t>(size), 'a');
      return Faults(ParseConfig(ConfigurationOf([&](const ConfigKey& key) {
                                  return &key == &bounded ? Quoted(text) : RequiredOnly(key);
                                }),
                                "c"));
    };
    if (bounded.table == "administrator" && bounded.key == "id") continue;  // two, made by the test
    EXPECT_EQ(faults_of(bounded.most), "") << bounded.key;
    EXPECT_THAT(faults_of(bounded.most + 1), HasSubstr(std::string(bounded.key)));
  }
}

TEST(ConfigKeys, TheReferenceIsWhatTheCodeSays) {
  std::ifstream file(COMITY_CONFIG_REFERENCE);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, ConfigReferenceMarkdown())
      << "comityd --help-config markdown > docs/operations/configuration.md";
}

TEST(ConfigKeys, TheTextFitsATerminalAndHasEveryKey) {
  std::istringstream text(ConfigReferenceText());
  std::set<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    EXPECT_LE(line.size(), 79U) << line;
    lines.insert(line);
  }
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(lines.contains("  " + std::string(key.key))) << key.key;
  }
}

}  // namespace
}  // namespace comity::runtime
