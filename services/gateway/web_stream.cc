// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/web_stream.h"

#include <openssl/err.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <utility>

namespace comity::gateway {
namespace {

constexpr std::chrono::milliseconds kStopCheck{100};

int AsInt(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

WebStream::WebStream(SSL_CTX& context, int descriptor, std::stop_token stop)
    : tls_(SSL_new(&context)),
      descriptor_(descriptor),
      stop_(std::move(stop)),
      deadline_(Clock::now() + kHandshakeTime) {
  if (tls_ != nullptr) SSL_set_fd(tls_, descriptor_);
}

WebStream::~WebStream() {
  ERR_clear_error();
  if (tls_ != nullptr && SSL_is_init_finished(tls_) != 0) SSL_shutdown(tls_);
  SSL_free(tls_);
  close(descriptor_);
}

bool WebStream::AwaitSocket(short events) const {
  while (!stop_.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) return false;
    pollfd watched{descriptor_, events, 0};
    if (poll(&watched, 1, static_cast<int>(std::min(left, kStopCheck).count())) > 0) return true;
  }
  return false;
}

bool WebStream::CanGoOn(int result) const {
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_WANT_READ:
      return AwaitSocket(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return AwaitSocket(POLLOUT);
    default:
      return false;
  }
}

bool WebStream::Handshake() {
  if (tls_ == nullptr) return false;
  while (true) {
    ERR_clear_error();
    const int result = SSL_accept(tls_);
    if (result == 1) return true;
    if (!CanGoOn(result)) return false;
  }
}

bool WebStream::AwaitRequest() {
  deadline_ = Clock::now() + kIdleTime;
  if (SSL_pending(tls_) == 0 && !AwaitSocket(POLLIN)) return false;
  deadline_ = Clock::now() + kRequestTime;
  allowance_ = kRequestSize;
  responds_ = false;
  return true;
}

ssize_t WebStream::read(char* octets, std::size_t size) {
  const std::size_t most = std::min(size, allowance_);
  while (most > 0 && Clock::now() < deadline_) {
    ERR_clear_error();
    const int got = SSL_read(tls_, octets, AsInt(most));
    if (got > 0) {
      allowance_ -= static_cast<std::size_t>(got);
      return got;
    }
    if (!CanGoOn(got)) break;
  }
  return -1;
}

ssize_t WebStream::write(const char* octets, std::size_t size) {
  if (!std::exchange(responds_, true)) deadline_ = Clock::now() + kResponseTime;
  while (Clock::now() < deadline_) {
    ERR_clear_error();
    const int put = SSL_write(tls_, octets, AsInt(size));
    if (put > 0) return put;
    if (!CanGoOn(put)) break;
  }
  return -1;
}

// Nothing that is served depends on who asks.
void WebStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}
void WebStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace comity::gateway
