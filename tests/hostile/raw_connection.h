// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "services/transport/openssl_ptr.h"

namespace comity::testing {

// One TCP connection to a port of loopback, from any address of 127.0.0.0/8: so one machine can be
// many callers. What is sent on it is up to the test.
//
// Threads: thread-compatible.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port, const std::string& from = "127.0.0.1");
  ~RawConnection();
  RawConnection(RawConnection&& other) noexcept;
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // The kernel has taken it; the gateway may reset it all the same.
  bool is_connected() const { return connected_; }
  bool Send(std::string_view octets);
  // What comes within the time; empty: nothing did, or it is closed.
  std::string Receive(std::chrono::milliseconds patience);
  // The other end has closed or reset it, within the time.
  bool IsClosedWithin(std::chrono::milliseconds patience);
  int descriptor() const { return socket_; }

 private:
  int socket_ = -1;
  bool connected_ = false;
};

// Papers and wishes of a TLS client. Empty: none, or OpenSSL's own.
struct TlsWishes {
  std::filesystem::path identity;  // PEM with key and chain
  std::string groups;              // "X25519"
  std::string alpn = "h2";
  int version = TLS1_3_VERSION;  // the only one
};

// TLS on a raw connection, which verifies nobody.
//
// Threads: thread-compatible.
class RawTls {
 public:
  RawTls(std::uint16_t port, const TlsWishes& wishes, const std::string& from = "127.0.0.1");
  ~RawTls();
  RawTls(const RawTls&) = delete;
  RawTls& operator=(const RawTls&) = delete;

  // The handshake is done as far as this end sees. With TLS 1.3 a server that does not like the
  // client's certificate says so afterwards only: see IsClosedWithin.
  bool is_done() const { return done_; }
  bool Send(std::string_view octets);
  // Reads away what comes. True: the other end has closed within the time.
  bool IsClosedWithin(std::chrono::milliseconds patience);
  // What came within the time, up to `size` octets.
  std::string Receive(std::size_t size, std::chrono::milliseconds patience);

 private:
  transport::SslCtxPtr context_;
  RawConnection connection_;
  SSL* tls_ = nullptr;
  bool done_ = false;
};

// The few frames of HTTP/2 (RFC 9113) that a hostile client needs.
std::string Http2Preface();  // with an empty SETTINGS
std::string Http2Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                       std::string_view payload);
// HEADERS that begin a gRPC call of this method, and end its headers; literal, without indexing.
std::string Http2Call(std::uint32_t stream, std::string_view method,
                      std::string_view further_header = {}, std::string_view value = {});
std::string Http2Reset(std::uint32_t stream);
std::string Http2Ping();
std::string Http2Settings();  // one that has to be acknowledged

}  // namespace comity::testing
