// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "comity/v1/alerts.grpc.pb.h"
#include "services/casework/alerts.h"
#include "services/gateway/wire/callers.h"

namespace comity::gateway {

// With what of the hit a person in these roles may see (AG-9).
v1::Alert ToProto(const casework::Alert& alert, identity::RoleSet roles);

// comity.v1.Alerts at the agency port. Threads: thread-safe.
class AlertsService final : public v1::Alerts::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    casework::AlertDesk& alerts;
    audit::Journal& journal;
    policy::AgencyId self;
    const runtime::Clock& clock;
    std::stop_token stop;  // ends the open streams
  };
  // All references must outlive the object.
  explicit AlertsService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status List(grpc::ServerContext* context, const v1::ListAlertsRequest* request,
                    v1::ListAlertsResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchAlertsRequest* request,
                     grpc::ServerWriter<v1::Alert>* writer) override;
  grpc::Status Acknowledge(grpc::ServerContext* context, const v1::AcknowledgeAlertRequest* request,
                           v1::Alert* response) override;
  grpc::Status Open(grpc::ServerContext* context, const v1::OpenAlertRequest* request,
                    v1::AlertOpening* response) override;

 private:
  // Who is shown how many alerts: recorded before they are (LG-1).
  Status RecordRead(const identity::Caller& caller, std::string_view how, std::size_t alerts) const;

  Ports ports_;
};

}  // namespace comity::gateway
