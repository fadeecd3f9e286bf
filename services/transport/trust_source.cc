// SPDX-License-Identifier: Apache-2.0
#include "services/transport/trust_source.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <ctime>
#include <string_view>
#include <utility>

#include "crypto/base/check.h"
#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/limits.h"

namespace comity::transport {
namespace {

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileStamp StampOf(const std::filesystem::path& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {true,
          info.st_dev,
          info.st_ino,
          info.st_size,
          Nanoseconds(info.st_mtim),
          Nanoseconds(info.st_ctim)};
}

Error InFile(const std::filesystem::path& path, ErrorCode code, std::string_view detail) {
  return {code, path.string() + ": " + std::string(detail)};
}

Result<std::string> AnchorText(const TrustSource& source) {
  if (source.anchor_file.empty()) return source.anchor_pem;
  return runtime::ReadTextFile(source.anchor_file, limits::kMaxTrustFile);
}

Error InAnchors(const TrustSource& source, ErrorCode code, std::string_view detail) {
  if (!source.anchor_file.empty()) return InFile(source.anchor_file, code, detail);
  return {code, "the enrolled CA certificate: " + std::string(detail)};
}

Status ReadAnchors(const TrustSource& source, LoadedTrust& loaded) {
  const auto text = AnchorText(source);
  if (!text) return Fail(text.error());
  auto anchors = ParseCertificates(*text);
  if (!anchors) return Fail(InAnchors(source, anchors.error().code, anchors.error().detail));
  for (int i = 0; i < sk_X509_num(anchors->get()); ++i) {
    X509* anchor = sk_X509_value(anchors->get(), i);
    if (!IsRoot(anchor)) {
      return Fail(InAnchors(
          source, ErrorCode::kInvalidArgument,
          "certificate " + std::to_string(i + 1) + " is not a self-signed CA certificate"));
    }
    COMITY_CHECK(X509_STORE_add_cert(loaded.store.get(), anchor) == 1);
    loaded.anchors_pem += EncodePem(*anchor);
  }
  loaded.anchors = std::move(*anchors);
  return {};
}

Status ReadRevocationLists(const TrustSource& source, LoadedTrust& loaded) {
  if (!source.crl_file) return {};
  const auto text = runtime::ReadTextFile(*source.crl_file, limits::kMaxTrustFile);
  if (!text) return Fail(ErrorCode::kUnavailable, text.error().detail);
  auto crls = ParseRevocationLists(*text);
  if (!crls) return Fail(InFile(*source.crl_file, ErrorCode::kUnavailable, crls.error().detail));
  for (int i = 0; i < sk_X509_CRL_num(crls->get()); ++i) {
    X509_STORE_add_crl(loaded.store.get(), sk_X509_CRL_value(crls->get(), i));  // twice: harmless
  }
  ERR_clear_error();
  loaded.crls = std::move(*crls);
  // Every CA of the chain needs a list: a revoked issuing CA must not go unnoticed.
  X509_STORE_set_flags(loaded.store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

bool IsPast(const ASN1_TIME* moment, runtime::Instant now) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  return moment == nullptr || X509_cmp_time(moment, &seconds) < 1;
}

}  // namespace

bool SpeaksFor(const TrustSource& source, const PeerIdentity& identity) {
  const bool is_gateway = identity.kind == PeerKind::kGateway;
  return identity.trust_domain == source.trust_domain && is_gateway != source.own_people;
}

std::vector<FileStamp> StampsOf(const TrustSource& source) {
  std::vector<FileStamp> stamps;
  if (!source.anchor_file.empty()) stamps.push_back(StampOf(source.anchor_file));
  if (source.crl_file) stamps.push_back(StampOf(*source.crl_file));
  return stamps;
}

std::shared_ptr<const LoadedTrust> LoadTrust(const TrustSource& source) {
  auto loaded = std::make_shared<LoadedTrust>();
  // Stamped before it is read: a change in between is seen at the next look.
  loaded->stamps = StampsOf(source);
  loaded->store.reset(X509_STORE_new());
  COMITY_CHECK(loaded->store != nullptr);
  loaded->usable = ReadAnchors(source, *loaded);
  loaded->anchors_read = loaded->usable.has_value();
  if (loaded->usable) {
    loaded->usable = ReadRevocationLists(source, *loaded);
  } else {
    loaded->anchors_pem.clear();
  }
  return loaded;
}

std::vector<std::string> FaultsOf(const TrustSource& source, const LoadedTrust& loaded,
                                  runtime::Instant now) {
  std::vector<std::string> faults;
  if (!loaded.usable) faults.push_back(source.agency + ": " + loaded.usable.error().detail);
  int usable_anchors = 0;
  for (int i = 0; loaded.anchors && i < sk_X509_num(loaded.anchors.get()); ++i) {
    const X509* anchor = sk_X509_value(loaded.anchors.get(), i);
    usable_anchors += IsPast(X509_get0_notAfter(anchor), now) ? 0 : 1;
  }
  if (loaded.anchors && usable_anchors == 0) {
    faults.push_back(
        source.agency + ": " +
        InAnchors(source, ErrorCode::kUnavailable, "every trust anchor has expired").detail);
  }
  for (int i = 0; loaded.crls && i < sk_X509_CRL_num(loaded.crls.get()); ++i) {
    if (!IsPast(X509_CRL_get0_nextUpdate(sk_X509_CRL_value(loaded.crls.get(), i)), now)) continue;
    faults.push_back(source.agency + ": " + source.crl_file->string() +
                     ": the revocation list has expired; install a fresh one");
  }
  return faults;
}

}  // namespace comity::transport
