// SPDX-License-Identifier: Apache-2.0
#include "services/transport/chain_gap.h"

#include <openssl/crypto.h>

#include <memory>

#include "services/transport/certificate.h"

namespace comity::transport {
namespace {

std::string TextOf(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    return "a name that cannot be shown";
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// The certificate that the chain from the leaf ends at: each issuer is looked for among the others.
const X509* TopOf(const CertificateChain& chain) {
  const X509* top = chain.leaf.get();
  for (int turn = 0; turn < sk_X509_num(chain.others.get()); ++turn) {
    for (int i = 0; i < sk_X509_num(chain.others.get()); ++i) {
      const X509* other = sk_X509_value(chain.others.get(), i);
      if (X509_NAME_cmp(X509_get_subject_name(other), X509_get_issuer_name(top)) == 0) top = other;
    }
  }
  return top;
}

}  // namespace

std::optional<ChainGap> FindChainGap(std::string_view pem_chain, std::string_view pem_roots) {
  const auto chain = ParseCertificateChain(pem_chain);
  const auto roots = ParseCertificates(pem_roots);
  if (!chain || !roots) return std::nullopt;
  const X509* top = TopOf(*chain);
  ChainGap gap{TextOf(X509_get_subject_name(top)), TextOf(X509_get_issuer_name(top)), {}};
  for (int i = 0; i < sk_X509_num(roots->get()); ++i) {
    const X509* root = sk_X509_value(roots->get(), i);
    if (X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(top)) == 0) {
      return std::nullopt;
    }
    gap.roots.push_back(TextOf(X509_get_subject_name(root)));
  }
  return gap;
}

}  // namespace comity::transport
