// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealing_plan.h"

#include <algorithm>
#include <utility>

#include "crypto/sealed/ring.h"
#include "crypto/sealed/seal.h"

namespace comity::watchlists {
namespace {

constexpr std::size_t kSlots = sealed::kRingDegree;

std::vector<std::string> Shuffled(std::vector<std::string> references, RandomSource& random) {
  const auto order = sealed::RandomSlotOrder(static_cast<std::uint32_t>(references.size()), random);
  std::vector<std::string> shuffled;
  shuffled.reserve(references.size());
  for (const std::uint32_t index : order) shuffled.push_back(std::move(references[index]));
  return shuffled;
}

// Adds blocks numbered from `first` on.
void Divide(std::vector<std::string> references, std::size_t first, RandomSource& random,
            SealingPlan& plan) {
  references = Shuffled(std::move(references), random);
  for (std::size_t from = 0; from < references.size(); from += kSlots) {
    SealingPlan::Block block;
    block.number = static_cast<std::uint32_t>(first++);
    const std::size_t count = std::min(kSlots, references.size() - from);
    for (std::size_t i = 0; i < count; ++i) {
      block.references.push_back(std::move(references[from + i]));
    }
    plan.seal.push_back(std::move(block));
  }
}

// What becomes of the blocks that there are.
class Change {
 public:
  Change(const SealedEpoch& current, const std::set<std::string>& wanted)
      : current_(current), left_(wanted) {}

  void Keep(std::size_t position, bool stale, RandomSource& random);
  SealingPlan plan;
  const std::set<std::string>& left() const { return left_; }  // in no block
  std::size_t kept_slots() const { return kept_slots_; }       // filled, withdrawn ones too
  std::size_t dead_slots() const { return dead_slots_; }       // of those, withdrawn

 private:
  const SealedEpoch& current_;
  std::set<std::string> left_;
  std::size_t kept_slots_ = 0;
  std::size_t dead_slots_ = 0;
};

void Change::Keep(std::size_t position, bool stale, RandomSource& random) {
  const auto& blocks = current_.view->state().blocks;
  const sealed::ListedBlock& block = blocks[position];
  std::vector<std::string> alive;
  std::vector<std::uint32_t> withdraw;
  for (std::size_t slot = 0; slot < block.count; ++slot) {
    const std::uint32_t number = SlotNumber(block.number, slot);
    if (!current_.view->slots().Contains(number)) continue;
    const std::string& reference = (*current_.handles[position])[slot];
    if (left_.erase(reference) == 1) {
      alive.push_back(reference);
    } else {
      withdraw.push_back(number);
    }
  }
  const bool last = position + 1 == blocks.size();
  if (alive.empty() && !last) {
    plan.drop.push_back(block.number);
  } else if (stale && !alive.empty()) {
    plan.seal.push_back({block.number, true, Shuffled(std::move(alive), random)});
  } else {
    // A block that stays because it is the last can be neither searched nor sealed again.
    plan.outgrown = plan.outgrown || stale;
    kept_slots_ += block.count;
    dead_slots_ += block.count - alive.size();
    plan.withdraw.insert(plan.withdraw.end(), withdraw.begin(), withdraw.end());
  }
}

}  // namespace

std::size_t MostBlocks(std::size_t entries) {
  return std::min(sealed::kMaxBlocks,
                  4 * std::max<std::size_t>(1, (entries + kSlots - 1) / kSlots));
}

SealingPlan PlanChange(const SealedEpoch& current, const std::set<std::string>& wanted,
                       const std::set<std::uint32_t>& stale, RandomSource& random) {
  const auto& blocks = current.view->state().blocks;
  Change change(current, wanted);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    change.Keep(i, stale.contains(blocks[i].number), random);
  }
  SealingPlan plan = std::move(change.plan);
  const std::size_t next = std::size_t{blocks.back().number} + 1;
  const auto& left = change.left();
  Divide({left.begin(), left.end()}, next, random, plan);
  const std::size_t numbers = next + (left.size() + kSlots - 1) / kSlots;
  plan.outgrown = plan.outgrown || numbers > MostBlocks(wanted.size()) ||
                  4 * change.dead_slots() > change.kept_slots() + left.size();
  return plan;
}

SealingPlan PlanStale(const SealedEpoch& current, const std::set<std::uint32_t>& stale,
                      RandomSource& random) {
  SealingPlan plan;
  const auto& blocks = current.view->state().blocks;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (!stale.contains(blocks[i].number)) continue;
    std::vector<std::string> alive;
    for (std::size_t slot = 0; slot < blocks[i].count; ++slot) {
      const std::string* reference = current.ReferenceOf(SlotNumber(blocks[i].number, slot));
      if (reference != nullptr) alive.push_back(*reference);
    }
    if (alive.empty()) continue;
    plan.seal.push_back({blocks[i].number, true, Shuffled(std::move(alive), random)});
  }
  return plan;
}

SealingPlan PlanEpoch(const std::set<std::string>& wanted, RandomSource& random) {
  SealingPlan plan;
  Divide({wanted.begin(), wanted.end()}, 0, random, plan);
  return plan;
}

}  // namespace comity::watchlists
