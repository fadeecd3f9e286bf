// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/raw_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/base/check.h"

namespace comity::testing {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in AddressOf(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  COMITY_CHECK(inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1);
  return address;
}

bool IsReady(int socket, Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  pollfd watched{socket, POLLIN, 0};
  return poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) > 0;
}

// A name or value of HPACK (RFC 7541) as it is: a length with a prefix of 7 bits, and the octets.
std::string Literal(std::string_view text) {
  std::string octets;
  constexpr std::size_t kPrefix = 127;
  if (text.size() < kPrefix) {
    octets.push_back(static_cast<char>(text.size()));
  } else {
    octets.push_back(static_cast<char>(kPrefix));
    std::size_t rest = text.size() - kPrefix;
    for (; rest >= 128; rest /= 128) octets.push_back(static_cast<char>(rest % 128 + 128));
    octets.push_back(static_cast<char>(rest));
  }
  return octets.append(text);
}

std::string Header(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + Literal(name) + Literal(value);
}

}  // namespace

RawConnection::RawConnection(std::uint16_t port, const std::string& from)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  COMITY_CHECK(socket_ >= 0);
  const sockaddr_in own = AddressOf(from, 0);
  const int later = 1;  // the port is chosen with the other end, so that 28,000 suffice for each
  setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later);
  COMITY_CHECK(bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
  const sockaddr_in to = AddressOf("127.0.0.1", port);
  connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

RawConnection::RawConnection(RawConnection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}

RawConnection::~RawConnection() {
  if (socket_ < 0) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(socket_);
}

bool RawConnection::Send(std::string_view octets) {
  return send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(octets.size());
}

std::string RawConnection::Receive(std::chrono::milliseconds patience) {
  if (!IsReady(socket_, Clock::now() + patience)) return {};
  std::string octets(4096, '\0');
  const ssize_t got = recv(socket_, octets.data(), octets.size(), 0);
  octets.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return octets;
}

bool RawConnection::IsClosedWithin(std::chrono::milliseconds patience) {
  const auto end = Clock::now() + patience;
  std::vector<char> dropped(4096);
  while (IsReady(socket_, end)) {
    if (recv(socket_, dropped.data(), dropped.size(), 0) <= 0) return true;
  }
  return false;
}

RawTls::RawTls(std::uint16_t port, const TlsWishes& wishes, const std::string& from)
    : context_(SSL_CTX_new(TLS_client_method())), connection_(port, from) {
  SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TLSv1_2);  // the policy of this process
  COMITY_CHECK(SSL_CTX_set_min_proto_version(context_.get(), wishes.version) == 1);
  COMITY_CHECK(SSL_CTX_set_max_proto_version(context_.get(), wishes.version) == 1);
  if (!wishes.identity.empty()) {
    const char* file = wishes.identity.c_str();
    COMITY_CHECK(SSL_CTX_use_certificate_chain_file(context_.get(), file) == 1);
    COMITY_CHECK(SSL_CTX_use_PrivateKey_file(context_.get(), file, SSL_FILETYPE_PEM) == 1);
  }
  if (!wishes.groups.empty()) {
    COMITY_CHECK(SSL_CTX_set1_groups_list(context_.get(), wishes.groups.c_str()) == 1);
  }
  if (!wishes.alpn.empty()) {
    std::string protocols(1, static_cast<char>(wishes.alpn.size()));
    protocols += wishes.alpn;
    SSL_CTX_set_alpn_protos(context_.get(),
                            reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned int>(protocols.size()));
  }
  const timeval patience{.tv_sec = 15, .tv_usec = 0};
  setsockopt(connection_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(connection_.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  tls_ = SSL_new(context_.get());
  SSL_set_fd(tls_, connection_.descriptor());
  SSL_clear_mode(tls_, SSL_MODE_AUTO_RETRY);  // a ticket for a later session is not waited behind
  done_ = connection_.is_connected() && SSL_connect(tls_) == 1;
}

RawTls::~RawTls() {
  SSL_free(tls_);
}

bool RawTls::Send(std::string_view octets) {
  return done_ && SSL_write(tls_, octets.data(), static_cast<int>(octets.size())) > 0;
}

bool RawTls::IsClosedWithin(std::chrono::milliseconds patience) {
  if (!done_) return true;
  const auto end = Clock::now() + patience;
  std::vector<char> dropped(16384);
  while (SSL_pending(tls_) > 0 || IsReady(connection_.descriptor(), end)) {
    const int got = SSL_read(tls_, dropped.data(), static_cast<int>(dropped.size()));
    if (got <= 0 && SSL_get_error(tls_, got) != SSL_ERROR_WANT_READ) return true;
  }
  return false;
}

std::string RawTls::Receive(std::size_t size, std::chrono::milliseconds patience) {
  const auto end = Clock::now() + patience;
  std::string octets;
  std::vector<char> part(16384);
  while (done_ && octets.size() < size &&
         (SSL_pending(tls_) > 0 || IsReady(connection_.descriptor(), end))) {
    const int got = SSL_read(tls_, part.data(), static_cast<int>(part.size()));
    if (got <= 0 && SSL_get_error(tls_, got) != SSL_ERROR_WANT_READ) break;
    octets.append(part.data(), static_cast<std::size_t>(std::max(got, 0)));
  }
  return octets;
}

std::string Http2Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                       std::string_view payload) {
  std::string octets;
  const auto push = [&](std::uint64_t value, int count) {
    for (int shift = (count - 1) * 8; shift >= 0; shift -= 8) {
      octets.push_back(static_cast<char>((value >> shift) & 0xff));
    }
  };
  push(payload.size(), 3);
  push(type, 1);
  push(flags, 1);
  push(stream, 4);
  return octets.append(payload);
}

std::string Http2Settings() {
  return Http2Frame(4, 0, 0, {});
}

std::string Http2Preface() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Http2Settings();
}

std::string Http2Call(std::uint32_t stream, std::string_view method,
                      std::string_view further_header, std::string_view value) {
  std::string headers = Header(":method", "POST") + Header(":scheme", "https") +
                        Header(":path", method) + Header(":authority", "gateway") +
                        Header("te", "trailers") + Header("content-type", "application/grpc");
  if (!further_header.empty()) headers += Header(further_header, value);
  constexpr std::size_t kFrame = 16384;
  constexpr std::uint8_t kEndHeaders = 4;
  std::string octets;
  for (std::size_t at = 0; at < headers.size(); at += kFrame) {
    const std::string_view part = std::string_view(headers).substr(at, kFrame);
    const bool is_last = at + part.size() == headers.size();
    octets += Http2Frame(at == 0 ? 1 : 9, is_last ? kEndHeaders : std::uint8_t{0}, stream, part);
  }
  return octets;
}

std::string Http2Reset(std::uint32_t stream) {
  return Http2Frame(3, 0, stream, std::string_view("\0\0\0\x08", 4));  // CANCEL
}

std::string Http2Ping() {
  return Http2Frame(6, 0, 0, "12345678");
}

}  // namespace comity::testing
