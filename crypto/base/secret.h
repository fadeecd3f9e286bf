// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"

namespace comity {

// Overwrites memory in a way the compiler may not remove.
void Wipe(std::span<std::uint8_t> memory);

// True if both are equal; the time depends on the lengths only.
bool ConstantTimeEqual(ByteView left, ByteView right);

// The same bit, from here on public: the caller may branch on it, so its time shows it. The only
// way for a secret to choose a branch, so that `grep -rn Declassify` lists every place, and each
// says what the bit tells. tests/constant_time takes any other branch or address that depends on a
// secret for a leak.
bool Declassify(bool bit);

// Secret octets: move-only, wiped when destroyed or moved from, never printed or compared with ==.
// The one way to the octets is Expose(), so that `grep -rn Expose` lists every touch.
//
// Threads: thread-compatible.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  // Copies `bytes`; the caller still owns, and should wipe, the original.
  static SecretBytes CopyOf(ByteView bytes);

  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {
    other.bytes_.clear();
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { Wipe(bytes_); }

  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  ByteView Expose() const { return bytes_; }
  std::span<std::uint8_t> ExposeMutable() { return bytes_; }
  SecretBytes Clone() const { return CopyOf(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace comity
