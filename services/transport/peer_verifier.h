// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/security/tls_certificate_verifier.h>

#include <functional>
#include <memory>
#include <string>

#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/transport/trust_store.h"

namespace comity::transport {

// The handshake's last word: asks the TrustStore about what the peer showed. Called once a
// connection, on either side; replaces the check of the host name on the client's.
struct PeerVerifierSettings {
  std::shared_ptr<TrustStore> trust;
  const runtime::Clock& clock;
  PeerRole role = PeerRole::kClient;  // of the peer
  std::function<void(const Error&)> on_refusal;
  std::string agency{};  // it must be this one; empty: any that the store knows
};
std::shared_ptr<grpc::experimental::CertificateVerifier> MakePeerVerifier(
    PeerVerifierSettings settings);

}  // namespace comity::transport
