// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/offsets_intake.h"

#include <algorithm>
#include <utility>

namespace comity::gateway {

OffsetsIntake::OffsetsIntake(std::uint64_t batch, std::size_t probes, std::vector<List> lists)
    : batch_(batch), lists_(std::move(lists)) {
  for (std::size_t i = 0; i < probes; ++i) left_.push_back(i);
}

Status OffsetsIntake::Refuse(std::size_t probe) {
  const auto at = std::ranges::find(left_, probe);
  if (has_begun_ || at == left_.end()) {
    return Fail(ErrorCode::kInvalidArgument, "a probe is refused after its offsets, or twice");
  }
  left_.erase(at);
  return {};
}

Status OffsetsIntake::Answer(std::size_t probe, bool is_refusal) {
  if (sketched_.erase(probe) > 0) return {};
  if (!is_refusal) return Fail(ErrorCode::kInvalidArgument, "an answer before the tables");
  return Refuse(probe);
}

// The next list that has offsets.
void OffsetsIntake::ExpectNext() {
  while (next_list_ < lists_.size() && lists_[next_list_].size == 0) ++next_list_;
  if (next_list_ == lists_.size()) {
    left_.pop_front();
    next_list_ = 0;
    if (left_.empty()) return;
    return ExpectNext();
  }
  incoming_ = PartAssembly({v1::SealedPart::KIND_OFFSETS, static_cast<std::uint32_t>(next_list_),
                            lists_[next_list_].binding, batch_,
                            static_cast<std::uint32_t>(left_.front()), lists_[next_list_].size});
}

Status OffsetsIntake::Add(const v1::SealedPart& part) {
  if (left_.empty()) return Fail(ErrorCode::kInvalidArgument, "offsets that nothing asks for");
  if (!has_begun_) {
    has_begun_ = true;
    accepted_.assign(left_.begin(), left_.end());
    ExpectNext();
  }
  COMITY_RETURN_IF_ERROR(incoming_.Add(part));
  if (!incoming_.is_whole()) return {};
  ready_.push_back({left_.front(), next_list_, incoming_.Take()});
  ++next_list_;
  ExpectNext();
  return {};
}

std::optional<OffsetsIntake::Whole> OffsetsIntake::Take() {
  if (ready_.empty()) return std::nullopt;
  Whole whole = std::move(ready_.front());
  ready_.pop_front();
  return whole;
}

}  // namespace comity::gateway
