// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/channel_arguments.h>

namespace comity::transport {

// The client's side of limits.h: keepalive, reconnection, message size; no retries, no proxy.
grpc::ChannelArguments ChannelArgumentsFor(int max_message_size);

}  // namespace comity::transport
