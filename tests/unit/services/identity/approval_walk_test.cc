// SPDX-License-Identifier: Apache-2.0
// Random people do random things to acts that need two; a model that knows nothing of the code says
// what each answer must be, and the log must explain where every act stands.
#include <map>
#include <random>
#include <set>

#include "crypto/base/encoding.h"
#include "services/identity/approval_events.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::IsOk;
using store::ApprovalState;
using namespace std::chrono_literals;

constexpr int kWalks = 20;
constexpr int kSteps = 500;

struct ModelAct {
  PendingAct act;
  bool may_be_urgent = false;
  ApprovalState state = ApprovalState::kPending;
  std::string proposer;
  bool is_stale = false;  // its proposer has come or gone since
  std::string alone;      // who carried it out urgently
  std::string entry;
};

class ApprovalWalk : public IdentityWorld, public ::testing::WithParamInterface<int> {
 protected:
  const std::vector<std::string> walkers_{"operator-1", "supervisor-1", "supervisor-2", "dpo",
                                          "auditor"};

  int Pick(std::size_t count) {
    return static_cast<int>(std::uniform_int_distribution<std::size_t>(0, count - 1)(random_));
  }
  const std::string& Somebody() {
    return walkers_.at(static_cast<std::size_t>(Pick(walkers_.size())));
  }
  bool IsSupervisor(const std::string& person) const { return person.starts_with("supervisor"); }
  bool IsActive(const std::string& person) const { return !gone_.contains(person); }
  bool IsOver(const ModelAct& model) const {
    return agency_.clock.Now() >= model.act.proposed_at + 72h;
  }
  bool MayBePropose(const ModelAct& model, const std::string& person) const {
    return IsActive(person) &&
           (IsSupervisor(person) || (model.may_be_urgent && person == "operator-1"));
  }

  void ProposeSomething();
  void DecideSomething();
  void ReviewSomething();
  void LetTimePass();
  void ComeOrGo();
  void CheckStore();
  void CheckLog();

  std::mt19937_64 random_{20261125U + static_cast<std::uint64_t>(GetParam())};
  std::vector<ModelAct> acts_;
  std::set<std::string> gone_;
};

void ApprovalWalk::ProposeSomething() {
  const std::string person = Somebody();
  ModelAct model;
  model.may_be_urgent = Pick(2) == 0;
  model.entry = std::to_string(Pick(40));
  model.proposer = person;
  bool waits = false;
  for (const ModelAct& other : acts_) {
    waits = waits || (other.state == ApprovalState::kPending && other.entry == model.entry &&
                      other.may_be_urgent == model.may_be_urgent);
  }
  const Caller caller = CallerOf(person);
  // A caller whose access has ended does not get past the door.
  if (!IsActive(person)) return;
  const auto proposed =
      approvals_->Propose(model.may_be_urgent ? Act::kDeploymentStart : Act::kThresholdLower,
                          Entry(model.entry), "entry " + model.entry, caller);
  ASSERT_EQ(proposed.has_value(), MayBePropose(model, person) && !waits);
  if (!proposed) return;
  model.act = *proposed;
  acts_.push_back(std::move(model));
}

void ApprovalWalk::DecideSomething() {
  if (acts_.empty()) return;
  ModelAct& model = acts_.at(static_cast<std::size_t>(Pick(acts_.size())));
  const std::string person = Somebody();
  if (!IsActive(person)) return;
  const bool decidable = model.state == ApprovalState::kPending && !IsOver(model);
  const Caller caller = CallerOf(person);
  switch (Pick(3)) {
    case 0: {
      const bool expected = decidable && IsSupervisor(person) && person != model.proposer &&
                            MayBePropose(model, model.proposer) && !model.is_stale;
      const auto done =
          approvals_->Approve(Decide(model.act, person, DecisionKind::kApprove), caller);
      ASSERT_EQ(done.has_value(), expected);
      if (expected) model.state = ApprovalState::kApproved;
      return;
    }
    case 1: {
      const bool expected = decidable && (IsSupervisor(person) || person == model.proposer);
      const auto done =
          approvals_->Reject(Decide(model.act, person, DecisionKind::kReject), caller);
      ASSERT_EQ(done.has_value(), expected);
      if (expected) model.state = ApprovalState::kRejected;
      return;
    }
    default: {
      const bool expected = decidable && model.may_be_urgent && person == model.proposer &&
                            IsSupervisor(person) && !model.is_stale;
      const auto done =
          approvals_->CarryUrgently(Decide(model.act, person, DecisionKind::kUrgent), caller);
      ASSERT_EQ(done.has_value(), expected);
      if (!expected) return;
      model.state = ApprovalState::kUrgent;
      model.alone = person;
    }
  }
}

