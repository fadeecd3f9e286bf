// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "services/cli/profile.h"
#include "services/cli/session.h"
#include "services/transport/status.h"

namespace comity::cli {

// A connection to the gateway of the profile.
//
// Threads: thread-safe; the session's clock must outlive it.
class OwnGateway {
 public:
  // Errors: those of LoadProfile; kInvalidArgument  identity or roots cannot be used
  static Result<OwnGateway> Open(const Session& session);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // A failed call as an Error that says which gateway it was.
  Error Describe(const grpc::Status& status) const;

  // One unary call: gateway.Call<v1::Agreements>(&v1::Agreements::Stub::List, request).
  template <typename Service, typename Request, typename Response>
  Result<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                        const Request& request, std::chrono::seconds patience = kPatience) const {
    const auto stub = Service::NewStub(channel_);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    Response response;
    const grpc::Status status = (stub.get()->*method)(&context, request, &response);
    if (!status.ok()) return Fail(Describe(status));
    return response;
  }

 private:
  // The gateway itself waits at most 10 s for a partner.
  static constexpr std::chrono::seconds kPatience{20};

  OwnGateway(std::shared_ptr<grpc::Channel> channel, std::string address)
      : channel_(std::move(channel)), address_(std::move(address)) {}
  std::shared_ptr<grpc::Channel> channel_;
  std::string address_;
};

}  // namespace comity::cli
