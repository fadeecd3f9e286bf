// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

namespace comity::bench {

// A stream to an echo over the gateways' own kind of connection: mutual TLS, loopback, one process.
//
// Threads: Send by one, Receive by one.
class EchoStream {
 public:
  // Octets of a message; an answer of 0 is the message itself.
  struct Sizes {
    std::size_t message = 2400;  // of a signed probe
    std::size_t answer = 0;
  };
  EchoStream() : EchoStream(Sizes()) {}
  explicit EchoStream(Sizes sizes);
  ~EchoStream();

  void Send();
  void Receive();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace comity::bench
