// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/requester_round.h"

#include <algorithm>
#include <functional>

#include "crypto/sealed/score.h"

namespace comity::matching {

void SealedRequester::Round::Score(sealed::Kernel kernel) {
  if (templates_.size() == 0) return;
  for (Item& item : items_) {
    item.scores = sealed::SecretArray<std::uint32_t>(slots().size());
  }
  sealed::SecretArray<sealed::Element> block_scores(items_.size());
  const std::span<sealed::Element> scores = block_scores.ExposeMutable();
  for (const auto& block : list_->blocks()) {
    // All probes go over a block while it is in a cache.
    sealed::Score(block->block.rows, templates_.Expose(), kernel, scores);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      items_[i].probe.AddBlinding(block->p, scores[i]);
      slots().Gather(block->block.number, scores[i], items_[i].scores.ExposeMutable());
    }
  }
  templates_ = {};
}

Status SealedRequester::Round::SetAccepted(std::span<const std::size_t> indices) {
  if (accepted_) return Fail(ErrorCode::kConflict, "sealed batch: it was accepted before");
  if (!std::ranges::is_sorted(indices, std::less_equal<>()) ||
      (!indices.empty() && indices.back() >= items_.size())) {
    return Fail(ErrorCode::kInvalidArgument, "sealed batch: no such probes");
  }
  accepted_.emplace(indices.begin(), indices.end());
  return {};
}

Result<SealedRequester::Round::Item*> SealedRequester::Round::Next(std::size_t index) {
  if (!accepted_ || done_ == accepted_->size() || (*accepted_)[done_] != index) {
    return Fail(ErrorCode::kConflict, "sealed batch: another probe is next");
  }
  ++done_;
  return &items_[index];
}

}  // namespace comity::matching
