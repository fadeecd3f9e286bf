// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_url.h"

#include <arpa/inet.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "crypto/base/quote.h"
#include "crypto/base/secret.h"
#include "services/runtime/file.h"

namespace comity::store {
namespace {

using Settings = std::map<std::string, std::string>;

constexpr std::array kAllowed = {"host",        "port",    "dbname", "user",   "sslmode",
                                 "sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"};
constexpr const char* kDefaultSockets = "/var/run/postgresql";  // of Debian
constexpr std::size_t kMaxPasswordSize = 1024;

// Looked for by libpq where there is none; Debian keeps this path free of files.
constexpr const char* kNoPassfile = "/nonexistent/comity";

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

bool IsThisMachine(std::string_view host) {
  if (host.empty() || host.front() == '/' || host.front() == '@') return true;  // a Unix socket
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
         (ntohl(address.s_addr) >> 24U) == 127;
}

// The first host of a list with commas that is not this machine; empty: there is none.
std::string FarHost(std::string_view hosts) {
  while (true) {
    const std::size_t comma = hosts.find(',');
    const std::string_view host = hosts.substr(0, comma);
    if (!IsThisMachine(host)) return std::string(host);
    if (comma == std::string_view::npos) return {};
    hosts.remove_prefix(comma + 1);
  }
}

Status CheckAllowed(const std::string& keyword) {
  if (keyword == "password") {
    return Fail(
        ErrorCode::kInvalidArgument,
        "the store's url holds a password; put it alone into a file with mode 0600 and name "
        "that in password_file, or name a passfile in the url: ?passfile=/etc/comity/pgpass");
  }
  if (std::ranges::find(kAllowed, keyword) != kAllowed.end()) return {};
  std::string allowed;
  for (const char* name : kAllowed) allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  return Fail(ErrorCode::kInvalidArgument,
              Quote(keyword) + " may not stand in the store's url; these may: " + allowed);
}

Result<Settings> Read(const PQconninfoOption* option) {
  Settings settings;
  for (; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    COMITY_RETURN_IF_ERROR(CheckAllowed(option->keyword));
    settings[option->keyword] = option->val;
  }
  for (const char* needed : {"user", "dbname"}) {
    if (settings.contains(needed)) continue;
    return Fail(ErrorCode::kInvalidArgument,
                "the store's url names no " +
                    std::string(needed == std::string("user") ? "role" : "database") +
                    "; write postgresql://ROLE@HOST/DATABASE");
  }
  return settings;
}

Status CheckEncryption(const Settings& settings) {
  const std::string far = FarHost(settings.at("host"));
  const auto mode = settings.find("sslmode");
  if (far.empty()) return {};
  if (mode != settings.end() && mode->second == "verify-full" && settings.contains("sslrootcert")) {
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              "the store's database at " + Quote(far) +
                  " is not on this machine: its url must say sslmode=verify-full and sslrootcert, "
                  "such as ?sslmode=verify-full&sslrootcert=/etc/comity/database_ca.pem");
}

// What stands in the environment would stand in for what the url leaves open.
Status CheckEnvironment(const PQconninfoOption* option, const Settings& settings) {
  for (; option->keyword != nullptr; ++option) {
    if (option->envvar == nullptr || settings.contains(option->keyword)) continue;
    if (std::getenv(option->envvar) == nullptr) continue;
    return Fail(ErrorCode::kInvalidArgument,
                std::string("the environment sets ") + option->envvar +
                    ", which would change how the store's database is reached; unset it: the "
                    "configuration alone says that");
  }
  return {};
}

void Complete(Settings& settings, bool has_password) {
  settings.try_emplace("host", kDefaultSockets);
  settings.try_emplace("port", "5432");
  settings.try_emplace("sslmode", "prefer");  // only on this machine
  settings.try_emplace("passfile", kNoPassfile);
  settings["ssl_min_protocol_version"] = "TLSv1.3";
  // Who does not know the password's verifier cannot stand in between, even with a certificate.
  const bool bound = settings["sslmode"] == "verify-full" && has_password;
  settings["channel_binding"] = bound ? "require" : "prefer";
  settings["gssencmode"] = "disable";
  settings["target_session_attrs"] = "read-write";
  settings["client_encoding"] = "UTF8";
  settings["connect_timeout"] = "5";  // seconds, for each host
  // A server that is gone is noticed within some ten seconds.
  settings["keepalives"] = "1";
  settings["keepalives_idle"] = "5";
  settings["keepalives_interval"] = "2";
  settings["keepalives_count"] = "3";
  settings["tcp_user_timeout"] = "10000";
  // The same for the server, so that the session of a gateway that is gone frees its lock. Waits
  // for locks are short: there is one writer.
  settings["options"] =
      "-c search_path=comity -c lock_timeout=10s -c client_connection_check_interval=2s"
      " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
      " -c tcp_user_timeout=10000 -c bytea_output=hex -c statement_timeout=0";
}

// In libpq's own spelling: within '...', a backslash before ' and before a backslash.
void Append(std::string& text, std::string_view keyword, std::string_view value) {
  text.append(text.empty() ? "" : " ").append(keyword).append("='");
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  text += '\'';
}

}  // namespace

Result<PostgresUrl> PostgresUrl::Parse(std::string_view url, std::filesystem::path password_file) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
    return Fail(ErrorCode::kInvalidArgument,
                "the store's url is not postgresql://ROLE@HOST/DATABASE");
  }
  const Options options(::PQconninfoParse(std::string(url).c_str(), nullptr), &::PQconninfoFree);
  if (!options) {  // libpq's own words would repeat a password in it
    return Fail(ErrorCode::kInvalidArgument,
                "the store's url cannot be read; write postgresql://ROLE@HOST:PORT/DATABASE, "
                "with %XX for special characters");
  }
  COMITY_ASSIGN_OR_RETURN(Settings settings, Read(options.get()));
  const auto passfile = settings.find("passfile");
  const bool has_passfile = passfile != settings.end();
  if (has_passfile && !password_file.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "the store has both password_file and a passfile in its url; leave one away");
  }
  if (has_passfile) COMITY_RETURN_IF_ERROR(runtime::CheckPrivateFile(passfile->second));
  settings.try_emplace("host", kDefaultSockets);
  COMITY_RETURN_IF_ERROR(CheckEncryption(settings));
  Complete(settings, has_passfile || !password_file.empty());
  COMITY_RETURN_IF_ERROR(CheckEnvironment(options.get(), settings));
  return PostgresUrl(std::move(settings), std::move(password_file));
}

Result<std::string> PostgresUrl::ConnectionString(std::string_view name) const {
  std::string text;
  for (const auto& [keyword, value] : settings_) Append(text, keyword, value);
  Append(text, "application_name", name);
  if (password_file_.empty()) return text;
  COMITY_ASSIGN_OR_RETURN(const SecretBytes file,
                          runtime::ReadSecretFile(password_file_, kMaxPasswordSize));
  std::string_view password = AsText(file.Expose());
  if (password.ends_with('\n')) password.remove_suffix(1);
  if (password.empty() || password.find_first_of(std::string_view("\n\r\0", 3)) != password.npos) {
    return Fail(ErrorCode::kInvalidArgument,
                password_file_.string() + " must hold the password as its only line");
  }
  Append(text, "password", password);
  return text;
}

}  // namespace comity::store
