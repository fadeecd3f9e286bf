// SPDX-License-Identifier: Apache-2.0
#include "services/transport/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstddef>
#include <ctime>
#include <optional>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "services/runtime/file.h"
#include "services/transport/limits.h"

namespace comity::transport {
namespace {

constexpr std::size_t kMaxOwnFile = 256 * 1024;

// OpenSSL would ask for a pass phrase on the terminal; a daemon has none.
int RefusePassPhrase(char*, int, int, void*) {
  return -1;
}

BioPtr OpenText(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  COMITY_CHECK(bio != nullptr);  // out of memory
  return bio;
}

// True if reading stopped because no further block begins, false if a block is broken.
bool AtEndOfPem() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

X509Ptr ReadCertificate(BIO* bio) {
  return X509Ptr(PEM_read_bio_X509(bio, nullptr, RefusePassPhrase, nullptr));
}

Result<X509StackPtr> ReadCertificates(std::string_view pem, int max_count) {
  const BioPtr bio = OpenText(pem);
  X509StackPtr stack(sk_X509_new_null());
  ERR_clear_error();
  while (X509Ptr certificate = ReadCertificate(bio.get())) {
    if (sk_X509_num(stack.get()) == max_count) {
      return Fail(ErrorCode::kInvalidArgument,
                  "more than " + std::to_string(max_count) + " certificates");
    }
    COMITY_CHECK(sk_X509_push(stack.get(), certificate.release()) > 0);
  }
  if (!AtEndOfPem()) return Fail(ErrorCode::kInvalidArgument, "a PEM block is no certificate");
  if (sk_X509_num(stack.get()) == 0) return Fail(ErrorCode::kInvalidArgument, "no certificate");
  return stack;
}

Result<PeerIdentity> IdentityOfNames(const GENERAL_NAMES& names) {
  const ASN1_IA5STRING* uri = nullptr;
  for (int i = 0; i < sk_GENERAL_NAME_num(&names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(&names, i);
    if (name->type != GEN_URI) continue;
    if (uri) return Fail(ErrorCode::kUnauthenticated, "the certificate names more than one URI");
    uri = name->d.uniformResourceIdentifier;
  }
  if (!uri) return Fail(ErrorCode::kUnauthenticated, "the certificate names no URI");
  const auto identity = ParseSpiffeId(
      AsText({ASN1_STRING_get0_data(uri), static_cast<std::size_t>(ASN1_STRING_length(uri))}));
  if (!identity) return Fail(ErrorCode::kUnauthenticated, identity.error().detail);
  return *identity;
}

}  // namespace

Result<CertificateChain> ParseCertificateChain(std::string_view pem) {
  if (pem.size() > limits::kMaxCertificateChain) {
    return Fail(ErrorCode::kInvalidArgument, "the certificate chain is larger than 64 KiB");
  }
  COMITY_ASSIGN_OR_RETURN(X509StackPtr all, ReadCertificates(pem, limits::kMaxChainLength));
  X509Ptr leaf(sk_X509_shift(all.get()));
  return CertificateChain{std::move(leaf), std::move(all)};
}

Result<X509StackPtr> ParseCertificates(std::string_view pem) {
  constexpr int kMaxAnchors = 1000;  // of one file; a handful is usual
  if (pem.size() > limits::kMaxTrustFile) {
    return Fail(ErrorCode::kInvalidArgument, "the file is larger than 16 MiB");
  }
  return ReadCertificates(pem, kMaxAnchors);
}

Result<CrlStackPtr> ParseRevocationLists(std::string_view pem) {
  if (pem.size() > limits::kMaxTrustFile) {
    return Fail(ErrorCode::kInvalidArgument, "the file is larger than 16 MiB");
  }
  const BioPtr bio = OpenText(pem);
  CrlStackPtr stack(sk_X509_CRL_new_null());
  ERR_clear_error();
  while (CrlPtr crl{PEM_read_bio_X509_CRL(bio.get(), nullptr, RefusePassPhrase, nullptr)}) {
    COMITY_CHECK(sk_X509_CRL_push(stack.get(), crl.release()) > 0);
  }
  if (!AtEndOfPem()) return Fail(ErrorCode::kInvalidArgument, "a PEM block is no revocation list");
  if (sk_X509_CRL_num(stack.get()) == 0) {
    return Fail(ErrorCode::kInvalidArgument, "no revocation list");
  }
  return stack;
}

Result<PeerIdentity> IdentityOf(const X509& certificate) {
  int critical = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, &critical, nullptr)));
  ERR_clear_error();
  // Null also when the extension stands twice: then nothing can be said about who it is.
  if (!names) return Fail(ErrorCode::kUnauthenticated, "the certificate names no URI");
  return IdentityOfNames(*names);
}

bool IsRoot(X509* certificate) {
  const bool root = X509_check_ca(certificate) == 1 && X509_self_signed(certificate, 1) == 1;
  ERR_clear_error();
  return root;
}

Digest Fingerprint(const X509& certificate) {
  Digest digest;
  unsigned int size = 0;
  COMITY_CHECK(X509_digest(&certificate, EVP_sha256(), digest.bytes.data(), &size) == 1);
  return digest;
}

Digest PublicKeyDigest(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  COMITY_CHECK(size > 0);
  const Digest digest = hash::Sha256(ByteView(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return digest;
}

std::string SerialOf(const X509& certificate) {
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  COMITY_CHECK(number != nullptr);
  Bytes octets(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), octets.data());
  return EncodeHex(octets);
}

runtime::Instant ExpiryOf(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return {};
  return runtime::Instant(std::chrono::seconds(timegm(&parts)));
}

std::string EncodePem(const X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  COMITY_CHECK(bio && PEM_write_bio_X509(bio.get(), &certificate) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<PublicCertificate> ReadPublicCertificate(std::string_view pem) {
  COMITY_ASSIGN_OR_RETURN(const CertificateChain chain, ParseCertificateChain(pem));
  COMITY_ASSIGN_OR_RETURN(PeerIdentity identity, IdentityOf(*chain.leaf));
  return PublicCertificate{std::move(identity), PublicKeyDigest(*chain.leaf),
                           Fingerprint(*chain.leaf), ExpiryOf(*chain.leaf)};
}

Result<OwnCertificate> ReadOwnCertificate(const std::filesystem::path& pem_file) {
  COMITY_ASSIGN_OR_RETURN(const SecretBytes text, runtime::ReadSecretFile(pem_file, kMaxOwnFile));
  const auto fault = [&](std::string_view what) {
    return Fail(ErrorCode::kInvalidArgument, pem_file.string() + ": " + std::string(what));
  };
  const BioPtr bio = OpenText(AsText(text.Expose()));
  const PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassPhrase, nullptr));
  ERR_clear_error();
  if (!key) return fault("no private key in PEM form without a pass phrase");
  const auto chain = ParseCertificateChain(AsText(text.Expose()));
  if (!chain) return fault(chain.error().detail);
  const bool fits = X509_check_private_key(chain->leaf.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) return fault("the first certificate is not that of the private key");
  const auto identity = IdentityOf(*chain->leaf);
  if (!identity) return fault(identity.error().detail);
  return OwnCertificate{*identity, Fingerprint(*chain->leaf), ExpiryOf(*chain->leaf)};
}

}  // namespace comity::transport
