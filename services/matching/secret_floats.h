// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace comity::matching {

// Overwrites template values in a way the compiler may not remove.
void Wipe(std::span<float> values);

// Gives memory that is zero without having been touched, as far as the system can: the gigabytes of
// a large list are then taken by whoever fills them, on all cores.
template <typename T>
struct ZeroedAllocator {
  static_assert(std::is_arithmetic_v<T>);
  // The names are the standard's. NOLINTBEGIN(readability-identifier-naming)
  using value_type = T;
  ZeroedAllocator() = default;
  template <typename Other>
  explicit ZeroedAllocator(const ZeroedAllocator<Other>& /*other*/) noexcept {}

  T* allocate(std::size_t count) {
    // calloc alone tells memory that is new from memory that must be cleared.
    void* const memory = std::calloc(count, sizeof(T));  // NOLINT(cppcoreguidelines-no-malloc)
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): as above
  }
  void construct(T* /*element*/) noexcept {}  // it is zero already
  // NOLINTEND(readability-identifier-naming)
  bool operator==(const ZeroedAllocator& /*other*/) const = default;
};

// Template values (biometric): move-only, of a fixed size, wiped when destroyed or assigned over.
// As with SecretBytes, the one way to the values is Expose(). Zero at first.
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
  std::vector<float, ZeroedAllocator<float>> values_;
};

}  // namespace comity::matching
