// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::ot {

inline constexpr std::size_t kOtsAPad = 6;

// Names pads in messages: the running number of the first pad, and of its first OT.
struct PadNumbers {
  std::uint64_t first_pad = 0;  // counts the pads of the session from 0
  std::uint64_t first_ot = 0;
  std::size_t count = 0;
};

// Secret values, one a pad, of `width` octets each, first in first out. What is taken is wiped here
// at once and cannot be taken again, nor can an OT number come in twice.
//
// Threads: thread-compatible
class PadQueue {
 public:
  explicit PadQueue(std::size_t width) : width_(width) {}
  PadQueue(PadQueue&&) noexcept = default;
  PadQueue& operator=(PadQueue&&) = delete;
  PadQueue(const PadQueue&) = delete;
  PadQueue& operator=(const PadQueue&) = delete;

  // In: first_ot  at least as high as the highest OT number that any pad before has used, plus 1
  //               (COMITY_CHECK: a number used twice would be a tweak used twice)
  //     values    a multiple of `width` octets, in the order of the OT numbers
  void Append(std::uint64_t first_ot, SecretBytes values);
  std::size_t size() const { return size_; }

  struct Taken {
    PadNumbers numbers;
    SecretBytes values;
  };
  // The next `count` values.
  // Errors: kInvalidArgument  count is 0
  //         kExhausted        there are fewer; none is taken
  Result<Taken> Take(std::size_t count);

 private:
  struct Run {
    std::uint64_t first_ot;
    SecretBytes values;
    std::size_t taken;  // values already gone
  };

  std::size_t width_;
  std::size_t size_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t next_ot_ = 0;
  std::deque<Run> runs_;
};

}  // namespace comity::ot
