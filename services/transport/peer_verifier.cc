// SPDX-License-Identifier: Apache-2.0
#include "services/transport/peer_verifier.h"

#include <string>
#include <utility>

namespace comity::transport {
namespace {

using grpc::experimental::CertificateVerifier;
using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// Threads: thread-safe, as gRPC calls it from several.
class PeerVerifier final : public ExternalCertificateVerifier {
 public:
  explicit PeerVerifier(PeerVerifierSettings settings) : settings_(std::move(settings)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const auto leaf = request->peer_cert();
    const auto rest = request->peer_cert_full_chain();
    std::string pem(leaf.data(), leaf.size());
    pem.append(rest.data(), rest.size());
    auto peer = settings_.trust->Verify(pem, settings_.clock.Now(), settings_.role);
    if (peer && !settings_.agency.empty() && peer->agency != settings_.agency) {
      peer = Fail(ErrorCode::kUnauthenticated,
                  peer->agency + " answers where " + settings_.agency + " was expected");
    }
    if (peer) {
      *sync_status = grpc::Status::OK;
    } else {
      if (settings_.on_refusal) settings_.on_refusal(peer.error());
      // Stays in this process: the other side sees a closed connection only.
      *sync_status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, peer.error().detail);
    }
    return true;  // judged at once
  }

  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const PeerVerifierSettings settings_;
};

}  // namespace

std::shared_ptr<CertificateVerifier> MakePeerVerifier(PeerVerifierSettings settings) {
  return ExternalCertificateVerifier::Create<PeerVerifier>(std::move(settings));
}

}  // namespace comity::transport
