// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres/patroni_cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <pqxx/except>
#include <thread>
#include <utility>
#include <vector>

#include "services/runtime/file.h"
#include "tests/support/postgres/server_account.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kClusterPatience{300};  // for a whole cluster on a machine whose disk is slow
constexpr milliseconds kLook{200};

// Patroni's PostgreSQL outlives Patroni. In a namespace of its own, all end with the first process.
std::vector<std::string> AsMachine(const std::vector<std::string>& command) {
  std::vector<std::string> whole = {"setpriv", "--pdeathsig", "KILL", "--", "unshare"};
  if (::geteuid() != 0) whole.emplace_back("--map-current-user");
  whole.insert(whole.end(), {"--pid", "--mount-proc", "--fork", "--kill-child", "--"});
  const std::vector<std::string> inner = AsServer(command, "KILL");
  whole.insert(whole.end(), inner.begin(), inner.end());
  return whole;
}

// In order: name, control port, etcd's port, PostgreSQL's port, folder, password.
constexpr const char* kNodeText = R"(scope: comity
name: {0}
restapi: {{listen: '127.0.0.1:{1}', connect_address: '127.0.0.1:{1}'}}
etcd3: {{hosts: '127.0.0.1:{2}'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        synchronous_commit: 'on'
        max_connections: 60
        shared_buffers: 64MB
        unix_socket_directories: '{4}'
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: '127.0.0.1:{3}'
  connect_address: '127.0.0.1:{3}'
  data_dir: '{4}/{0}'
  bin_dir: /usr/lib/postgresql/15/bin
  pgpass: '{4}/{0}.pgpass'
  authentication:
    superuser: {{username: postgres, password: '{5}'}}
    replication: {{username: replicator, password: '{5}'}}
  pg_hba:
  - local all all scram-sha-256
  - host all all 127.0.0.1/32 scram-sha-256
  - host replication replicator 127.0.0.1/32 scram-sha-256
)";

// In order: own port; port and control port of each node.
constexpr const char* kBalancerText = R"(global
  maxconn 200
defaults
  mode tcp
  timeout connect 3s
  timeout check 2s
  timeout client 30m
  timeout server 30m
  option clitcpka
  clitcpka-idle 5s
  clitcpka-intvl 2s
  clitcpka-cnt 3
  option srvtcpka
  srvtcpka-idle 5s
  srvtcpka-intvl 2s
  srvtcpka-cnt 3
listen comity
  bind 127.0.0.1:{0} tcp-ut 10s
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions tcp-ut 10s
  server node0 127.0.0.1:{1} check port {2}
  server node1 127.0.0.1:{3} check port {4}
)";

}  // namespace

PatroniCluster::PatroniCluster()
    : password_(NewPassword()),
      etcd_port_(FreePort()),
      etcd_peer_port_(FreePort()),
      balanced_port_(FreePort()) {
  for (Node& node : nodes_) node.port = FreePort(), node.control_port = FreePort();
}

Result<std::unique_ptr<PatroniCluster>> PatroniCluster::Start() {
  std::unique_ptr<PatroniCluster> cluster(new PatroniCluster);
  COMITY_RETURN_IF_ERROR(GiveToServer(cluster->directory_.path()));
  COMITY_RETURN_IF_ERROR(runtime::WriteFile(cluster->passfile(),
                                            AsBytes("*:*:*:*:" + cluster->password_ + "\n"), 0600));
  COMITY_RETURN_IF_ERROR(cluster->StartEtcd());
  for (std::size_t node = 0; node < kNodes; ++node) {
    COMITY_RETURN_IF_ERROR(WriteForServer(cluster->ConfigOf(node), cluster->NodeText(node)));
    COMITY_RETURN_IF_ERROR(cluster->StartNode(node));
  }
  COMITY_RETURN_IF_ERROR(cluster->StartBalancer());
  COMITY_RETURN_IF_ERROR(cluster->AwaitWhole());
  return cluster;
}

Status PatroniCluster::StartEtcd() {
  const std::string client = fmt::format("http://127.0.0.1:{}", etcd_port_);
  const std::string peer = fmt::format("http://127.0.0.1:{}", etcd_peer_port_);
  const std::vector<std::string> command = {"etcd",
                                            "--name=etcd",
                                            "--data-dir=" + (directory_.path() / "etcd").string(),
                                            "--listen-client-urls=" + client,
                                            "--advertise-client-urls=" + client,
                                            "--listen-peer-urls=" + peer,
                                            "--initial-advertise-peer-urls=" + peer,
                                            "--initial-cluster=etcd=" + peer};
  COMITY_ASSIGN_OR_RETURN(etcd_,
                          Process::Start(AsServer(command, "KILL"), own_.path() / "etcd.log"));
  return {};
}

