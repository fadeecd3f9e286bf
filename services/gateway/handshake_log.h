// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "services/gateway/wire/warning_fold.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// A connection, handshake or flood of calls that is turned away reaches no handler, hence no log
// entry: the program log says it, gathered, because anybody on the network can cause it.
//
// Threads: thread-safe.
class HandshakeLog {
 public:
  // References must outlive the object.
  HandshakeLog(const runtime::Clock& clock, runtime::Logger& logger)
      : fold_(clock,
              [&logger](const WarningFold::Warning& last, std::int64_t attempts) {
                logger.Warn(
                    "handshake-refused",
                    {{"port", last.method}, {"reason", last.error.detail}, {"attempts", attempts}});
              }),
        connections_(
            clock,
            [&logger](const WarningFold::Warning& last, std::int64_t attempts) {
              logger.Warn("connection-refused",
                          {{"port", last.method}, {"bound", last.subject}, {"attempts", attempts}});
            }),
        calls_(clock, [&logger](const WarningFold::Warning& last, std::int64_t attempts) {
          logger.Warn("calls-refused",
                      {{"port", last.method}, {"caller", last.subject}, {"attempts", attempts}});
        }) {}

  // What a port tells of each handshake that it refused. The object must outlive it.
  std::function<void(const Error&)> For(std::string_view port) {
    return [this, port = std::string(port)](const Error& error) {
      fold_.Add({.subject = {}, .method = port, .correlation = {}, .error = error});
    };
  }
  // A connection that was closed before its handshake.
  // In: bound  of limits.h, which it would have exceeded
  void AddConnection(std::string_view port, std::string_view bound) {
    connections_.Add({.subject = std::string(bound),
                      .method = std::string(port),
                      .correlation = {},
                      .error = {ErrorCode::kExhausted, {}}});
  }
  // A call that was refused before it got a thread. In: caller  its SPIFFE id
  void AddCall(std::string_view port, const std::string& caller) {
    calls_.Add({.subject = caller,
                .method = std::string(port),
                .correlation = {},
                .error = {ErrorCode::kExhausted, {}}});
  }
  void WriteRepeats() {
    calls_.WriteRepeats();
    fold_.WriteRepeats();
    connections_.WriteRepeats();
  }

 private:
  WarningFold fold_;
  WarningFold connections_;
  WarningFold calls_;
};

}  // namespace comity::gateway
