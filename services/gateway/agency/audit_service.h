// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/audit.grpc.pb.h"
#include "services/audit/log.h"
#include "services/gateway/agency/payload_opening.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/lone_acts.h"

namespace comity::gateway {

// comity.v1.Audit at the agency port. Threads: thread-safe.
class AuditService final : public v1::Audit::Service {
 public:
  struct Ports {
    policy::AgencyId self;
    AgencyCallers& callers;
    audit::Log& log;
    const runtime::Clock& clock;
    PayloadOpening& opening;
    const identity::LoneActs& lone_acts;
  };
  // All references must outlive the object.
  explicit AuditService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Export(grpc::ServerContext* context, const v1::ExportAuditRequest* request,
                      grpc::ServerWriter<v1::ExportedChunk>* writer) override;
  grpc::Status Prove(grpc::ServerContext* context, const v1::ProveAuditRequest* request,
                     v1::ProveAuditResponse* response) override;
  grpc::Status RequestOpening(grpc::ServerContext* context,
                              const v1::RequestOpeningRequest* request,
                              v1::PendingAct* response) override;
  grpc::Status Open(grpc::ServerContext* context, const v1::OpenPayloadsRequest* request,
                    grpc::ServerWriter<v1::OpenedEntry>* writer) override;

 private:
  audit::Event EventOf(std::string_view type, const identity::Caller& caller) const;
  Ports ports_;
};

}  // namespace comity::gateway
