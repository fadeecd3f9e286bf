// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/pad_queue.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"

namespace comity::ot {

void PadQueue::Append(std::uint64_t first_ot, SecretBytes values) {
  COMITY_CHECK(values.size() % width_ == 0 && first_ot >= next_ot_);
  const std::size_t count = values.size() / width_;
  if (count == 0) return;
  next_ot_ = first_ot + kOtsAPad * count;
  size_ += count;
  runs_.push_back({first_ot, std::move(values), 0});
}

Result<PadQueue::Taken> PadQueue::Take(std::size_t count) {
  if (count == 0) return Fail(ErrorCode::kInvalidArgument, "pads: none were asked for");
  if (count > size_) return Fail(ErrorCode::kExhausted, "pads: fewer are left than asked for");
  const Run& first = runs_.front();
  Taken taken{{taken_, first.first_ot + kOtsAPad * first.taken, count},
              SecretBytes(count * width_)};
  std::span<std::uint8_t> left = taken.values.ExposeMutable();
  while (!left.empty()) {
    Run& run = runs_.front();
    const auto ready = run.values.ExposeMutable().subspan(run.taken * width_);
    const auto part = ready.first(std::min(ready.size(), left.size()));
    std::ranges::copy(part, left.begin());
    Wipe(part);
    left = left.subspan(part.size());
    run.taken += part.size() / width_;
    if (part.size() == ready.size()) runs_.pop_front();
  }
  size_ -= count;
  taken_ += count;
  return taken;
}

}  // namespace comity::ot
