// SPDX-License-Identifier: Apache-2.0
// What an auditor learns of the blocks that partners hold.
#include <gmock/gmock.h>

#include <algorithm>

#include "services/audit/events.h"
#include "services/watchlists/sealed_at_rest.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/sealed_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;

class SealedAudit : public ::testing::Test {
 protected:
  struct Block {
    sealed::ListedBlock listed;
    sealed::BlockRoot root;
    BlockHandles handles;
  };
  // Alters the first block as the store has it, and begins anew from there.
  void Alter(const std::function<void(Block&)>& change, const SealedScope& scope = kScope) {
    const SealedEpochPtr epoch = world_.Epoch(scope);
    const Digest header = epoch->header();
    const auto key = OpenListKey(world_.world.agency.kek(), world_.Stored(header)).value();
    const auto alter = [&](store::Transaction& t) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto blocks, t.sealed_lists().Blocks(header));
      COMITY_ASSIGN_OR_RETURN(auto root, OpenBlockRoot(key, header, blocks[0]));
      Block block{epoch->view->state().blocks[0], std::move(root), *epoch->handles[0]};
      change(block);
      return t.sealed_lists().PutBlock(
          header, SealBlockRecord(key, header, block.listed, block.root, block.handles, 0,
                                  world_.world.agency.random));
    };
    ASSERT_THAT(world_.world.agency.store().Write(alter), IsOk());
  }
  Status EndEntry(const std::string& reference) {
    return world_.world.lists->Withdraw({kSealedList, reference, "why", "o"});
  }
  Status Withdraw(const std::string& reference) {
    COMITY_RETURN_IF_ERROR(EndEntry(reference));
    return world_.publications->Withdraw(kSealedList, std::vector<std::string>{reference});
  }
  SealedPublications::Audit AuditOne() {
    const auto audited = world_.publications->AuditLists(kSealedList, "auditor");
    EXPECT_THAT(audited, IsOk());
    return audited ? audited->at(0).audit : SealedPublications::Audit();
  }
  std::size_t Events(std::string_view type) { return world_.world.agency.CountEvents(type); }

  // Sealed for two partners; the list that an audit looks at first, and the other one.
  void SealForTwo() {
    world_.Bring(scopes_[0]);
    world_.Bring(scopes_[1]);
    if (world_.Epoch(scopes_[1])->header() < world_.Epoch(scopes_[0])->header()) {
      std::swap(scopes_[0], scopes_[1]);
    }
  }
  // Audits; `meanwhile` happens while the first block is looked at.
  Result<std::vector<SealedPublications::AuditedList>> AuditWhile(
      const std::function<void()>& meanwhile) {
    bool first = true;
    return world_.publications->AuditLists(kSealedList, "auditor", [&, meanwhile] {
      if (std::exchange(first, false)) meanwhile();
      return false;
    });
  }

  SealedWorld world_;
  std::vector<SealedScope> scopes_{kScope, ScopeFor(kWestmoor)};
};

TEST_F(SealedAudit, AuditorsSeeThatBlocksAreOfTheEntriesOfTheList) {
  world_.Approve(8);
  world_.Bring();
  auto audit = world_.publications->AuditReseal(world_.Epoch()->header());
  ASSERT_THAT(audit, IsOk());
  EXPECT_THAT(audit->verified, ElementsAre(0));
  ASSERT_THAT(Withdraw("r4"), IsOk());
  audit = world_.publications->AuditReseal(world_.Epoch()->header());
  EXPECT_THAT(audit->withdrawn, ElementsAre(0));
  EXPECT_THAT(world_.publications->AuditReseal(Digest()), FailsWith(ErrorCode::kNotFound));
}

TEST_F(SealedAudit, AnAuditLooksAtEveryPartnersCopyAndIsLogged) {
  world_.Approve(8);
  EXPECT_THAT(world_.publications->AuditLists(kSealedList, "auditor").value(), IsEmpty());
  EXPECT_EQ(Events(audit::kSealedListAudited), 0U);
  world_.Bring();
  world_.Bring(ScopeFor(kWestmoor));
  EXPECT_THAT(world_.publications->AuditLists(ListId("other"), "auditor").value(), IsEmpty());
  const auto audited = world_.publications->AuditLists(kSealedList, "auditor");
  ASSERT_THAT(audited, IsOk());
  ASSERT_THAT(*audited, SizeIs(2));
  EXPECT_NE((*audited)[0].epoch->scope.requester, (*audited)[1].epoch->scope.requester);
  for (const auto& one : *audited) EXPECT_THAT(one.audit.verified, ElementsAre(0));
  EXPECT_EQ(Events(audit::kSealedListAudited), 2U);
  const auto payload = world_.world.LogPayloads().back();
  EXPECT_EQ(payload.at("operator"), "auditor");
  EXPECT_EQ(payload.at("blocks"), "");
}

