// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <chrono>
#include <optional>

#include "policy/model/instant.h"

namespace comity::gateway {

// A gateway's time beside its answer to Hello, in the trailing metadata `comity-time-ms`, also when
// it refuses the message for its time: the caller can then tell its people whose clock is off. No
// signature covers it, so it serves words and decides nothing.

// In: context  of a call by a partner whose certificate was verified; once a call
void AddClockHint(grpc::ServerContext& context, policy::Instant now);

// The other clock minus ours; nothing if the answer has no hint, or none that is a time.
//
// In: context  of a call that has ended; untrusted
//     halfway  our time in the middle of the call
std::optional<std::chrono::milliseconds> ClockHintOf(const grpc::ClientContext& context,
                                                     policy::Instant halfway);

}  // namespace comity::gateway
