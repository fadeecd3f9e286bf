// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {

// Debian's Patroni over two PostgreSQL nodes and one etcd, with haproxy before them, as
// docs/operations/postgresql.md sets them up: replication is synchronous while both nodes are
// there. Everything is on 127.0.0.1, on disk in temporary folders, and ends with the object, and
// with this process however that ends: a node is a namespace of processes that die together.
// Needs the packages of the group `replicas`.
//
// Threads: thread-compatible. Made by the main thread: all ends with the thread that made it.
class PatroniCluster {
 public:
  static constexpr std::size_t kNodes = 2;

  // Returns when one node is the primary and the other one its synchronous standby.
  // Errors: kUnavailable  with what the programs said
  static Result<std::unique_ptr<PatroniCluster>> Start();
  PatroniCluster(const PatroniCluster&) = delete;
  PatroniCluster& operator=(const PatroniCluster&) = delete;

  // A database with Comity's roles and no tables yet. Throws pqxx exceptions.
  void MakeDatabase(const std::string& name) const;
  // By haproxy, or by a list of both nodes.
  std::string BalancedUrl(std::string_view role, std::string_view database) const;
  std::string ListedUrl(std::string_view role, std::string_view database) const;
  // As PostgresServer::Ask, at the primary, by haproxy.
  std::string Ask(const std::string& database, const std::string& sql) const;

  // The node that takes writes; nothing: none does.
  std::optional<std::size_t> Primary() const;
  bool AwaitPrimary(std::size_t node, std::chrono::seconds patience) const;
  // Until both nodes are in their places again.
  Status AwaitWhole() const;

  // kill -9 of Patroni, of PostgreSQL and of all that they started, as when a machine dies.
  void Kill(std::size_t node) { nodes_.at(node).process->Kill(); }
  Status StartNode(std::size_t node);
  // A planned hand-over to the other node, as an operator asks for it.
  Status SwitchOver() const;
  // What all programs have said.
  std::string Log() const;

 private:
  struct Node {
    std::uint16_t port = 0;
    std::uint16_t control_port = 0;  // Patroni's own, where haproxy asks
    std::optional<Process> process;
  };

  PatroniCluster();
  Status StartEtcd();
  Status StartBalancer();
  std::string NodeText(std::size_t node) const;
  std::filesystem::path ConfigOf(std::size_t node) const;
  std::filesystem::path passfile() const { return own_.path() / "pgpass"; }
  Result<std::string> Control(const std::vector<std::string>& arguments) const;

  TemporaryDirectory directory_;  // the servers'
  TemporaryDirectory own_;        // this process's
  const std::string password_;
  const std::uint16_t etcd_port_;
  const std::uint16_t etcd_peer_port_;
  const std::uint16_t balanced_port_;
  std::optional<Process> etcd_;
  std::array<Node, kNodes> nodes_;
  std::optional<Process> balancer_;
};

}  // namespace comity::testing
