// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "crypto/base/result.h"
#include "services/transport/address.h"

namespace comity::transport {

// What stands at the other end of a TLS handshake in which nothing is trusted.
struct ShownIdentity {
  std::string pem_chain;  // leaf first; untrusted: TrustStore says whose it is
  bool admits = false;    // it took this side's certificate and went on
  std::string refusal;    // else what TLS says of its end, in words
};

// Makes a TLS 1.3 connection as a gateway would, looks at what is shown, and closes it. Nothing is
// asked and nothing secret is sent. For whoever looks for the cause of a failed connection: gRPC
// tells only that one failed.
//
// In:     identity_file  ONE PEM with key and chain, which is shown to the other end
//         patience       for each step: connecting, the handshake, the first octets after it
// Errors: kUnavailable      no TCP connection, or what answers speaks no TLS 1.3; in words
//         kInvalidArgument  the identity file cannot be used
// Threads: safe from any thread.
Result<ShownIdentity> ProbeHandshake(const Address& address,
                                     const std::filesystem::path& identity_file,
                                     std::chrono::milliseconds patience);

}  // namespace comity::transport
