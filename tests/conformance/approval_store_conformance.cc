// SPDX-License-Identifier: Apache-2.0
#include "services/store/approval_store.h"

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::PersonId;
using testing::FailsWith;
using testing::IsOk;

ApprovalRecord MakeApproval(std::string id, std::uint8_t octet = 1) {
  ApprovalRecord approval;
  approval.id = std::move(id);
  approval.act = "deployment-start";
  approval.subject = "deployment d-one";
  approval.content = R"({"salt":"00"})";
  approval.sha256 = MakeDigest(octet);
  approval.unsalted = MakeDigest(octet);
  approval.words = "Start.\n";
  approval.proposed_by = MakeId<PersonId>("amira");
  approval.proposed_at = At(10);
  approval.expires_at = At(20);
  approval.vouched = Bytes(32, octet);
  return approval;
}
ApprovalRecord Reviewed(ApprovalRecord approval) {
  approval.state = ApprovalState::kReviewed;
  approval.decided_by = MakeId<PersonId>("bela");
  approval.decided_at = At(11);
  approval.reason = "life at risk";
  approval.decision = R"({"d":1})";
  approval.review_by = At(30);
  approval.overdue_told = true;
  approval.reviewed_by = MakeId<PersonId>("cem");
  approval.reviewed_at = At(12);
  approval.review = "upheld: right";
  approval.verdict = R"({"v":1})";
  return approval;
}
ApprovalRecord In(ApprovalRecord approval, ApprovalState state) {
  approval.state = state;
  return approval;
}
auto Add(const ApprovalRecord& approval) {
  return [=](Transaction& t) { return t.approvals().Add(approval); };
}
auto Change(const ApprovalRecord& approval, ApprovalState from) {
  return [=](Transaction& t) { return t.approvals().Change(approval, from); };
}
auto Read(std::string id) {
  return [=](const Transaction& t) { return t.approvals().Get(id); };
}
auto Listed(bool open, std::uint32_t limit) {
  return [=](const Transaction& t) { return t.approvals().List(open, limit); };
}
auto Due(policy::Instant now, std::uint32_t limit = 10) {
  return [=](const Transaction& t) { return t.approvals().Due(now, limit); };
}
auto Count(const Transaction& t) {
  return t.approvals().CountPending();
}
std::vector<std::string> Ids(const std::vector<ApprovalRecord>& approvals) {
  std::vector<std::string> ids;
  for (const ApprovalRecord& approval : approvals) ids.push_back(approval.id);
  return ids;
}
using Texts = std::vector<std::string>;

void ExpectEqual(const ApprovalRecord& read, const ApprovalRecord& written) {
  EXPECT_EQ(read.id, written.id);
  EXPECT_EQ(read.act, written.act);
  EXPECT_EQ(read.subject, written.subject);
  EXPECT_EQ(read.content, written.content);
  EXPECT_EQ(read.sha256, written.sha256);
  EXPECT_EQ(read.unsalted, written.unsalted);
  EXPECT_EQ(read.words, written.words);
  EXPECT_EQ(read.state, written.state);
  EXPECT_EQ(read.proposed_by, written.proposed_by);
  EXPECT_EQ(read.proposed_at, written.proposed_at);
  EXPECT_EQ(read.expires_at, written.expires_at);
  EXPECT_EQ(read.decided_by, written.decided_by);
  EXPECT_EQ(read.decided_at, written.decided_at);
  EXPECT_EQ(read.reason, written.reason);
  EXPECT_EQ(read.decision, written.decision);
  EXPECT_EQ(read.review_by, written.review_by);
  EXPECT_EQ(read.overdue_told, written.overdue_told);
  EXPECT_EQ(read.reviewed_by, written.reviewed_by);
  EXPECT_EQ(read.reviewed_at, written.reviewed_at);
  EXPECT_EQ(read.review, written.review);
  EXPECT_EQ(read.verdict, written.verdict);
  EXPECT_EQ(read.vouched, written.vouched);
}

TEST_P(ApprovalStoreConformance, GivesBackEveryField) {
  const ApprovalRecord pending = MakeApproval("p-one", 1);
  const ApprovalRecord reviewed = Reviewed(MakeApproval("p-two", 2));
  ASSERT_THAT(Write(Add(pending)), IsOk());
  ASSERT_THAT(Write(Add(reviewed)), IsOk());
  Reopen();
  ExpectEqual(Get(Read("p-one")).value(), pending);
  ExpectEqual(Get(Read("p-two")).value(), reviewed);
}

TEST_P(ApprovalStoreConformance, ChangesWhatIsDecidedAndReviewed) {
  ASSERT_THAT(Write(Add(MakeApproval("p-one"))), IsOk());
  const ApprovalRecord reviewed = Reviewed(MakeApproval("p-one"));
  ASSERT_THAT(Write(Change(reviewed, ApprovalState::kPending)), IsOk());
  ExpectEqual(Get(Read("p-one")).value(), reviewed);
}

