// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "comity/v1/stops.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/approvals.h"
#include "services/oversight/stops.h"

namespace comity::gateway {

// comity.v1.Stops at the agency port. Threads: thread-safe.
class StopsService final : public v1::Stops::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    oversight::Stops& stops;
    identity::Approvals& approvals;
    // Whether there is something of this scope and reference to be stopped.
    std::function<bool(oversight::StopScope, const std::string&)> exists;
  };
  // References must outlive the object.
  explicit StopsService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status Set(grpc::ServerContext* context, const v1::SetStopRequest* request,
                   v1::Stop* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListStopsRequest* request,
                    v1::ListStopsResponse* response) override;
  grpc::Status Lift(grpc::ServerContext* context, const v1::LiftStopRequest* request,
                    v1::PendingAct* response) override;

 private:
  Ports ports_;
};

}  // namespace comity::gateway
