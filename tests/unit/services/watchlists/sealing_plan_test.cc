// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/sealing_plan.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

#include "crypto/base/random.h"
#include "crypto/sealed/seal.h"

namespace comity::watchlists {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Range(int from, int to) {
  std::vector<std::string> references;
  for (int i = from; i < to; ++i) references.push_back("r" + std::to_string(i));
  return references;
}

// An epoch whose blocks have these entries, with secrets of no use.
SealedEpoch EpochOf(const std::map<std::uint32_t, std::vector<std::string>>& blocks,
                    std::vector<std::uint32_t> withdrawn = {}) {
  static SystemRandom random;
  EpochParts parts;
  parts.header.holder = parts.header.requester = parts.header.agreement = "a";
  parts.header.agreement_version = 1;
  parts.header.purpose = parts.header.list = "a";
  parts.header.epoch = 1;
  parts.header.engine_name = parts.header.engine_version = "1";
  parts.header.scales.dimension = 128;
  parts.header.delta = sealed::Profile::Create(parts.header.scales)->delta();
  parts.header.valid_until = 1;
  parts.state.header = sealed::HeaderDigest(parts.header);
  parts.state.sequence = 1;
  parts.state.withdrawn = std::move(withdrawn);
  for (const auto& [number, references] : blocks) {
    const auto count = static_cast<std::uint32_t>(references.size());
    const sealed::BlockRoot root{SecretBytes(32), Digest(), count};
    parts.state.blocks.push_back({number, count, Digest()});
    parts.secrets.push_back(std::make_shared<const sealed::BlockSecret>(
        sealed::BlockSecret::Derive({parts.state.header, number}, root).value()));
    parts.handles.push_back(std::make_shared<const BlockHandles>(references));
  }
  return *MakeEpoch(std::move(parts), sign::SigningKey::Generate(random)).value();
}

std::set<std::string> SetOf(const std::vector<std::string>& references) {
  return {references.begin(), references.end()};
}

SystemRandom g_random;

TEST(SealingPlan, DividesAnEpochIntoFullBlocksInARandomOrder) {
  const std::set<std::string> wanted = SetOf(Range(0, 2049));
  const SealingPlan plan = PlanEpoch(wanted, g_random);
  ASSERT_THAT(plan.seal, SizeIs(3));
  std::vector<std::string> all;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(plan.seal[i].number, i);
    EXPECT_EQ(plan.seal[i].references.size(), i == 2 ? 1U : 1024U);
    all.insert(all.end(), plan.seal[i].references.begin(), plan.seal[i].references.end());
  }
  EXPECT_FALSE(std::ranges::equal(all, wanted));
  EXPECT_EQ(SetOf(all), wanted);
}

TEST(SealingPlan, IsEmptyWhenNothingHasChanged) {
  const SealedEpoch epoch = EpochOf({{0, Range(0, 10)}});
  EXPECT_TRUE(PlanChange(epoch, SetOf(Range(0, 10)), {}, g_random).empty());
}

TEST(SealingPlan, DropsABlockThatNobodyIsInButTheLastOne) {
  const SealedEpoch epoch = EpochOf({{0, Range(0, 2)}, {1, Range(2, 60)}, {2, Range(60, 62)}});
  const SealingPlan first = PlanChange(epoch, SetOf(Range(2, 62)), {}, g_random);
  EXPECT_THAT(first.drop, ElementsAre(0));
  EXPECT_THAT(first.withdraw, IsEmpty());
  const SealingPlan last = PlanChange(epoch, SetOf(Range(0, 60)), {}, g_random);
  EXPECT_THAT(last.drop, IsEmpty());
  EXPECT_THAT(last.withdraw, ElementsAre(SlotNumber(2, 0), SlotNumber(2, 1)));
  EXPECT_FALSE(last.outgrown);
}

TEST(SealingPlan, ALastBlockThatIsStaleAndEmptyNeedsANewEpoch) {
  const SealedEpoch epoch = EpochOf({{0, Range(0, 60)}, {1, Range(60, 62)}});
  EXPECT_TRUE(PlanChange(epoch, SetOf(Range(0, 60)), {1}, g_random).outgrown);
}

TEST(SealingPlan, StaleBlocksAreSealedAgainWithoutTombstones) {
  const SealedEpoch epoch = EpochOf({{0, Range(0, 4)}, {1, Range(4, 8)}}, {SlotNumber(1, 2)});
  const SealingPlan plan = PlanStale(epoch, {1}, g_random);
  ASSERT_THAT(plan.seal, SizeIs(1));
  EXPECT_EQ(plan.seal[0].number, 1U);
  EXPECT_TRUE(plan.seal[0].again);
  EXPECT_EQ(SetOf(plan.seal[0].references), SetOf({"r4", "r5", "r7"}));
}

TEST(SealingPlan, MayHaveFourTimesTheBlocksThatItNeeds) {
  EXPECT_EQ(MostBlocks(0), 4U);
  EXPECT_EQ(MostBlocks(1024), 4U);
  EXPECT_EQ(MostBlocks(1025), 8U);
  EXPECT_EQ(MostBlocks(1'000'000), 1024U);
}

// After any change the slots that take part are exactly the entries that match, each once.
TEST(SealingPlan, LeavesExactlyWhatMatchesWhateverWasThereBefore) {
  std::mt19937 generator(5);
  for (int round = 0; round < 200; ++round) {
    std::map<std::uint32_t, std::vector<std::string>> blocks;
    int name = 0;
    for (std::uint32_t number = 0; number < 1 + generator() % 4; ++number) {
      if (generator() % 4 == 0 && !blocks.empty()) continue;
      const int count = 1 + static_cast<int>(generator() % 5);
      blocks[number] = Range(name, name + count);
      name += count;
    }
    std::vector<std::uint32_t> withdrawn;
    std::set<std::uint32_t> stale;
    for (const auto& [number, references] : blocks) {
      if (generator() % 3 == 0) stale.insert(number);
      for (std::size_t slot = 0; slot < references.size(); ++slot) {
        if (generator() % 4 == 0) withdrawn.push_back(SlotNumber(number, slot));
      }
    }
    const SealedEpoch epoch = EpochOf(blocks, withdrawn);
    std::set<std::string> wanted;
    for (const std::string& reference : Range(0, name + 3)) {
      if (generator() % 3 != 0) wanted.insert(reference);
    }
    const SealingPlan plan = PlanChange(epoch, wanted, stale, g_random);
    std::multiset<std::string> after;
    std::set<std::uint32_t> gone(plan.drop.begin(), plan.drop.end());
    for (const SealingPlan::Block& block : plan.seal) {
      after.insert(block.references.begin(), block.references.end());
      EXPECT_EQ(block.again, blocks.contains(block.number));
      gone.insert(block.number);
    }
    for (const std::uint32_t number : epoch.view->slots().numbers()) {
      const auto block = static_cast<std::uint32_t>(sealed::SlotSet::BlockOf(number));
      if (gone.contains(block) || std::ranges::count(plan.withdraw, number) != 0) continue;
      after.insert(*epoch.ReferenceOf(number));
    }
    EXPECT_EQ(after, (std::multiset<std::string>(wanted.begin(), wanted.end())));
    for (const std::uint32_t number : stale) {
      EXPECT_TRUE(gone.contains(number) || plan.outgrown);
    }
  }
}

}  // namespace
}  // namespace comity::watchlists
