// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/retention_side.h"

#include <utility>

#include "services/gateway/database.h"
#include "services/gateway/wire/version.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::gateway {

RetentionSide::RetentionSide(Ports ports)
    : ports_(std::move(ports)),
      lone_acts_({ports_.notices, ports_.storage.store(), ports_.storage.log(), ports_.clock}) {
  Storage& storage = ports_.storage;
  desk_.emplace(oversight::RetentionDesk::Setup{storage.store(), storage.log(), ports_.notices,
                                                storage.ledger(), ports_.own, ports_.clock,
                                                std::move(ports_.erasers)});
  retention_.emplace(RetentionService::Ports{ports_.callers, ports_.approvals, *desk_,
                                             storage.ledger(), storage.store(), ports_.own,
                                             ports_.clock, lone_acts_});
  const auto copy = [&config = ports_.config](const std::filesystem::path& file,
                                              store::RestorationRecord restoration) {
    return CopyDatabase(config, file, std::move(restoration));
  };
  backup_.emplace(BackupService::Ports{
      ports_.callers,
      ports_.approvals,
      {storage.log(), storage.ledger(), copy, *ports_.keys.agency, ports_.keys.kek,
       ports_.config.data_directory, storage.log_origin(), ports_.own,
       static_cast<std::uint32_t>(store::SqliteSchemaVersion()), std::string(kSoftware),
       ports_.clock, ports_.random, &lone_acts_},
      {storage.store(), ports_.notices, ports_.own, ports_.clock, ports_.confirmed},
      storage.reunion(),
      ports_.partners});
}

void RetentionSide::Housekeep() {
  if (const Status done = desk_->Housekeep(); !done) {
    ports_.logger.Error("erasure-failed", {{"reason", done.error().detail}});
  }
}

}  // namespace comity::gateway
