// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "services/gateway/agency/backup_service.h"
#include "services/gateway/agency/retention_service.h"
#include "services/gateway/storage.h"
#include "services/identity/lone_acts.h"
#include "services/identity/notices.h"
#include "services/oversight/retention.h"

namespace comity::gateway {

// Retention, erasure, backup and restoration, put together.
//
// Threads: made by one thread; then thread-safe.
class RetentionSide {
 public:
  struct Ports {
    const runtime::Config& config;
    const IdentityKeys& keys;
    policy::AgencyId own;
    Storage& storage;
    AgencyCallers& callers;
    identity::Approvals& approvals;
    identity::Notices& notices;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
    std::vector<oversight::RetentionDesk::Eraser> erasers;
    std::function<std::vector<policy::AgencyId>()> partners;
    std::function<void()> confirmed;  // two people let the restored node work again
  };
  // All references must outlive the object.
  explicit RetentionSide(Ports ports);

  RetentionService& retention() { return *retention_; }
  BackupService& backup() { return *backup_; }
  // About every ten seconds.
  void Housekeep();

 private:
  Ports ports_;
  const identity::LoneActs lone_acts_;
  std::optional<oversight::RetentionDesk> desk_;
  std::optional<RetentionService> retention_;
  std::optional<BackupService> backup_;
};

}  // namespace comity::gateway
