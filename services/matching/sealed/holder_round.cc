// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/holder_round.h"

namespace comity::matching {

void SealedHolder::Round::Share(Item& item) const {
  item.shares = sealed::SecretArray<std::uint32_t>(slots().size());
  sealed::SecretArray<sealed::Element> share(1);
  sealed::Element& block_share = share.ExposeMutable()[0];
  for (std::size_t at = 0; at < list_->secrets().size(); ++at) {
    list_->secrets()[at]->Share(item.probe, block_share);
    slots().Gather(list_->state().blocks[at].number, block_share, item.shares.ExposeMutable());
  }
}

Result<SealedHolder::Round::Item*> SealedHolder::Round::NextToTell(std::size_t index) {
  if (index != told_ || index >= items_.size()) {
    return Fail(ErrorCode::kConflict, "sealed batch: another probe's offsets are next");
  }
  ++told_;
  return &items_[index];
}

Result<SealedHolder::Round::Item*> SealedHolder::Round::NextToOpen(std::size_t index) {
  if (index != opened_ || index >= told_) {
    return Fail(ErrorCode::kConflict, "sealed batch: another probe's tables are next");
  }
  ++opened_;
  return &items_[index];
}

}  // namespace comity::matching
