// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <tuple>

#include "services/runtime/config_keys.h"
#include "services/runtime/config_reader.h"
#include "services/runtime/config_text.h"
#include "services/runtime/file.h"

namespace comity::runtime {
namespace {

constexpr std::size_t kMaxText = 2048;
constexpr std::size_t kAdministrators = 2;

constexpr std::string_view kIdForm =
    "must have 1 to 64 characters a-z, 0-9 and '-', start with a letter and not end with '-'";
constexpr std::string_view kTrustDomainForm =
    "must be a trust domain in lower case, e.g. northshire-police.example";

// Everything the sections share while one file is read.
struct Reading {
  std::filesystem::path folder;
  std::vector<ConfigIssue> issues;
};

using Path = std::filesystem::path;

Path Resolve(const Reading& reading, const std::string& text) {
  return (reading.folder / text).lexically_normal();
}

Path RequiredPath(TableReader& table, const Reading& reading, std::string_view key) {
  const auto text = table.Required(key, kMaxText);
  return text ? Resolve(reading, text->value) : Path();
}

std::optional<Path> OptionalPath(TableReader& table, const Reading& reading, std::string_view key) {
  const auto text = table.Optional(key, kMaxText);
  if (!text) return std::nullopt;
  return Resolve(reading, text->value);
}

std::size_t MostOf(std::string_view section, std::string_view key) {
  return static_cast<std::size_t>(ConfigKeyOf(section, key).most);
}

// Within the bounds that the reference says. In: section  the table's name without brackets
std::optional<std::int64_t> Number(TableReader& table, std::string_view section,
                                   std::string_view key) {
  const ConfigKey& known = ConfigKeyOf(section, key);
  return table.OptionalNumber(key, {known.least, known.most});
}

// Text of a form that `accepts`; any other is reported as "`key` <form>".
std::string RequiredForm(TableReader& table, std::string_view key,
                         bool (*accepts)(std::string_view), std::string_view form) {
  const auto text = table.Required(key, kMaxText);
  if (!text) return {};
  if (!accepts(text->value)) table.Report(text->place, fmt::format("`{}` {}", key, form));
  return text->value;
}

AgencyConfig ReadAgency(const toml::table& source, Reading& reading) {
  TableReader table(source, "[agency]", reading.issues);
  AgencyConfig agency;
  agency.id = RequiredForm(table, "id", IsAgencyId, kIdForm);
  if (const auto name = table.Required("name", MostOf("agency", "name"))) agency.name = name->value;
  agency.trust_domain = RequiredForm(table, "trust_domain", IsTrustDomain, kTrustDomainForm);
  table.Finish();
  return agency;
}

void ReadData(const toml::table& source, Config& config, Reading& reading) {
  TableReader table(source, "[data]", reading.issues);
  config.data_directory = RequiredPath(table, reading, "directory");
  config.erasure_ledger = OptionalPath(table, reading, "erasure_ledger");
  table.Finish();
  // A copy within the data is lost with it.
  if (!config.erasure_ledger || config.data_directory.empty()) return;
  const Path apart = config.erasure_ledger->lexically_relative(config.data_directory);
  if (!apart.empty() && *apart.begin() != "..") {
    table.Report(PlaceOf(source.source()), "`erasure_ledger` must not lie within `directory`");
  }
}

constexpr std::string_view kUrlScheme = "postgresql://";

std::string CheckedUrl(TableReader& table, std::string_view key,
                       const std::optional<TableReader::Text>& text) {
  if (!text) return {};
  if (!text->value.starts_with(kUrlScheme)) {
    table.Report(text->place, fmt::format("`{}` must begin with {}", key, kUrlScheme));
  }
  return text->value;
}

StoreConfig ReadStore(const toml::table& source, Reading& reading) {
  TableReader table(source, "[store]", reading.issues);
  StoreConfig store;
  store.url = CheckedUrl(table, "url", table.Required("url", kMaxText));
  store.password_file = OptionalPath(table, reading, "password_file");
  store.migration_url =
      CheckedUrl(table, "migration_url", table.Optional("migration_url", kMaxText));
  store.migration_password_file = OptionalPath(table, reading, "migration_password_file");
  table.Finish();
  return store;
}

void ReadListenAddress(TableReader& table, std::string_view key, Endpoint& endpoint) {
  const auto text = table.Optional(key, kMaxText);
  if (!text) return;
  const auto parsed = ParseEndpoint(text->value);
  if (parsed) {
    endpoint = *parsed;
  } else {
    table.Report(text->place,
                 fmt::format("`{}` must be host:port with a port from 0 to 65535", key));
  }
}

ListenConfig ReadListen(const toml::table& source, Reading& reading) {
  TableReader table(source, "[listen]", reading.issues);
  ListenConfig listen;
  ReadListenAddress(table, "federation", listen.federation);
  ReadListenAddress(table, "agency", listen.agency);
  ReadListenAddress(table, "web", listen.web);
  table.Finish();
  const auto same = [](const Endpoint& a, const Endpoint& b) { return a == b && a.port != 0; };
  if (same(listen.federation, listen.agency) || same(listen.federation, listen.web) ||
      same(listen.agency, listen.web)) {
    table.Report(PlaceOf(source.source()), "two addresses of [listen] are the same");
  }
  return listen;
}

KeyConfig ReadKeys(const toml::table& source, Reading& reading) {
  TableReader table(source, "[keys]", reading.issues);
  KeyConfig keys;
  keys.tls = RequiredPath(table, reading, "tls");
  keys.roots = RequiredPath(table, reading, "roots");
  keys.crl = OptionalPath(table, reading, "crl");
  keys.signing = RequiredPath(table, reading, "signing");
  keys.log = RequiredPath(table, reading, "log");
  keys.key_encryption = RequiredPath(table, reading, "key_encryption");
  table.Finish();
  return keys;
}

AdministratorConfig ReadAdministrator(const toml::table& source, Reading& reading) {
  TableReader table(source, "[[administrator]]", reading.issues);
  AdministratorConfig person;
  person.id = RequiredForm(table, "id", IsAgencyId, kIdForm);
  if (const auto post = table.Required("post", MostOf("administrator", "post")))
    person.post = post->value;
  person.certificate = RequiredPath(table, reading, "certificate");
  person.signing_key_file = RequiredPath(table, reading, "signing_key_file");
  table.Finish();
  return person;
}

// Two, so that the first act that needs two people can be done, and no more: all others come by it.
void ReadAdministrators(const std::vector<const toml::table*>& sources, Config& config,
                        Reading& reading) {
  for (const toml::table* source : sources) {
    AdministratorConfig person = ReadAdministrator(*source, reading);
    const ConfigIssue place = PlaceOf(source->source());
    if (config.administrators.size() == kAdministrators) {
      reading.issues.push_back(
          {place.line, place.column, "there are exactly two [[administrator]]"});
      return;
    }
    if (!config.administrators.empty() && config.administrators.front().id == person.id) {
      reading.issues.push_back(
          {place.line, place.column, "two [[administrator]] have the same id"});
    }
    config.administrators.push_back(std::move(person));
  }
  if (config.administrators.size() < kAdministrators) {
    reading.issues.push_back({1, 1, "exactly two [[administrator]] are needed"});
  }
}

PeersConfig ReadPeers(const toml::table& source, Reading& reading) {
  TableReader table(source, "[peers]", reading.issues);
  PeersConfig peers;
  peers.crl_folder = OptionalPath(table, reading, "crl_folder");
  if (const auto seconds = Number(table, "peers", "away_after")) {
    peers.away_after = std::chrono::seconds(*seconds);
  }
  table.Finish();
  return peers;
}

LimitConfig ReadLimits(const toml::table& source, Reading& reading) {
  TableReader table(source, "[limits]", reading.issues);
  LimitConfig limits;
  const auto read = [&](std::string_view key, std::uint32_t& limit) {
    const auto number = Number(table, "limits", key);
    if (number) limit = static_cast<std::uint32_t>(*number);
  };
  read("max_streams", limits.max_streams);
  read("max_calls_per_peer", limits.max_calls_per_peer);
  read("max_deployments", limits.max_deployments);
  read("max_lists", limits.max_lists);
  read("max_entries_per_list", limits.max_entries_per_list);
  if (const auto seconds = Number(table, "limits", "peer_deadline")) {
    limits.peer_deadline = std::chrono::seconds(*seconds);
  }
  table.Finish();
  return limits;
}

std::chrono::seconds ReadMergeWindow(const toml::table& source, Reading& reading) {
  TableReader table(source, "[alerts]", reading.issues);
  const auto seconds = Number(table, "alerts", "merge_window");
  table.Finish();
  return std::chrono::seconds(seconds.value_or(Config().alert_merge_window.count()));
}

std::chrono::milliseconds ReadAnswerAfter(const toml::table& source, Reading& reading) {
  TableReader table(source, "[sealed]", reading.issues);
  const auto length = Number(table, "sealed", "answer_after");
  table.Finish();
  return std::chrono::milliseconds(length.value_or(Config().sealed_answer_after.count()));
}

LogLevel ReadLogLevel(const toml::table& source, Reading& reading) {
  TableReader table(source, "[log]", reading.issues);
  const auto text = table.Optional("level", kMaxText);
  table.Finish();
  if (!text) return LogLevel::kInfo;
  const auto level = ParseLogLevel(text->value);
  if (!level) table.Report(text->place, "`level` must be debug, info, warn or error");
  return level.value_or(LogLevel::kInfo);
}

Config ReadRoot(const toml::table& source, Reading& reading) {
  TableReader root(source, "the file", reading.issues);
  Config config;
  if (const auto* t = root.Table("agency", true)) config.agency = ReadAgency(*t, reading);
  if (const auto* t = root.Table("data", true)) ReadData(*t, config, reading);
  if (const auto* t = root.Table("store", false)) config.store = ReadStore(*t, reading);
  if (const auto* t = root.Table("listen", false)) config.listen = ReadListen(*t, reading);
  if (const auto* t = root.Table("keys", true)) config.keys = ReadKeys(*t, reading);
  ReadAdministrators(root.Tables("administrator"), config, reading);
  if (const auto* t = root.Table("peers", false)) config.peers = ReadPeers(*t, reading);
  if (const auto* t = root.Table("limits", false)) config.limits = ReadLimits(*t, reading);
  if (const auto* t = root.Table("alerts", false)) {
    config.alert_merge_window = ReadMergeWindow(*t, reading);
  }
  if (const auto* t = root.Table("sealed", false)) {
    config.sealed_answer_after = ReadAnswerAfter(*t, reading);
  }
  if (const auto* t = root.Table("log", false)) config.log_level = ReadLogLevel(*t, reading);
  root.Finish();
  return config;
}

tl::unexpected<std::vector<ConfigIssue>> OneIssue(ConfigIssue issue) {
  return tl::unexpected<std::vector<ConfigIssue>>({std::move(issue)});
}

}  // namespace

std::string Describe(const ConfigIssue& issue, const std::filesystem::path& file) {
  if (issue.line == 0) return fmt::format("{}: {}", file.string(), issue.message);
  return fmt::format("{}:{}:{}: {}", file.string(), issue.line, issue.column, issue.message);
}

Configured<Config> ParseConfig(std::string_view text, const std::filesystem::path& file) {
  if (text.size() > kMaxConfigBytes) {
    return OneIssue({0, 0, fmt::format("larger than {} octets", kMaxConfigBytes)});
  }
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    ConfigIssue issue = PlaceOf(error.source());
    issue.message = std::string(error.description());
    return OneIssue(std::move(issue));
  }
  Reading reading{file.parent_path(), {}};
  Config config = ReadRoot(table, reading);
  if (!reading.issues.empty()) {
    std::sort(reading.issues.begin(), reading.issues.end(), [](auto& left, auto& right) {
      return std::tie(left.line, left.column, left.message) <
             std::tie(right.line, right.column, right.message);
    });
    return tl::unexpected(std::move(reading.issues));
  }
  config.file = file;
  config.text = std::string(text);
  return config;
}

Configured<Config> LoadConfig(const std::filesystem::path& file) {
  const auto text = ReadTextFile(file, kMaxConfigBytes);
  if (!text) return OneIssue({0, 0, text.error().detail});
  return ParseConfig(*text, file);
}

}  // namespace comity::runtime
