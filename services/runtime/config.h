// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "crypto/base/result.h"
#include "services/runtime/logging.h"

namespace comity::runtime {

// host:port; an IPv6 host is in brackets in text and without them here.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

struct AgencyConfig {
  std::string id;            // northshire-police
  std::string name;          // as people read it, 1..128 octets
  std::string trust_domain;  // northshire-police.example
};

struct ListenConfig {
  Endpoint federation{"127.0.0.1", 7443};
  Endpoint agency{"127.0.0.1", 7444};
  Endpoint web{"127.0.0.1", 7445};
};

struct KeyConfig {
  std::filesystem::path tls;                 // PEM: private key and certificate chain
  std::filesystem::path roots;               // PEM: CA certificates of own engines and persons
  std::optional<std::filesystem::path> crl;  // PEM: revocation list of the own CA
  std::filesystem::path signing;
  std::filesystem::path log;
  std::filesystem::path key_encryption;
};

// One of the two administrators whom a new gateway knows from the start; all other people are added
// by two of those it knows.
struct AdministratorConfig {
  std::string id;                          // the <id> of spiffe://<trust domain>/person/<id>
  std::string post;                        // as people read it, 1..128 octets
  std::filesystem::path certificate;       // PEM: the person's certificate, without its key
  std::filesystem::path signing_key_file;  // holds ed25519:<base64>
};

// What is local about partners; who they are is enrolled in the running gateway, by two people.
struct PeersConfig {
  // Holds AGENCY.pem, the revocation list of that partner's CA; with it every partner needs one.
  std::optional<std::filesystem::path> crl_folder;
  std::chrono::seconds away_after{30};  // a partner that was not heard for so long is away
};

// A PostgreSQL database in place of the file comity.db in the data folder.
struct StoreConfig {
  std::string url;                                     // postgresql://, without a password
  std::optional<std::filesystem::path> password_file;  // holds the password alone
  // As whom the schema is brought up to date; empty: it is looked at only.
  std::string migration_url;
  std::optional<std::filesystem::path> migration_password_file;
};

// Bounds on what others can make large; each within hard bounds (docs/formats/configuration.md).
struct LimitConfig {
  std::uint32_t max_streams = 32;
  std::uint32_t max_calls_per_peer = 32;
  std::uint32_t max_deployments = 64;
  std::uint32_t max_lists = 100;
  std::uint32_t max_entries_per_list = 100'000;
  std::chrono::seconds peer_deadline{5};
};

// The configuration of one gateway, as read from its file (docs/formats/configuration.md). All
// paths are absolute or relative to the working directory, resolved against the file's folder.
struct Config {
  std::filesystem::path file;
  std::string text;  // the file's exact octets; its hash is logged at start
  AgencyConfig agency;
  std::filesystem::path data_directory;
  // A second copy of the erasure ledger, on another disk than the data; absent: no backups.
  std::optional<std::filesystem::path> erasure_ledger;
  std::optional<StoreConfig> store;  // absent: SQLite
  ListenConfig listen;
  KeyConfig keys;
  std::vector<AdministratorConfig> administrators;  // exactly two
  PeersConfig peers;
  LimitConfig limits;
  std::chrono::seconds alert_merge_window{30};
  std::chrono::milliseconds sealed_answer_after{250};  // 0: at once
  LogLevel log_level = LogLevel::kInfo;
};

// One fault of the file. Line and column from 1; 0 when the fault has no place (unreadable file).
struct ConfigIssue {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;
};

// "comityd.toml:12:1: unknown key `adress`; did you mean `address`?"
std::string Describe(const ConfigIssue& issue, const std::filesystem::path& file);

template <typename T>
using Configured = tl::expected<T, std::vector<ConfigIssue>>;

inline constexpr std::size_t kMaxConfigBytes = 1 << 20;

// Reads a configuration: all faults in the order of lines, or the configuration. Opens no file that
// it names.
//
// In:  text  TOML 1.0; untrusted, at most kMaxConfigBytes
//      file  names the file in Config::file; relative paths are resolved against its folder
Configured<Config> ParseConfig(std::string_view text, const std::filesystem::path& file);
Configured<Config> LoadConfig(const std::filesystem::path& file);

// Looks at the files that `config` names: each must be there, and those with private keys must be
// readable by their owner only. Returns what is wrong, with the command that mends it; empty if all
// is well.
std::vector<std::string> CheckConfigFiles(const Config& config);

}  // namespace comity::runtime
