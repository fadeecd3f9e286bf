// SPDX-License-Identifier: Apache-2.0
#include "services/transport/credentials.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <utility>

#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/certificate_builder.h"
#include "services/transport/connection_settings.h"
#include "services/transport/limits.h"
#include "services/transport/peer_verifier.h"

namespace comity::transport {
namespace {

using grpc::experimental::CertificateProviderInterface;
using grpc::experimental::FileWatcherCertificateProvider;
using grpc::experimental::TlsChannelCredentialsOptions;
using grpc::experimental::TlsServerCredentialsOptions;

constexpr unsigned int kFileWatchSeconds = 1;  // gRPC's least
// How often the bundle is compared with the trust store: a partner that was just enrolled waits for
// this and for gRPC's look.
constexpr std::chrono::milliseconds kBundleCheck{250};
constexpr char kBundleName[] = "anchors.pem";

// Without peers gRPC still wants an anchor: one whose key is forgotten at once lets nobody in.
std::string NobodysAnchor(runtime::Instant now) {
  const PkeyPtr key = GenerateTlsKey();
  CertificateSpec spec;
  spec.organisation = "nobody";
  spec.common_name = "nobody";
  spec.not_before = now;
  spec.not_after = now + std::chrono::days(1);
  spec.is_authority = true;
  return EncodePem(*MakeCertificate(spec, key.get(), Issuer{nullptr, key.get()}));
}

std::string BundleOf(TrustStore& trust, const runtime::Clock& clock) {
  std::string bundle = trust.AnchorBundle();
  return bundle.empty() ? NobodysAnchor(clock.Now()) : bundle;
}

Result<std::filesystem::path> MakeBundleFolder() {
  std::error_code fault;
  std::string name =
      (std::filesystem::temp_directory_path(fault) / "comity-anchors-XXXXXX").string();
  if (fault || mkdtemp(name.data()) == nullptr) {
    return Fail(ErrorCode::kUnavailable, "no private folder for the trust anchors could be made");
  }
  return std::filesystem::path(name);
}

// One file with key and chain for both: two files cannot be replaced at one moment.
std::shared_ptr<FileWatcherCertificateProvider> Watch(const std::filesystem::path& identity,
                                                      const std::filesystem::path& anchors) {
  return std::make_shared<FileWatcherCertificateProvider>(identity.string(), identity.string(),
                                                          anchors.string(), kFileWatchSeconds);
}

// Keeps gRPC's anchor file equal to what the TrustStore holds until `stop`.
// In: look  called each time
void KeepBundle(std::stop_token stop, const std::filesystem::path& file,
                const std::shared_ptr<TrustStore>& trust, const runtime::Clock& clock,
                const std::function<void()>& look) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::string written = trust->AnchorBundle();
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, stop, kBundleCheck, [&] { return stop.stop_requested(); })) {
    look();
    std::string current = trust->AnchorBundle();
    if (current == written) continue;
    const std::string bundle = current.empty() ? NobodysAnchor(clock.Now()) : current;
    // A full disk leaves the old anchors, which the verifier judges anew anyway; next round tries
    // again.
    if (runtime::WriteFile(file, AsBytes(bundle), 0600)) written = std::move(current);
  }
}

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::shared_ptr<CertificateProviderInterface>& provider, PeerVerifierSettings verifier,
    const Address& address, int max_message_size) {
  TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_check_call_host(false);
  options.set_certificate_verifier(MakePeerVerifier(std::move(verifier)));
  return grpc::CreateCustomChannel(address.text(), grpc::experimental::TlsCredentials(options),
                                   ChannelArgumentsFor(max_message_size));
}

Result<VerifiedPeer> PeerOf(const grpc::AuthContext& auth, TrustStore& trust, runtime::Instant now,
                            PeerRole role) {
  std::string pem;
  for (const char* property :
       {GRPC_X509_PEM_CERT_PROPERTY_NAME, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME}) {
    for (const grpc::string_ref& value : auth.FindPropertyValues(property)) {
      pem.append(value.data(), value.size());
    }
  }
  if (pem.empty()) return Fail(ErrorCode::kUnauthenticated, "the call has no certificate");
  return trust.Verify(pem, now, role);
}

}  // namespace