void ApprovalWalk::ReviewSomething() {
  if (acts_.empty()) return;
  ModelAct& model = acts_.at(static_cast<std::size_t>(Pick(acts_.size())));
  const std::string person = Somebody();
  if (!IsActive(person)) return;
  const bool expected =
      model.state == ApprovalState::kUrgent && IsSupervisor(person) && person != model.alone;
  const auto kind = Pick(2) == 0 ? DecisionKind::kUphold : DecisionKind::kOverturn;
  const auto done = approvals_->Review(Decide(model.act, person, kind), CallerOf(person));
  ASSERT_EQ(done.has_value(), expected);
  if (expected) model.state = ApprovalState::kReviewed;
}

void ApprovalWalk::LetTimePass() {
  agency_.clock.Advance(std::chrono::hours(Pick(12)));
  if (Pick(2) == 0) return;
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  for (ModelAct& model : acts_) {
    if (model.state == ApprovalState::kPending && IsOver(model)) {
      model.state = ApprovalState::kExpired;
    }
  }
}

void ApprovalWalk::ComeOrGo() {
  const std::string person = Somebody();
  agency_.clock.Advance(1s);  // after whatever was proposed
  for (ModelAct& model : acts_) model.is_stale |= model.proposer == person;
  if (IsActive(person)) {
    ASSERT_THAT(Revoke(person), IsOk());
    gone_.insert(person);
  } else {
    Person back = people_->Find(policy::PersonId::Parse(person).value()).value();
    back.active = true;
    ASSERT_THAT(Put(back), IsOk());
    gone_.erase(person);
  }
}

void ApprovalWalk::CheckStore() {
  std::set<std::string> done;
  for (const ModelAct& model : acts_) {
    const auto stored = approvals_->Get(model.act.id);
    ASSERT_THAT(stored, IsOk());
    EXPECT_EQ(stored->state, model.state);
    const bool carried = model.state == ApprovalState::kApproved ||
                         model.state == ApprovalState::kUrgent ||
                         model.state == ApprovalState::kReviewed;
    if (carried) done.insert(model.entry);
  }
  for (int entry = 0; entry < 40; ++entry) {
    EXPECT_EQ(IsDone(std::to_string(entry)), done.contains(std::to_string(entry)));
  }
}

void ApprovalWalk::CheckLog() {
  const auto states = StatesFromLog();
  ASSERT_EQ(states.size(), acts_.size());
  for (const ModelAct& model : acts_) {
    EXPECT_EQ(states.at(EncodeHex(model.act.sha256.view())), Name(model.state));
  }
}

TEST_P(ApprovalWalk, EndsWhereTheModelAndTheLogSay) {
  for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    const int what = Pick(20);
    if (what < 7) {
      ProposeSomething();
    } else if (what < 14) {
      DecideSomething();
    } else if (what < 17) {
      ReviewSomething();
    } else if (what < 19) {
      LetTimePass();
    } else {
      ComeOrGo();
    }
    if (step == kSteps / 2) Restart();
  }
  CheckStore();
  CheckLog();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ApprovalWalk, ::testing::Range(0, kWalks));

}  // namespace
}  // namespace comity::identity
