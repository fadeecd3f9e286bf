// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sql/aggregates.h"
#include "services/store/sql/agreement_life_store.h"
#include "services/store/sql/approval_store.h"
#include "services/store/sql/bound_tables.h"
#include "services/store/sql/deployment_store.h"
#include "services/store/sql/hit_store.h"
#include "services/store/sql/holding_store.h"
#include "services/store/sql/notice_store.h"
#include "services/store/sql/outbox_store.h"
#include "services/store/sql/peer_store.h"
#include "services/store/sql/person_store.h"
#include "services/store/sql/retention_store.h"
#include "services/store/sql/sealed_copy_store.h"
#include "services/store/sql/sealed_list_store.h"
#include "services/store/sql/setting_store.h"
#include "services/store/sql/stop_store.h"
#include "services/store/sql/watchlist_store.h"

namespace comity::store {

// All aggregates over one connection. Threads: thread-compatible, like the connection.
class UnitOfWork final : public Transaction {
 public:
  explicit UnitOfWork(Connection& connection)
      : agreements_(connection),
        agreement_life_(connection),
        watchlists_(connection),
        deployments_(connection),
        alerts_(connection),
        audit_(connection),
        checkpoints_(connection),
        capacity_(connection),
        replays_(connection),
        people_(connection),
        approvals_(connection),
        notices_(connection),
        settings_(connection),
        peers_(connection),
        outbox_(connection),
        stops_(connection),
        hits_(connection),
        holdings_(connection),
        retention_(connection),
        sealed_copies_(connection),
        sealed_lists_(connection),
        bound_tables_(connection) {}

  AgreementStore& agreements() override { return agreements_; }
  AgreementLifeStore& agreement_life() override { return agreement_life_; }
  WatchlistStore& watchlists() override { return watchlists_; }
  DeploymentStore& deployments() override { return deployments_; }
  AlertStore& alerts() override { return alerts_; }
  AuditStore& audit() override { return audit_; }
  CheckpointStore& checkpoints() override { return checkpoints_; }
  CapacityStore& capacity() override { return capacity_; }
  ReplayStore& replays() override { return replays_; }
  PersonStore& people() override { return people_; }
  ApprovalStore& approvals() override { return approvals_; }
  NoticeStore& notices() override { return notices_; }
  SettingStore& settings() override { return settings_; }
  PeerStore& peers() override { return peers_; }
  OutboxStore& outbox() override { return outbox_; }
  StopStore& stops() override { return stops_; }
  HitStore& hits() override { return hits_; }
  HoldingStore& holdings() override { return holdings_; }
  RetentionStore& retention() override { return retention_; }
  SealedCopyStore& sealed_copies() override { return sealed_copies_; }
  SealedListStore& sealed_lists() override { return sealed_lists_; }
  BoundTables& bound_tables() override { return bound_tables_; }
  const AgreementStore& agreements() const override { return agreements_; }
  const AgreementLifeStore& agreement_life() const override { return agreement_life_; }
  const WatchlistStore& watchlists() const override { return watchlists_; }
  const DeploymentStore& deployments() const override { return deployments_; }
  const AlertStore& alerts() const override { return alerts_; }
  const AuditStore& audit() const override { return audit_; }
  const CheckpointStore& checkpoints() const override { return checkpoints_; }
  const CapacityStore& capacity() const override { return capacity_; }
  const ReplayStore& replays() const override { return replays_; }
  const PersonStore& people() const override { return people_; }
  const ApprovalStore& approvals() const override { return approvals_; }
  const NoticeStore& notices() const override { return notices_; }
  const SettingStore& settings() const override { return settings_; }
  const PeerStore& peers() const override { return peers_; }
  const OutboxStore& outbox() const override { return outbox_; }
  const StopStore& stops() const override { return stops_; }
  const HitStore& hits() const override { return hits_; }
  const HoldingStore& holdings() const override { return holdings_; }
  const RetentionStore& retention() const override { return retention_; }
  const SealedCopyStore& sealed_copies() const override { return sealed_copies_; }
  const SealedListStore& sealed_lists() const override { return sealed_lists_; }
  const BoundTables& bound_tables() const override { return bound_tables_; }

 private:
  SqlAgreementStore agreements_;
  SqlAgreementLifeStore agreement_life_;
  SqlWatchlistStore watchlists_;
  SqlDeploymentStore deployments_;
  SqlAlertStore alerts_;
  SqlAuditStore audit_;
  SqlCheckpointStore checkpoints_;
  SqlCapacityStore capacity_;
  SqlReplayStore replays_;
  SqlPersonStore people_;
  SqlApprovalStore approvals_;
  SqlNoticeStore notices_;
  SqlSettingStore settings_;
  SqlPeerStore peers_;
  SqlOutboxStore outbox_;
  SqlStopStore stops_;
  SqlHitStore hits_;
  SqlHoldingStore holdings_;
  SqlRetentionStore retention_;
  SqlSealedCopyStore sealed_copies_;
  SqlSealedListStore sealed_lists_;
  SqlBoundTables bound_tables_;
};

}  // namespace comity::store
