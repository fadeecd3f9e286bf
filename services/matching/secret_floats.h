// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace comity::matching {

// Overwrites template values in a way the compiler may not remove.
void Wipe(std::span<float> values);

// Template values (biometric): move-only, of a fixed size, wiped when destroyed or assigned over.
// As with SecretBytes, the one way to the values is Expose().
//
// Threads: thread-compatible.
class SecretFloats {
 public:
  SecretFloats() = default;
  explicit SecretFloats(std::size_t size) : values_(size) {}
  SecretFloats(SecretFloats&& other) noexcept : values_(std::exchange(other.values_, {})) {}
  SecretFloats& operator=(SecretFloats&& other) noexcept;
  SecretFloats(const SecretFloats&) = delete;
  SecretFloats& operator=(const SecretFloats&) = delete;
  ~SecretFloats() { Wipe(values_); }

  std::size_t size() const { return values_.size(); }
  std::span<const float> Expose() const { return values_; }
  std::span<float> ExposeMutable() { return values_; }

 private:
  std::vector<float> values_;
};

}  // namespace comity::matching
