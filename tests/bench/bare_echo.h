// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "comity/v1/federation.grpc.pb.h"

namespace comity::bench {

// Nothing but the echo, so that what is measured is the transport's alone.
class BareEcho final : public v1::Federation::Service {
 public:
  BareEcho() = default;
  // Answers a stream's messages with so many octets each.
  explicit BareEcho(std::size_t answer_octets) : answer_(v1::SignedMessage()) {
    answer_->set_payload(std::string(answer_octets, 'a'));
  }
  grpc::Status Hello(grpc::ServerContext*, const v1::SignedMessage* request,
                     v1::SignedMessage* response) override {
    *response = *request;
    return grpc::Status::OK;
  }
  grpc::Status Search(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::SignedMessage, v1::SignedMessage>* stream) override {
    v1::SignedMessage message;
    while (stream->Read(&message) && stream->Write(answer_ ? *answer_ : message)) {
    }
    return grpc::Status::OK;
  }

 private:
  std::optional<v1::SignedMessage> answer_;  // nothing: what was asked
};

}  // namespace comity::bench
