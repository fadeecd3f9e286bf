// SPDX-License-Identifier: Apache-2.0
#include "services/transport/handshake_probe.h"

#include <netdb.h>
#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "services/runtime/descriptor.h"
#include "services/transport/certificate.h"
#include "services/transport/openssl_ptr.h"

namespace comity::transport {
namespace {

using runtime::Descriptor;
using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// OpenSSL writes without MSG_NOSIGNAL: an end that is gone must not end this process.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutPipeSignal() {
    const timespec at_once{};
    while (::sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

// The handshake goes on where gRPC speaks HTTP/2 only.
constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};

// In: connection  may be null; result  what its last call returned
std::string LastTlsError(const SSL* connection = nullptr, int result = 0) {
  const int kind = connection == nullptr ? SSL_ERROR_SSL : SSL_get_error(connection, result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return "it does not answer";
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "it closed the connection" : reason;
}

// Blocks no longer than `patience` in any call, connect() included.
void SetPatience(int socket, std::chrono::milliseconds patience) {
  timeval time{};
  time.tv_sec = static_cast<time_t>(patience.count() / 1000);
  time.tv_usec = static_cast<suseconds_t>(patience.count() % 1000) * 1000;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Result<Descriptor> Connect(const Address& address, std::chrono::milliseconds patience) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(address.port);
  if (::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list) != 0) {
    return Fail(ErrorCode::kUnavailable, "the name " + address.host + " cannot be resolved");
  }
  const Addresses addresses(list);
  int fault = 0;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Descriptor socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return Fail(ErrorCode::kUnavailable, "no socket can be made");
    SetPatience(socket.get(), patience);
    if (::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return socket;
    fault = errno == EINPROGRESS ? ETIMEDOUT : errno;
  }
  return Fail(ErrorCode::kUnavailable, std::generic_category().message(fault));
}

Result<SslCtxPtr> MakeContext(const std::filesystem::path& identity) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Fail(ErrorCode::kInternal, "TLS could not be set up");
  // Whose certificate it is the caller asks of a TrustStore; here it is only looked at.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_alpn_protos(context.get(), kHttp2.data(), static_cast<unsigned>(kHttp2.size()));
  const std::string file = identity.string();
  if (SSL_CTX_use_certificate_chain_file(context.get(), file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), file.c_str(), SSL_FILETYPE_PEM) == 1) {
    return context;
  }
  return Fail(ErrorCode::kInvalidArgument, file + ": " + LastTlsError());
}

std::string ShownBy(const SSL* connection) {
  std::string pem;
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(connection);  // leaf first, at a client
  for (int i = 0; i < sk_X509_num(chain); ++i) pem += EncodePem(*sk_X509_value(chain, i));
  return pem;
}

}  // namespace

Result<ShownIdentity> ProbeHandshake(const Address& address,
                                     const std::filesystem::path& identity_file,
                                     std::chrono::milliseconds patience) {
  const WithoutPipeSignal no_signal;
  ERR_clear_error();
  COMITY_ASSIGN_OR_RETURN(const SslCtxPtr context, MakeContext(identity_file));
  COMITY_ASSIGN_OR_RETURN(const Descriptor socket, Connect(address, patience));
  const SslPtr connection(SSL_new(context.get()));
  if (!connection || SSL_set_fd(connection.get(), socket.get()) != 1) {
    return Fail(ErrorCode::kInternal, "TLS could not be set up");
  }
  if (const int done = SSL_connect(connection.get()); done != 1) {
    return Fail(ErrorCode::kUnavailable,
                "no TLS 1.3 handshake: " + LastTlsError(connection.get(), done));
  }
  ShownIdentity shown;
  shown.pem_chain = ShownBy(connection.get());
  // In TLS 1.3 the server judges the client's certificate after the client has finished. One that
  // is content begins with its HTTP/2 settings.
  std::array<char, 64> settings{};
  const int octets = SSL_read(connection.get(), settings.data(), static_cast<int>(settings.size()));
  shown.admits = octets > 0;
  if (!shown.admits) shown.refusal = LastTlsError(connection.get(), octets);
  return shown;
}

}  // namespace comity::transport
