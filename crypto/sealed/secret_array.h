// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "crypto/base/secret.h"

namespace comity::sealed {

// Secret numbers: move-only, zero at first (unless the allocator says otherwise), wiped when
// destroyed or assigned to. What SecretBytes is for octets; Expose() is the one way in here too.
//
// Threads: thread-compatible.
template <typename T, typename Allocator = std::allocator<T>>
class SecretArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SecretArray() = default;
  explicit SecretArray(std::size_t size) : values_(size) {}
  SecretArray(SecretArray&& other) noexcept : values_(std::move(other.values_)) {
    other.values_.clear();
  }
  SecretArray& operator=(SecretArray&& other) noexcept {
    if (this != &other) {
      Clear();
      values_ = std::move(other.values_);
      other.values_.clear();
    }
    return *this;
  }
  SecretArray(const SecretArray&) = delete;
  SecretArray& operator=(const SecretArray&) = delete;
  ~SecretArray() { Clear(); }

  std::size_t size() const { return values_.size(); }
  std::span<const T> Expose() const { return values_; }
  std::span<T> ExposeMutable() { return values_; }

 private:
  void Clear() {
    Wipe({reinterpret_cast<std::uint8_t*>(values_.data()), values_.size() * sizeof(T)});
    values_.clear();
  }
  std::vector<T, Allocator> values_;
};

}  // namespace comity::sealed
