// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres/postgres_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <pqxx/except>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "services/runtime/file.h"
#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/server_account.h"

namespace comity::testing {
namespace {

constexpr const char* kTemplate = "comity_template";
constexpr const char* kDeathSignal = "QUIT";   // at once, without a checkpoint
constexpr std::chrono::seconds kPatience{60};  // for a start on a loaded machine

// Waits for the end of its input, which is that of this process; the server ends by the same.
std::string GuardOf(const std::filesystem::path& first, const std::filesystem::path& second) {
  return fmt::format(
      "trap '' INT HUP TERM; cat >/dev/null; for i in 1 2 3 4 5; do rm -rf '{0}' '{1}'; "
      "[ -e '{0}' ] || break; sleep 1; done 2>/dev/null",
      first.string(), second.string());
}

// In memory if there is room: a database has hundreds of files, made and removed for each test.
std::filesystem::path FastPlace() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code error;
  const bool has_room =
      std::filesystem::space(memory, error).available > (std::uintmax_t{2} << 30U);
  const bool fits = !error && has_room && ::access(memory.c_str(), W_OK) == 0;
  return fits ? memory : std::filesystem::temp_directory_path();
}

}  // namespace

PostgresServer::PostgresServer(const Setup& setup, std::uint16_t port)
    : directory_(setup.durable ? std::filesystem::temp_directory_path() : FastPlace()),
      durable_(setup.durable),
      with_tls_(!setup.certificate_pem.empty()),
      port_(port),
      password_(NewPassword()),
      guard_(::popen(GuardOf(directory_.path(), own_.path()).c_str(), "we")) {}

Result<std::unique_ptr<PostgresServer>> PostgresServer::Start(const Setup& setup) {
  std::unique_ptr<PostgresServer> server(new PostgresServer(setup, FreePort()));
  COMITY_RETURN_IF_ERROR(server->MakeCluster(setup));
  COMITY_RETURN_IF_ERROR(server->StartAgain());
  COMITY_RETURN_IF_ERROR(server->MakeTemplate());
  return server;
}

PostgresServer::~PostgresServer() {
  if (!process_) return;
  ::kill(process_->pid(), SIGQUIT);  // at once, without a checkpoint
  process_->Stop(std::chrono::seconds(10));
}

Status PostgresServer::MakeCluster(const Setup& setup) {
  const std::filesystem::path& directory = directory_.path();
  COMITY_RETURN_IF_ERROR(GiveToServer(directory));
  COMITY_RETURN_IF_ERROR(WriteForServer(directory / "password", password_));
  COMITY_RETURN_IF_ERROR(runtime::WriteFile(passfile(), AsBytes("*:*:*:*:" + password_), 0600));
  if (with_tls_) {
    COMITY_RETURN_IF_ERROR(WriteForServer(directory / "server.crt", setup.certificate_pem));
    COMITY_RETURN_IF_ERROR(WriteForServer(directory / "server.key", setup.key_pem));
  }
  COMITY_ASSIGN_OR_RETURN(
      const CommandOutput made,
      RunCommand(
          AsServer({std::string(kPostgresPrograms) + "initdb", "-D", (directory / "data").string(),
                    "-A", "scram-sha-256", "-U", "postgres", "--pwfile",
                    (directory / "password").string(), "-E", "UTF8", "--locale=C.UTF-8",
                    "--locale-provider=icu", "--icu-locale=en-US", "--no-sync"},
                   kDeathSignal),
          kPatience));
  if (made.exit_code == 0) return {};
  return Fail(ErrorCode::kUnavailable, "initdb failed: " + made.out + made.err);
}

Status PostgresServer::StartAgain() {
  const std::string directory = directory_.path().string();
  std::vector<std::string> command = {std::string(kPostgresPrograms) + "postgres", "-D",
                                      directory + "/data"};
  std::vector<std::string> settings = {fmt::format("port={}", port_),
                                       "listen_addresses=127.0.0.1",
                                       "unix_socket_directories=" + directory,
                                       "max_connections=60",
                                       "shared_buffers=64MB",
                                       "max_wal_senders=1",  // else no commit waits for one
                                       "autovacuum=off",
                                       "dynamic_shared_memory_type=mmap"};
  if (!durable_) settings.insert(settings.end(), {"fsync=off", "full_page_writes=off"});
  if (with_tls_) {
    settings.insert(settings.end(), {"ssl=on", "ssl_cert_file=" + directory + "/server.crt",
                                     "ssl_key_file=" + directory + "/server.key"});
  }
  for (const std::string& setting : settings) {
    command.insert(command.end(), {"-c", setting});
  }
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    COMITY_ASSIGN_OR_RETURN(process_,
                            Process::Start(AsServer(command, kDeathSignal), own_.path() / "log"));
    const Status ready = WaitUntilReady();
    // Children of a postmaster that was killed may still hold its memory.
    if (ready || process_->IsRunning() || std::chrono::steady_clock::now() > end) return ready;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Status PostgresServer::WaitUntilReady() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (process_->IsRunning() && std::chrono::steady_clock::now() < end) {
    try {
      Ask("postgres", "SELECT 1");
      return {};
    } catch (const pqxx::failure&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  return Fail(ErrorCode::kUnavailable, "PostgreSQL does not start: " + Log());
}

Status PostgresServer::MakeTemplate() {
  const std::string name = kTemplate;
  Ask("postgres", "CREATE DATABASE " + name);
  Ask(name, ReadText(std::filesystem::path(COMITY_SOURCE_DIR) /
                     "services/store/schema/postgres/roles.sql"));
  for (const char* role : {"comity_migration", "comity_gateway", "comity_auditor"}) {
    Ask(name, fmt::format("ALTER ROLE {} PASSWORD '{}'", role, password_));
  }
  store::PostgresOptions options;
  options.url = Url("comity_gateway", name);
  options.migration_url = Url("comity_migration", name);
  options.accept_unsafe_server = true;
  COMITY_RETURN_IF_ERROR(store::OpenPostgresStore(options));
  return {};
}

std::string PostgresServer::Url(std::string_view role, std::string_view database,
                                std::string_view more) const {
  return fmt::format("postgresql://{}@/{}?host={}&port={}&passfile={}{}", role, database,
                     sockets().string(), port_, passfile().string(), more);
}

std::string PostgresServer::UrlOfPort(std::string_view role, std::string_view database,
                                      std::uint16_t port) const {
  return fmt::format("postgresql://{}@127.0.0.1:{}/{}?passfile={}", role, port, database,
                     passfile().string());
}

std::string PostgresServer::Ask(const std::string& database, const std::string& sql) const {
  return AskServer(Url("postgres", database), sql);
}

void PostgresServer::Kill() {
  process_->Kill();
}

std::string PostgresServer::Log() const {
  return ReadText(own_.path() / "log");
}

PostgresServer& SharedPostgres() {
  static const std::unique_ptr<PostgresServer> server = [] {
    auto started = PostgresServer::Start({});
    if (!started) std::fprintf(stderr, "%s\n", started.error().detail.c_str());
    COMITY_CHECK(started.has_value());
    return *std::move(started);
  }();
  return *server;
}

}  // namespace comity::testing
