// SPDX-License-Identifier: Apache-2.0
#include "services/transport/own_anchor.h"

#include <cstddef>
#include <utility>

#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/limits.h"
#include "services/transport/trust_store.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxIdentityFile = std::size_t{256} * 1024;

}  // namespace

Result<std::string> OwnAnchor(const std::filesystem::path& identity_file,
                              const std::filesystem::path& roots_file, runtime::Instant now) {
  COMITY_ASSIGN_OR_RETURN(const OwnCertificate own, ReadOwnCertificate(identity_file));
  COMITY_ASSIGN_OR_RETURN(const SecretBytes identity,
                          runtime::ReadSecretFile(identity_file, kMaxIdentityFile));
  COMITY_ASSIGN_OR_RETURN(const std::string text,
                          runtime::ReadTextFile(roots_file, limits::kMaxTrustFile));
  COMITY_ASSIGN_OR_RETURN(const X509StackPtr roots, ParseCertificates(text));
  for (int i = 0; i < sk_X509_num(roots.get()); ++i) {
    std::string pem = EncodePem(*sk_X509_value(roots.get(), i));
    PinnedPeer self{"self", EncodeSpiffeId(own.identity), {}, {}, pem};
    const auto trust = TrustStore::ForFederation({std::move(self)});
    if (!trust) continue;
    if ((*trust)->Verify(AsText(identity.Expose()), now, PeerRole::kServer)) return pem;
  }
  return Fail(
      ErrorCode::kInvalidArgument,
      roots_file.string() + " holds no CA certificate that speaks for " + identity_file.string());
}

}  // namespace comity::transport
