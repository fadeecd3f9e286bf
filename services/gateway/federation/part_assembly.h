// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "comity/v1/sealed.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::gateway {

// What a whole is that travels in parts (docs/formats/sealed_search.md).
struct SealedWhole {
  v1::SealedPart::Kind kind = v1::SealedPart::KIND_UNSPECIFIED;
  std::uint32_t list = 0;
  Digest binding;
  std::uint64_t number = 0;
  std::uint32_t probe = 0;
  std::size_t size = 0;  // that it must have; follows from the terms, not from a message
};

// Most octets of one part.
inline constexpr std::size_t kMaxPart = std::size_t{1} << 20;

// Gives the parts of a whole to `send`, in order, until one is not taken. Nothing of an empty one.
// In: octets  whole.size of them
// False: one was not taken
bool SendParts(const SealedWhole& whole, ByteView octets,
               const std::function<bool(const v1::SealedMessage&)>& send);

// Puts one whole together that is known beforehand.
//
// Threads: thread-compatible.
class PartAssembly {
 public:
  PartAssembly() = default;  // expects nothing
  explicit PartAssembly(SealedWhole expected) : expected_(std::move(expected)) {}

  bool is_whole() const { return octets_.size() == expected_.size; }
  const SealedWhole& whole() const { return expected_; }
  // In:     part  untrusted
  // Errors: kInvalidArgument  not the next part of what is expected: nothing of it is kept
  Status Add(const v1::SealedPart& part);
  Bytes Take() { return std::move(octets_); }

 private:
  SealedWhole expected_;
  Bytes octets_;
};

}  // namespace comity::gateway
