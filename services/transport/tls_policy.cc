// SPDX-License-Identifier: Apache-2.0
#include "services/transport/tls_policy.h"

#include <cstdlib>

#include "services/transport/openssl_ptr.h"

namespace comity::transport {
namespace {

constexpr char kSystemDefault[] =
    "openssl_conf = app\n"
    "[app]\nssl_conf = ssl_section\n"
    "[ssl_section]\nsystem_default = tls13\n"
    "[tls13]\nProtocol = -ALL,TLSv1.3\nMinProtocol = TLSv1.3\n";
// A TLS 1.2 suite that needs a pre-shared key, which nobody has. TLS 1.3 suites are another list.
constexpr char kUnusableTls12Suite[] = "ECDHE-PSK-CHACHA20-POLY1305";

bool LoadSystemDefault() {
  // The configuration file of the machine is not read: it could allow what this one forbids.
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr) != 1) {
    return false;
  }
  const BioPtr text(BIO_new_mem_buf(kSystemDefault, -1));
  const ConfPtr conf(NCONF_new(nullptr));
  long line = 0;
  return text && conf && NCONF_load_bio(conf.get(), text.get(), &line) > 0 &&
         CONF_modules_load(conf.get(), nullptr, 0) > 0;
}

bool IsInForce() {
  const SslCtxPtr probe(SSL_CTX_new(TLS_method()));
  return probe && (SSL_CTX_get_options(probe.get()) & SSL_OP_NO_TLSv1_2) != 0;
}

}  // namespace

Status EnforceTls13() {
  if (setenv("GRPC_SSL_CIPHER_SUITES", kUnusableTls12Suite, 1) != 0 || !LoadSystemDefault() ||
      !IsInForce()) {
    return Fail(ErrorCode::kInternal, "TLS 1.3 could not be made the only version of this process");
  }
  return {};
}

}  // namespace comity::transport
