// SPDX-License-Identifier: Apache-2.0
#include "services/transport/validity.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>

#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/limits.h"

namespace comity::transport {
namespace {

// A time that cannot be read is one long past: nothing is valid then.
runtime::Instant InstantOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return runtime::Instant(std::chrono::seconds(timegm(&parts)));
}

Validity ValidityOf(const X509& certificate) {
  return {InstantOf(X509_get0_notBefore(&certificate)),
          InstantOf(X509_get0_notAfter(&certificate))};
}

Validity ValidityOf(const X509_CRL& crl) {
  return {InstantOf(X509_CRL_get0_lastUpdate(&crl)), InstantOf(X509_CRL_get0_nextUpdate(&crl))};
}

Validity Both(const Validity& left, const Validity& right) {
  return {std::max(left.from, right.from), std::min(left.until, right.until)};
}

}  // namespace

Result<Validity> ValidityOfLeaf(std::string_view pem) {
  COMITY_ASSIGN_OR_RETURN(const CertificateChain chain, ParseCertificateChain(pem));
  return ValidityOf(*chain.leaf);
}

Result<Validity> ValidityOfAnchors(const std::filesystem::path& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string pem,
                          runtime::ReadTextFile(file, limits::kMaxTrustFile));
  COMITY_ASSIGN_OR_RETURN(const X509StackPtr anchors, ParseCertificates(pem));
  Validity all = ValidityOf(*sk_X509_value(anchors.get(), 0));
  for (int i = 1; i < sk_X509_num(anchors.get()); ++i) {
    all = Both(all, ValidityOf(*sk_X509_value(anchors.get(), i)));
  }
  return all;
}

Result<Validity> ValidityOfRevocationLists(const std::filesystem::path& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string pem,
                          runtime::ReadTextFile(file, limits::kMaxTrustFile));
  COMITY_ASSIGN_OR_RETURN(const CrlStackPtr crls, ParseRevocationLists(pem));
  Validity all = ValidityOf(*sk_X509_CRL_value(crls.get(), 0));
  for (int i = 1; i < sk_X509_CRL_num(crls.get()); ++i) {
    all = Both(all, ValidityOf(*sk_X509_CRL_value(crls.get(), i)));
  }
  return all;
}

}  // namespace comity::transport
