// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/retention.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/identity/lone_acts.h"
#include "services/oversight/erasure_ledger.h"
#include "services/oversight/retention.h"
#include "services/oversight/retention_hold.h"

namespace comity::gateway {

// comity.v1.Retention at the agency port; carries out the acts retention-hold and
// retention-release. Threads: thread-safe.
class RetentionService final : public v1::Retention::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    identity::Approvals& approvals;
    oversight::RetentionDesk& desk;
    const oversight::ErasureLedger& ledger;
    const store::Store& store;
    policy::AgencyId own;
    const runtime::Clock& clock;
    const identity::LoneActs& lone_acts;
  };
  // All references must outlive the object.
  explicit RetentionService(Ports ports);

  grpc::Status Due(grpc::ServerContext* context, const v1::RetentionDueRequest* request,
                   v1::RetentionDueResponse* response) override;
  grpc::Status Run(grpc::ServerContext* context, const v1::RetentionRunRequest* request,
                   v1::RetentionRunResponse* response) override;
  grpc::Status Report(grpc::ServerContext* context, const v1::RetentionReportRequest* request,
                      v1::RetentionReportResponse* response) override;
  grpc::Status Holds(grpc::ServerContext* context, const v1::RetentionHoldsRequest* request,
                     v1::RetentionHoldsResponse* response) override;
  grpc::Status Hold(grpc::ServerContext* context, const v1::RetentionHoldRequest* request,
                    v1::PendingAct* response) override;
  grpc::Status Release(grpc::ServerContext* context, const v1::RetentionReleaseRequest* request,
                       v1::PendingAct* response) override;

 private:
  Ports ports_;
  oversight::PlaceHold place_;
  oversight::ReleaseHold release_;
};

}  // namespace comity::gateway
