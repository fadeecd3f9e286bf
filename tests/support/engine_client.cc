// SPDX-License-Identifier: Apache-2.0
#include "tests/support/engine_client.h"

#include <utility>

#include "services/gateway/wire/convert_time.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "services/transport/status.h"

namespace comity::testing {

Result<std::unique_ptr<EngineClient>> EngineClient::Open(const EngineSettings& settings,
                                                         const std::string& deployment,
                                                         const runtime::Clock& clock) {
  COMITY_ASSIGN_OR_RETURN(const transport::Address address,
                          transport::ParseAddress(settings.gateway));
  COMITY_ASSIGN_OR_RETURN(
      const auto channel,
      transport::OpenChannel({address,
                              settings.identity_file,
                              {settings.agency, settings.gateway_id, settings.roots_file, {}}},
                             {transport::limits::kMaxAgencyMessage, clock}));
  std::unique_ptr<EngineClient> client(new EngineClient(clock));
  client->stub_ = v1::Recognition::NewStub(channel);
  client->stream_ = client->stub_->Watch(&client->context_);
  v1::WatchRequest request;
  request.mutable_open()->set_deployment(deployment);
  v1::WatchResponse response;
  if (!client->stream_->Write(request) || !client->stream_->Read(&response)) {
    COMITY_RETURN_IF_ERROR(client->Finish());
    return Fail(ErrorCode::kUnavailable, "the stream ended before it opened");
  }
  client->opened_ = response.opened();
  return client;
}

bool EngineClient::Send(const Face& face) {
  v1::WatchRequest request;
  v1::WatchProbe& probe = *request.mutable_probe();
  probe.set_sequence(face.sequence);
  probe.set_capture_ref(face.capture_ref);
  probe.set_camera(face.camera);
  *probe.mutable_captured_at() = gateway::ToProto(clock_.Now());
  probe.set_embedding(face.embedding.data(), face.embedding.size_bytes());
  probe.set_track(face.track);
  return stream_->Write(request);
}

Result<v1::WatchAnswer> EngineClient::Receive() {
  v1::WatchResponse response;
  if (!stream_->Read(&response)) return Fail(ErrorCode::kNotFound, "the stream has ended");
  return std::move(*response.mutable_answer());
}

Status EngineClient::Finish() {
  const grpc::Status status = stream_->Finish();
  if (status.ok()) return {};
  return Fail(transport::FromLocalGrpcStatus(status));
}

}  // namespace comity::testing