// As if the block had been sealed of something else than the entries under its root.
TEST_F(SealedAudit, NamesABlockThatIsNotOfTheEntries) {
  world_.Approve(8);
  world_.Bring();
  Alter([](Block& block) { block.root.root.ExposeMutable()[0] ^= 1; });
  const SealedPublications::Audit audit = AuditOne();
  EXPECT_THAT(audit.differing, ElementsAre(0));
  EXPECT_THAT(audit.verified, IsEmpty());
  EXPECT_EQ(world_.world.LogPayloads().back().at("blocks"), "0 differing\n");
}

// A crafted block that names somebody who is not on the list.
TEST_F(SealedAudit, ASlotThatTakesPartWithoutAnEntryIsUnaccountedFor) {
  world_.Approve(8);
  world_.Bring();
  Alter([](Block& block) { block.handles[3] = "nobody"; });
  world_.Restart();
  const SealedPublications::Audit audit = AuditOne();
  EXPECT_THAT(audit.unaccounted, ElementsAre(0));
  EXPECT_THAT(audit.withdrawn, IsEmpty());
  EXPECT_EQ(world_.world.LogPayloads().back().at("blocks"), "0 unaccounted\n");
}

TEST_F(SealedAudit, AWithdrawnEntryExcusesNoOtherSlot) {
  world_.Approve(8);
  world_.Bring();
  ASSERT_THAT(Withdraw("r4"), IsOk());
  EXPECT_THAT(AuditOne().withdrawn, ElementsAre(0));
  Alter([](Block& block) {
    const auto other = std::ranges::find(block.handles, "r5");
    *other = "nobody";
  });
  world_.Restart();
  EXPECT_THAT(AuditOne().unaccounted, ElementsAre(0));
}

// The change from the register to the signed state takes a moment.
TEST_F(SealedAudit, AnEntryIsUnaccountedForUntilItIsWithdrawnFromTheSealedList) {
  world_.Approve(8);
  world_.Bring();
  ASSERT_THAT(EndEntry("r4"), IsOk());
  EXPECT_THAT(AuditOne().unaccounted, ElementsAre(0));
  const std::vector<std::string> ended{"r4"};
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, ended), IsOk());
  EXPECT_THAT(AuditOne().withdrawn, ElementsAre(0));
  EXPECT_THAT(AuditOne().unaccounted, IsEmpty());
}

TEST_F(SealedAudit, WhatEndsMeanwhileIsLeftOut) {
  world_.Approve(8);
  SealForTwo();
  const auto audited = AuditWhile([&] {
    const auto second = [&](const SealedScope& scope) { return scope == scopes_[1]; };
    ASSERT_THAT(world_.publications->Shred(second, "over", "o"), IsOk());
  });
  ASSERT_THAT(audited, IsOk());
  ASSERT_THAT(*audited, SizeIs(1));
  EXPECT_THAT((*audited)[0].audit.verified, ElementsAre(0));
  EXPECT_EQ(Events(audit::kSealedListAudited), 1U);
}

TEST_F(SealedAudit, WhatIsSealedAgainMeanwhileIsLookedAtAsItIsThen) {
  world_.Approve(8);
  world_.takes = [](const ActiveEntry& entry) { return entry.reference != "r7"; };
  SealForTwo();
  const auto audited = AuditWhile([&] {
    world_.takes = {};
    world_.Bring(scopes_[1]);
  });
  ASSERT_THAT(audited, IsOk());
  ASSERT_THAT(*audited, SizeIs(2));
  EXPECT_THAT((*audited)[1].audit.verified, ElementsAre(0, 1));
  EXPECT_EQ((*audited)[1].epoch->view->state().sequence, 2U);
}

// Nothing escapes the audit by being sealed while it is under way.
TEST_F(SealedAudit, WhatComesIntoForceMeanwhileIsLookedAtToo) {
  world_.Approve(8);
  world_.Bring(scopes_[0]);
  const auto audited = AuditWhile([&] { world_.Bring(scopes_[1]); });
  ASSERT_THAT(audited, IsOk());
  EXPECT_THAT(*audited, SizeIs(2));
  EXPECT_EQ(Events(audit::kSealedListAudited), 2U);
}

TEST_F(SealedAudit, WhatWasLookedAtIsLoggedThoughALaterListFails) {
  world_.Approve(8);
  SealForTwo();
  Alter([](Block& block) { block.listed.hash.bytes[0] ^= 1; }, scopes_[1]);
  EXPECT_THAT(world_.publications->AuditLists(kSealedList, "auditor"),
              FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Events(audit::kSealedListAudited), 1U);
}

TEST_F(SealedAudit, StopsBetweenBlocksWhenItIsCancelled) {
  world_.Approve(8);
  world_.takes = [](const ActiveEntry& entry) { return entry.reference != "r7"; };
  world_.Bring();
  world_.takes = {};
  world_.Bring();
  int asked = 0;
  EXPECT_THAT(world_.publications->AuditLists(kSealedList, "auditor", [&] { return ++asked == 2; }),
              FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(Events(audit::kSealedListAudited), 0U);
}

}  // namespace
}  // namespace comity::watchlists
