// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/federation.grpc.pb.h"

namespace comity::bench {

// Nothing but the echo, so that what is measured is the transport's alone.
class BareEcho final : public v1::Federation::Service {
 public:
  grpc::Status Hello(grpc::ServerContext*, const v1::SignedMessage* request,
                     v1::SignedMessage* response) override {
    *response = *request;
    return grpc::Status::OK;
  }
  grpc::Status Search(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override {
    v1::SignedMessage message;
    while (stream->Read(&message) && stream->Write(message)) {
    }
    return grpc::Status::OK;
  }
};

}  // namespace comity::bench
