// SPDX-License-Identifier: Apache-2.0
#include "services/transport/connection_settings.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <chrono>

#include "services/transport/call_connections.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"

namespace comity::transport {
namespace {

int Milliseconds(std::chrono::milliseconds duration) {
  return static_cast<int>(duration.count());
}

void SetKeepalive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(limits::kKeepaliveInterval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(limits::kKeepaliveTimeout));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(limits::kMinPingInterval));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             Milliseconds(limits::kMaxConnectionAge));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             Milliseconds(limits::kMaxConnectionAgeGrace));
}

// A thread reads a connection for as long as frames come: one that floods takes it from all others
// whose events the same queue has. gRPC has one such queue for each core.
void SetPollers(grpc::ServerBuilder& builder) {
  using Option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Option::MIN_POLLERS, limits::kMinPollersPerQueue);
  builder.SetSyncServerOption(Option::MAX_POLLERS, limits::kMaxPollersPerQueue);
}

void SetSizes(grpc::ServerBuilder& builder, int max_message_size) {
  builder.SetMaxReceiveMessageSize(max_message_size);
  builder.SetMaxSendMessageSize(max_message_size);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits::kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits::kMaxMetadataSize);
  grpc::ResourceQuota quota;
  quota.Resize(limits::kMaxServerMemory);
  quota.SetMaxThreads(limits::kMaxServerThreads);
  builder.SetResourceQuota(quota);
}

}  // namespace

void ApplyServerDefaults(grpc::ServerBuilder& builder, int max_message_size) {
  CallConnections::OfProcess();  // gRPC wants it before the first server
  grpc::EnableDefaultHealthCheckService(true);
  SetSizes(builder, max_message_size);
  SetKeepalive(builder);
  SetPollers(builder);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Milliseconds(limits::kHandshakeTimeout));
  // Two processes on one port would each get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Compression would let a small message grow beyond its limit and tell lengths of secrets apart.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
}

void LimitStreamWindow(grpc::ServerBuilder& builder, int octets) {
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, octets);
  // It would measure the line and make the window as large as that can carry.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
}

grpc::ChannelArguments ChannelArgumentsFor(int max_message_size) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(max_message_size);
  arguments.SetMaxSendMessageSize(max_message_size);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(limits::kKeepaliveInterval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(limits::kKeepaliveTimeout));
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, limits::kMaxMetadataSize);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // What a call may do is set here and not by a TXT record of the peer's name.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // A holder that restarts is asked again within seconds: a live search waits for it.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Milliseconds(limits::kFirstReconnect));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(limits::kMaxReconnect));
  // Channels do not share connections: each belongs to one identity and one peer.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace comity::transport
