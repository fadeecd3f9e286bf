// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "crypto/base/check.h"
#include "services/runtime/file.h"
#include "services/transport/pki.h"
#include "services/transport/trust_store.h"
#include "tests/support/temporary_directory.h"

namespace comity::testing {

// An agency's keys and certificates, made by `comity pki`'s own code in a folder of its own.
//
// Threads: thread-compatible.
class TestAgency {
 public:
  TestAgency(const std::string& agency, runtime::Instant now)
      : agency_(agency), domain_(agency + ".example") {
    COMITY_CHECK(transport::InitCa({agency_, domain_, root()}, now));
  }

  const std::string& agency() const { return agency_; }
  const std::string& domain() const { return domain_; }
  std::filesystem::path root() const { return folder_.path() / "pki"; }
  std::filesystem::path anchor() const { return root() / "ca" / "ca.pem"; }
  std::filesystem::path crl() const { return root() / "crl.pem"; }
  std::string gateway_id() const { return "spiffe://" + domain_ + "/gateway"; }

  transport::IssuedCertificate Issue(transport::PeerKind kind, const std::string& name,
                                     runtime::Instant now, int days = 90) {
    transport::IssueRequest request;
    request.kind = kind;
    request.name = name;
    request.days = days;
    request.renew = true;
    auto issued = transport::Issue(root(), request, now);
    COMITY_CHECK(issued.has_value());
    return *issued;
  }
  transport::IssuedCertificate IssueGateway(runtime::Instant now, int days = 90) {
    return Issue(transport::PeerKind::kGateway, "", now, days);
  }
  void Revoke(const std::string& serial, runtime::Instant now) {
    COMITY_CHECK(transport::Revoke(root(), {serial, {}}, now));
  }

  // How a partner pins this agency.
  transport::PinnedPeer AsPeer(bool with_crl = true) const {
    transport::PinnedPeer peer{agency_, gateway_id(), anchor(), {}};
    if (with_crl) peer.crl_file = crl();
    return peer;
  }
  // How the agency's own port trusts its engines and people.
  transport::OwnAgency AsOwn(bool with_crl = true) const {
    transport::OwnAgency own{agency_, domain_, anchor(), {}};
    if (with_crl) own.crl_file = crl();
    return own;
  }

 private:
  TemporaryDirectory folder_;
  std::string agency_;
  std::string domain_;
};

inline std::string ReadText(const std::filesystem::path& path) {
  const auto text = runtime::ReadTextFile(path, std::size_t{16} * 1024 * 1024);
  COMITY_CHECK(text.has_value());
  return *text;
}

}  // namespace comity::testing
