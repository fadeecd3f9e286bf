// SPDX-License-Identifier: Apache-2.0
#include "services/transport/certificate_builder.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/base/check.h"

namespace comity::transport {
namespace {

std::time_t ToTimeT(runtime::Instant instant) {
  return std::chrono::system_clock::to_time_t(instant);
}

Asn1TimePtr ToAsn1(runtime::Instant instant) {
  Asn1TimePtr time(ASN1_TIME_set(nullptr, ToTimeT(instant)));
  COMITY_CHECK(time != nullptr);
  return time;
}

Asn1IntegerPtr ToAsn1(ByteView big_endian) {
  const BignumPtr number(
      BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  Asn1IntegerPtr integer(BN_to_ASN1_INTEGER(number.get(), nullptr));
  COMITY_CHECK(integer != nullptr);
  return integer;
}

void SetSerial(X509& certificate) {
  std::array<std::uint8_t, 16> serial{};
  COMITY_CHECK(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1);
  serial[0] &= 0x7f;  // a positive number of at most 16 octets in DER ...
  serial[0] |= 0x40;  // ... and always of 16, so that one serial has one spelling
  COMITY_CHECK(X509_set_serialNumber(&certificate, ToAsn1(ByteView(serial)).get()) == 1);
}

void AddName(X509_NAME* name, const char* field, const std::string& value) {
  COMITY_CHECK(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                          reinterpret_cast<const unsigned char*>(value.data()),
                                          static_cast<int>(value.size()), -1, 0) == 1);
}

void AddExtension(X509& certificate, const X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  // OpenSSL's interface lacks const; the context only reads the issuer.
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  COMITY_CHECK(extension && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

void AddExtensions(const CertificateSpec& spec, X509& certificate, const X509* issuer) {
  AddExtension(certificate, issuer, NID_subject_key_identifier, "hash");
  AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  if (spec.is_authority) {
    AddExtension(certificate, issuer, NID_basic_constraints,
                 "critical,CA:TRUE,pathlen:" + std::to_string(spec.path_length));
    AddExtension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!spec.permitted_uri_host.empty()) {
      AddExtension(certificate, issuer, NID_name_constraints,
                   "critical,permitted;URI:" + spec.permitted_uri_host);
    }
    return;
  }
  AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  AddExtension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  AddExtension(certificate, issuer, NID_subject_alt_name, spec.alternative_names);
}

void AddRevoked(const RevokedEntry& entry, X509_CRL& crl) {
  RevokedPtr revoked(X509_REVOKED_new());
  const Asn1EnumeratedPtr reason(ASN1_ENUMERATED_new());
  COMITY_CHECK(revoked && reason);
  COMITY_CHECK(X509_REVOKED_set_serialNumber(revoked.get(), ToAsn1(entry.serial).get()) == 1);
  COMITY_CHECK(X509_REVOKED_set_revocationDate(revoked.get(), ToAsn1(entry.revoked_at).get()) == 1);
  if (entry.reason != 0) {  // RFC 5280 5.3.1: "unspecified" is said by absence
    COMITY_CHECK(ASN1_ENUMERATED_set(reason.get(), entry.reason) == 1);
    COMITY_CHECK(X509_REVOKED_add1_ext_i2d(revoked.get(), NID_crl_reason, reason.get(), 0, 0) == 1);
  }
  COMITY_CHECK(X509_CRL_add0_revoked(&crl, revoked.release()) == 1);
}

// Grows with time, so that no state is needed to number the lists.
void AddListNumber(X509_CRL& crl, runtime::Instant now) {
  const Asn1IntegerPtr number(ASN1_INTEGER_new());
  COMITY_CHECK(number && ASN1_INTEGER_set_int64(number.get(), now.time_since_epoch().count()) == 1);
  COMITY_CHECK(X509_CRL_add1_ext_i2d(&crl, NID_crl_number, number.get(), 0, 0) == 1);
}

void AddIssuerKeyId(X509_CRL& crl, const X509* issuer) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), nullptr, nullptr, &crl, 0);
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  COMITY_CHECK(extension && X509_CRL_add_ext(&crl, extension.get(), -1) == 1);
}

}  // namespace

PkeyPtr GenerateTlsKey() {
  PkeyPtr key(EVP_EC_gen("P-256"));
  COMITY_CHECK(key != nullptr);
  return key;
}

X509Ptr MakeCertificate(const CertificateSpec& spec, EVP_PKEY* subject_key, const Issuer& issuer) {
  X509Ptr certificate(X509_new());
  COMITY_CHECK(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  SetSerial(*certificate);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  AddName(subject, "O", spec.organisation);
  AddName(subject, "CN", spec.common_name);
  const X509* signer = issuer.certificate ? issuer.certificate : certificate.get();
  COMITY_CHECK(X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) == 1);
  COMITY_CHECK(X509_set1_notBefore(certificate.get(), ToAsn1(spec.not_before).get()) == 1);
  COMITY_CHECK(X509_set1_notAfter(certificate.get(), ToAsn1(spec.not_after).get()) == 1);
  COMITY_CHECK(X509_set_pubkey(certificate.get(), subject_key) == 1);
  AddExtensions(spec, *certificate, signer);
  COMITY_CHECK(X509_sign(certificate.get(), issuer.key, EVP_sha256()) > 0);
  return certificate;
}

std::string MakeRevocationList(const std::vector<RevokedEntry>& entries, const Issuer& issuer,
                               runtime::Instant now, runtime::Instant next_update) {
  const CrlPtr crl(X509_CRL_new());
  COMITY_CHECK(crl && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1);
  COMITY_CHECK(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate)) == 1);
  COMITY_CHECK(X509_CRL_set1_lastUpdate(crl.get(), ToAsn1(now).get()) == 1);
  COMITY_CHECK(X509_CRL_set1_nextUpdate(crl.get(), ToAsn1(next_update).get()) == 1);
  for (const RevokedEntry& entry : entries) AddRevoked(entry, *crl);
  AddListNumber(*crl, now);
  AddIssuerKeyId(*crl, issuer.certificate);
  COMITY_CHECK(X509_CRL_sort(crl.get()) == 1);
  COMITY_CHECK(X509_CRL_sign(crl.get(), issuer.key, EVP_sha256()) > 0);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  COMITY_CHECK(bio && PEM_write_bio_X509_CRL(bio.get(), crl.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

SecretBytes EncodeKeyAndCertificate(EVP_PKEY* key, const X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));  // wiped when freed
  COMITY_CHECK(bio != nullptr);
  COMITY_CHECK(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  COMITY_CHECK(PEM_write_bio_X509(bio.get(), &certificate) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return SecretBytes::CopyOf(AsBytes({data, static_cast<std::size_t>(size)}));
}

}  // namespace comity::transport
