// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

namespace comity::gateway {

// One TLS connection of the web port, as httplib reads and writes it. Everything has an end: the
// handshake, each request, each response, and the octets of a request. Whoever dribbles gains no
// time.
//
// Threads: thread-compatible.
class WebStream final : public httplib::Stream {
 public:
  static constexpr std::chrono::seconds kHandshakeTime{5};
  static constexpr std::chrono::seconds kRequestTime{5};    // all of its octets
  static constexpr std::chrono::seconds kResponseTime{30};  // 2.1 MB at most, over a slow line
  static constexpr std::chrono::seconds kIdleTime{2};       // between two requests
  static constexpr std::size_t kRequestSize = 8 * 1024;     // octets; nothing sends a body

  // Takes `descriptor` over, which does not block. In: context  must outlive the object
  WebStream(SSL_CTX& context, int descriptor, std::stop_token stop);
  ~WebStream() override;
  WebStream(const WebStream&) = delete;
  WebStream& operator=(const WebStream&) = delete;

  bool Handshake();
  // Waits for the next request. False: there is none.
  bool AwaitRequest();

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* octets, std::size_t size) override;
  ssize_t write(const char* octets, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  int socket() const override { return descriptor_; }

 private:
  using Clock = std::chrono::steady_clock;
  // Waits until OpenSSL can go on after `result`. False: it cannot, or the time is over.
  bool CanGoOn(int result) const;
  bool AwaitSocket(short events) const;

  SSL* tls_ = nullptr;
  const int descriptor_;
  const std::stop_token stop_;
  Clock::time_point deadline_;
  std::size_t allowance_ = 0;  // octets that may still be read
  bool responds_ = false;
};

}  // namespace comity::gateway
