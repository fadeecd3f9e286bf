// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace comity::hash {

// BLAKE2b of octets that come in pieces (no length or separator is added between them).
//
// Secret:  the key, if there is one, and whatever is hashed may be; the state is wiped at its end
// Leaks:   time depends on the lengths only
// Threads: thread-compatible
// Source:  RFC 7693
class Blake2b {
 public:
  // In: size  octets of the value, 16..64;  key  0 or 16..64 octets
  explicit Blake2b(std::size_t size, ByteView key = {});
  Blake2b(const Blake2b&) = delete;
  Blake2b& operator=(const Blake2b&) = delete;
  ~Blake2b();

  Blake2b& Update(ByteView bytes);
  // Once, last. In: out  as many octets as `size` says
  void Finish(std::span<std::uint8_t> out);

 private:
  struct State;
  const std::size_t size_;
  std::unique_ptr<State> state_;
};

// The value of 32 octets over the parts one after the other.
Digest Blake2b256(std::initializer_list<ByteView> parts);
// The same under a key, for values that are secret themselves.
// In: key  16..64 octets
SecretBytes KeyedBlake2b256(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace comity::hash
