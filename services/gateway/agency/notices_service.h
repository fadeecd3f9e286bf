// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <utility>

#include "comity/v1/notices.grpc.pb.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/notices.h"

namespace comity::gateway {

// comity.v1.Notices at the agency port. Threads: thread-safe.
class NoticesService final : public v1::Notices::Service {
 public:
  struct Ports {
    AgencyCallers& callers;
    identity::Notices& notices;
    std::stop_token stop;  // ends the open streams
  };
  // References must outlive the object.
  explicit NoticesService(Ports ports) : ports_(std::move(ports)) {}

  grpc::Status List(grpc::ServerContext* context, const v1::ListNoticesRequest* request,
                    v1::ListNoticesResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchNoticesRequest* request,
                     grpc::ServerWriter<v1::Notice>* writer) override;
  grpc::Status Acknowledge(grpc::ServerContext* context,
                           const v1::AcknowledgeNoticeRequest* request,
                           v1::AcknowledgeNoticeResponse* response) override;

 private:
  Ports ports_;
};

}  // namespace comity::gateway
