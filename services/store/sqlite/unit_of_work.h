// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sqlite/aggregates.h"

namespace comity::store {

// All aggregates over one connection. Threads: thread-compatible, like the connection.
class UnitOfWork final : public Transaction {
 public:
  explicit UnitOfWork(Connection& connection)
      : agreements_(connection),
        watchlists_(connection),
        deployments_(connection),
        alerts_(connection),
        audit_(connection),
        checkpoints_(connection),
        capacity_(connection),
        replays_(connection) {}

  AgreementStore& agreements() override { return agreements_; }
  WatchlistStore& watchlists() override { return watchlists_; }
  DeploymentStore& deployments() override { return deployments_; }
  AlertStore& alerts() override { return alerts_; }
  AuditStore& audit() override { return audit_; }
  CheckpointStore& checkpoints() override { return checkpoints_; }
  CapacityStore& capacity() override { return capacity_; }
  ReplayStore& replays() override { return replays_; }
  const AgreementStore& agreements() const override { return agreements_; }
  const WatchlistStore& watchlists() const override { return watchlists_; }
  const DeploymentStore& deployments() const override { return deployments_; }
  const AlertStore& alerts() const override { return alerts_; }
  const AuditStore& audit() const override { return audit_; }
  const CheckpointStore& checkpoints() const override { return checkpoints_; }
  const CapacityStore& capacity() const override { return capacity_; }
  const ReplayStore& replays() const override { return replays_; }

 private:
  SqliteAgreementStore agreements_;
  SqliteWatchlistStore watchlists_;
  SqliteDeploymentStore deployments_;
  SqliteAlertStore alerts_;
  SqliteAuditStore audit_;
  SqliteCheckpointStore checkpoints_;
  SqliteCapacityStore capacity_;
  SqliteReplayStore replays_;
};

}  // namespace comity::store
