// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "comity/v1/retention.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/gateway/wire/places.h"
#include "services/identity/approvals.h"
#include "services/oversight/backup_maker.h"
#include "services/oversight/restoration.h"

namespace comity::gateway {

// comity.v1.Backup at the agency port; carries out the act restore-confirm. Threads: thread-safe.
class BackupService final : public v1::Backup::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    identity::Approvals& approvals;
    oversight::BackupSources sources;
    oversight::RestoreConfirm::Setup confirm;
    const oversight::Reunion& reunion;
    std::function<std::vector<policy::AgencyId>()> partners;  // all that are enrolled
  };
  // All references must outlive the object.
  explicit BackupService(Ports ports);

  grpc::Status Make(grpc::ServerContext* context, const v1::MakeBackupRequest* request,
                    grpc::ServerWriter<v1::BackupChunk>* writer) override;
  grpc::Status Restoration(grpc::ServerContext* context, const v1::RestorationRequest* request,
                           v1::RestorationResponse* response) override;
  grpc::Status Confirm(grpc::ServerContext* context, const v1::ConfirmRestorationRequest* request,
                       v1::PendingAct* response) override;

 private:
  Result<oversight::Restoration> Look() const;

  Ports ports_;
  oversight::RestoreConfirm confirm_;
  Places one_{1};  // a backup at a time
};

}  // namespace comity::gateway