TEST_P(ApprovalStoreConformance, ChangesOnlyWhatStandsWhereItIsSaidTo) {
  const ApprovalRecord approval = MakeApproval("p-one");
  ASSERT_THAT(Write(Add(approval)), IsOk());
  const ApprovalRecord approved = In(approval, ApprovalState::kApproved);
  EXPECT_THAT(Write(Change(approved, ApprovalState::kUrgent)), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Write(Change(approved, ApprovalState::kPending)), IsOk());
  EXPECT_THAT(Write(Change(approved, ApprovalState::kPending)), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Write(Change(MakeApproval("p-none"), ApprovalState::kPending)),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(ApprovalStoreConformance, CountsWhatOnePersonProposedAndStillWaits) {
  ApprovalRecord other = MakeApproval("p-three", 3);
  other.proposed_by = MakeId<PersonId>("bela");
  ASSERT_THAT(Write(Add(MakeApproval("p-one", 1))), IsOk());
  ASSERT_THAT(Write(Add(Reviewed(MakeApproval("p-two", 2)))), IsOk());
  ASSERT_THAT(Write(Add(other)), IsOk());
  const auto count = [](std::string person) {
    return [=](const Transaction& t) {
      return t.approvals().CountPendingOf(MakeId<PersonId>(person));
    };
  };
  EXPECT_EQ(Get(count("amira")).value(), 1U);
  EXPECT_EQ(Get(count("bela")).value(), 1U);
  EXPECT_EQ(Get(count("cem")).value(), 0U);
  const auto waiting = [](std::string person) {
    return [=](const Transaction& t) { return t.approvals().PendingOf(MakeId<PersonId>(person)); };
  };
  EXPECT_EQ(Ids(Get(waiting("amira")).value()), Texts{"p-one"});
  EXPECT_EQ(Ids(Get(waiting("bela")).value()), Texts{"p-three"});
  EXPECT_EQ(Ids(Get(waiting("cem")).value()), Texts{});
}

TEST_P(ApprovalStoreConformance, RefusesTheSameIdTwice) {
  ASSERT_THAT(Write(Add(MakeApproval("p-one", 1))), IsOk());
  EXPECT_THAT(Write(Add(MakeApproval("p-one", 2))), FailsWith(ErrorCode::kConflict));
}

TEST_P(ApprovalStoreConformance, KeepsOnePendingOfTheSameUnsaltedContent) {
  const ApprovalRecord first = MakeApproval("p-one", 1);
  ASSERT_THAT(Write(Add(first)), IsOk());
  ApprovalRecord same = MakeApproval("p-two", 1);
  same.sha256 = MakeDigest(9);
  EXPECT_THAT(Write(Add(same)), FailsWith(ErrorCode::kConflict));
  ApprovalRecord other_act = same;
  other_act.act = "threshold-lower";
  EXPECT_THAT(Write(Add(other_act)), IsOk());
  same.id = "p-three";
  ASSERT_THAT(Write(Change(In(first, ApprovalState::kRejected), ApprovalState::kPending)), IsOk());
  EXPECT_THAT(Write(Add(same)), IsOk());
}

TEST_P(ApprovalStoreConformance, FindsNoneThatIsNotThere) {
  EXPECT_THAT(Get(Read("p-none")), FailsWith(ErrorCode::kNotFound));
}

TEST_P(ApprovalStoreConformance, ListsNewestFirstAndOpenOnesOnly) {
  using enum ApprovalState;
  std::uint8_t octet = 0;
  for (const ApprovalState state : {kPending, kApproved, kRejected, kExpired, kUrgent, kReviewed}) {
    ++octet;
    ASSERT_THAT(Write(Add(In(MakeApproval("p-" + std::to_string(octet), octet), state))), IsOk());
  }
  EXPECT_EQ(Ids(Get(Listed(true, 10)).value()), (Texts{"p-5", "p-1"}));
  EXPECT_EQ(Ids(Get(Listed(false, 3)).value()), (Texts{"p-6", "p-5", "p-4"}));
  EXPECT_EQ(Ids(Get(Listed(true, 1)).value()), (Texts{"p-5"}));
  EXPECT_EQ(Get(Count).value(), 1U);
}

TEST_P(ApprovalStoreConformance, FindsWhatIsDueAtItsMomentOldestFirst) {
  ApprovalRecord pending = MakeApproval("p-pending", 1);
  pending.expires_at = At(20);
  ApprovalRecord urgent = In(MakeApproval("p-urgent", 2), ApprovalState::kUrgent);
  urgent.review_by = At(30);
  ApprovalRecord told = In(MakeApproval("p-told", 3), ApprovalState::kUrgent);
  told.review_by = At(15);
  told.overdue_told = true;
  const ApprovalRecord decided = In(MakeApproval("p-decided", 4), ApprovalState::kApproved);
  for (const auto& approval : {pending, urgent, told, decided}) {
    ASSERT_THAT(Write(Add(approval)), IsOk());
  }
  EXPECT_EQ(Ids(Get(Due(At(19))).value()), Texts{});
  EXPECT_EQ(Ids(Get(Due(At(20))).value()), (Texts{"p-pending"}));
  EXPECT_EQ(Ids(Get(Due(At(29))).value()), (Texts{"p-pending"}));
  EXPECT_EQ(Ids(Get(Due(At(30))).value()), (Texts{"p-pending", "p-urgent"}));
  EXPECT_EQ(Ids(Get(Due(At(30), 1)).value()), (Texts{"p-pending"}));
}

}  // namespace
}  // namespace comity::store
