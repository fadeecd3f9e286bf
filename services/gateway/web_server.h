// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "crypto/base/result.h"
#include "services/runtime/metrics.h"
#include "services/transport/address.h"
#include "services/transport/connection_gate.h"

namespace comity::gateway {

// The web port (HTTPS, TLS 1.3): GET /healthz, /metrics (Prometheus text format), /log/checkpoint
// and /log/tile/... (c2sp.org/tlog-tiles). Nothing on it is about a person. The gateway's TLS
// identity is read anew for each handshake when its file has changed. Connections, handshakes,
// requests and responses have bounds (transport/limits.h, web_stream.h): what it takes from the
// rest of the gateway is eight threads and a few descriptors, whoever calls.
//
// Threads: thread-safe; owns its threads.
class WebServer {
 public:
  struct Settings {
    transport::Address address;
    std::filesystem::path identity_file;  // PEM: key and chain
    std::filesystem::path log_directory;  // holds checkpoint and tile/
    runtime::Metrics& metrics;
    std::function<std::string()> problem;                    // empty: healthy
    std::function<void()> before_metrics;                    // brings gauges up to date
    std::function<void(transport::GateRefusal)> on_refusal;  // of a connection; must not block
  };
  // Errors: kInvalidArgument  the identity file holds no key and certificate
  //         kUnavailable      the address cannot be bound
  static Result<std::unique_ptr<WebServer>> Start(Settings settings);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  int port() const;

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace comity::gateway