Status PatroniCluster::StartBalancer() {
  const std::filesystem::path config = directory_.path() / "haproxy.cfg";
  COMITY_RETURN_IF_ERROR(WriteForServer(
      config, fmt::format(kBalancerText, balanced_port_, nodes_[0].port, nodes_[0].control_port,
                          nodes_[1].port, nodes_[1].control_port)));
  COMITY_ASSIGN_OR_RETURN(
      balancer_,
      Process::Start(AsServer({"/usr/sbin/haproxy", "-db", "-f", config.string()}, "KILL"),
                     own_.path() / "haproxy.log"));
  return {};
}

std::string PatroniCluster::NodeText(std::size_t node) const {
  return fmt::format(kNodeText, fmt::format("node{}", node), nodes_.at(node).control_port,
                     etcd_port_, nodes_.at(node).port, directory_.path().string(), password_);
}

std::filesystem::path PatroniCluster::ConfigOf(std::size_t node) const {
  return directory_.path() / fmt::format("node{}.yml", node);
}

Status PatroniCluster::StartNode(std::size_t node) {
  COMITY_ASSIGN_OR_RETURN(nodes_.at(node).process,
                          Process::Start(AsMachine({"patroni", ConfigOf(node).string()}),
                                         own_.path() / fmt::format("node{}.log", node)));
  return {};
}

std::string PatroniCluster::BalancedUrl(std::string_view role, std::string_view database) const {
  return fmt::format("postgresql://{}@127.0.0.1:{}/{}?passfile={}", role, balanced_port_, database,
                     passfile().string());
}

std::string PatroniCluster::ListedUrl(std::string_view role, std::string_view database) const {
  return fmt::format("postgresql://{}@127.0.0.1:{},127.0.0.1:{}/{}?passfile={}", role,
                     nodes_[0].port, nodes_[1].port, database, passfile().string());
}

std::string PatroniCluster::Ask(const std::string& database, const std::string& sql) const {
  return AskServer(BalancedUrl("postgres", database), sql);
}

void PatroniCluster::MakeDatabase(const std::string& name) const {
  Ask("postgres", "CREATE DATABASE " + name);
  Ask(name, ReadText(std::filesystem::path(COMITY_SOURCE_DIR) /
                     "services/store/schema/postgres/roles.sql"));
  for (const char* role : {"comity_migration", "comity_gateway", "comity_auditor"}) {
    Ask(name, fmt::format("ALTER ROLE {} PASSWORD '{}'", role, password_));
  }
}

std::optional<std::size_t> PatroniCluster::Primary() const {
  for (std::size_t node = 0; node < kNodes; ++node) {
    const std::string url = fmt::format("postgresql://postgres@127.0.0.1:{}/postgres?passfile={}",
                                        nodes_[node].port, passfile().string());
    try {
      if (AskServer(url, "SELECT pg_is_in_recovery()") == "f") return node;
    } catch (const pqxx::failure&) {
      continue;  // it is down
    }
  }
  return std::nullopt;
}

bool PatroniCluster::AwaitPrimary(std::size_t node, seconds patience) const {
  const auto end = steady_clock::now() + patience;
  while (Primary() != node) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

Result<std::string> PatroniCluster::Control(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command = {"patronictl", "-c", ConfigOf(0).string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  COMITY_ASSIGN_OR_RETURN(const CommandOutput output, RunCommand(AsServer(command, "KILL")));
  if (output.exit_code == 0) return output.out;
  return Fail(ErrorCode::kUnavailable, "patronictl: " + output.out + output.err);
}

Status PatroniCluster::AwaitWhole() const {
  const auto end = steady_clock::now() + kClusterPatience;
  std::string seen;
  while (steady_clock::now() < end) {
    if (const auto members = Control({"list", "--format", "json"})) {
      seen = *members;
      // Of those that Patroni itself would promote: not yet is whoever only streams.
      const bool whole =
          seen.find("\"Leader\"") != seen.npos && seen.find("\"Sync Standby\"") != seen.npos;
      try {
        if (whole && Ask("postgres", "SELECT pg_is_in_recovery()") == "f") return {};
      } catch (const pqxx::failure&) {
        // haproxy has not seen it yet
      }
    }
    std::this_thread::sleep_for(kLook);
  }
  return Fail(ErrorCode::kUnavailable, "the cluster is not whole: " + seen + "\n" + Log());
}

Status PatroniCluster::SwitchOver() const {
  COMITY_RETURN_IF_ERROR(Control({"switchover", "--force"}));
  return {};
}

std::string PatroniCluster::Log() const {
  std::string text;
  for (const char* name : {"etcd", "node0", "node1", "haproxy"}) {
    text += fmt::format("---- {}\n{}", name, ReadText(own_.path() / (std::string(name) + ".log")));
  }
  return text;
}

}  // namespace comity::testing