Result<std::unique_ptr<ServerTls>> ServerTls::Open(Settings settings) {
  COMITY_ASSIGN_OR_RETURN(const OwnCertificate own, ReadOwnCertificate(settings.identity_file));
  std::unique_ptr<ServerTls> tls(new ServerTls(settings));
  tls->shown_.With([&](auto& shown) { shown.insert(own.fingerprint); });
  COMITY_ASSIGN_OR_RETURN(tls->folder_, MakeBundleFolder());
  const std::filesystem::path bundle = tls->folder_ / kBundleName;
  COMITY_RETURN_IF_ERROR(
      runtime::WriteFile(bundle, AsBytes(BundleOf(*settings.trust, settings.clock)), 0600));

  tls->provider_ = Watch(settings.identity_file, bundle);
  TlsServerCredentialsOptions options(tls->provider_);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      MakePeerVerifier({settings.trust, settings.clock, PeerRole::kClient, settings.on_refusal}));
  tls->credentials_ = grpc::experimental::TlsServerCredentials(options);
  std::error_code ignored;
  tls->refresh_ =
      std::jthread([tls = tls.get(), bundle,
                    seen = std::filesystem::last_write_time(settings.identity_file, ignored)](
                       std::stop_token stop) mutable {
        KeepBundle(stop, bundle, tls->settings_.trust, tls->settings_.clock, [&] {
          std::error_code fault;
          const auto changed =
              std::filesystem::last_write_time(tls->settings_.identity_file, fault);
          if (fault || changed == seen) return;
          seen = changed;
          tls->NoteShown();
        });
      });
  return tls;
}

ServerTls::~ServerTls() {
  refresh_.request_stop();
  if (refresh_.joinable()) refresh_.join();
  credentials_.reset();  // stops gRPC's watch of the folder, if no server holds them any more
  provider_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

void ServerTls::NoteShown() const {
  // A file that is just being replaced is looked at again when it matters: HasShown.
  const auto own = ReadOwnCertificate(settings_.identity_file);
  if (!own) return;
  shown_.With([&](auto& shown) { shown.insert(own->fingerprint); });
}

bool ServerTls::HasShown(const Digest& fingerprint) const {
  const auto is_known = [&] {
    return shown_.With([&](const auto& shown) { return shown.contains(fingerprint); });
  };
  if (is_known()) return true;
  NoteShown();  // gRPC may have looked at the file before the refresh did
  return is_known();
}

std::shared_ptr<grpc::Channel> ServerTls::ChannelTo(const std::string& agency,
                                                    const Address& address,
                                                    int max_message_size) const {
  return MakeChannel(provider_,
                     {settings_.trust, settings_.clock, PeerRole::kServer, nullptr, agency},
                     address, max_message_size);
}

Result<std::shared_ptr<grpc::Channel>> OpenChannel(const ChannelTarget& target,
                                                   const ChannelSettings& settings) {
  COMITY_RETURN_IF_ERROR(ReadOwnCertificate(target.identity_file));
  COMITY_ASSIGN_OR_RETURN(std::shared_ptr<TrustStore> trust,
                          TrustStore::ForFederation({target.peer}));
  return MakeChannel(Watch(target.identity_file, target.peer.anchor_file),
                     {std::move(trust), settings.clock, PeerRole::kServer, nullptr}, target.address,
                     settings.max_message_size);
}

Result<VerifiedPeer> CallerOf(const grpc::ServerContextBase& context, TrustStore& trust,
                              runtime::Instant now) {
  return PeerOf(*context.auth_context(), trust, now, PeerRole::kClient);
}

Result<VerifiedPeer> ServerOf(const grpc::ClientContext& context, TrustStore& trust,
                              runtime::Instant now) {
  const auto auth = context.auth_context();
  if (!auth) return Fail(ErrorCode::kUnauthenticated, "the call has no connection");
  return PeerOf(*auth, trust, now, PeerRole::kServer);
}

}  // namespace comity::transport
