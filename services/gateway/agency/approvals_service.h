// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "comity/v1/approvals.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"

namespace comity::gateway {

// comity.v1.Approvals at the agency port. An act is seen by those who may propose or approve it and
// by those who oversee. Threads: thread-safe.
class ApprovalsService final : public v1::Approvals::Service {
 public:
  // References must outlive the object.
  ApprovalsService(AgencyCallers& callers, identity::Approvals& approvals)
      : callers_(callers), approvals_(approvals) {}

  grpc::Status List(grpc::ServerContext* context, const v1::ListApprovalsRequest* request,
                    v1::ListApprovalsResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context, const v1::GetApprovalRequest* request,
                   v1::PendingAct* response) override;
  grpc::Status Decide(grpc::ServerContext* context, const v1::DecideApprovalRequest* request,
                      v1::PendingAct* response) override;

 private:
  Result<identity::PendingAct> Dispatch(const std::string& decision,
                                        const identity::Caller& caller);

  AgencyCallers& callers_;
  identity::Approvals& approvals_;
};

}  // namespace comity::gateway
