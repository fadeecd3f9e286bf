// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "services/audit/events.h"
#include "services/casework/alerts.h"
#include "services/store/retention_store.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/casework/hit_reports.h"

namespace comity::casework {
namespace {

using comity::testing::AgencyStore;
using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;
using namespace std::chrono_literals;

class AlertChangesTest : public ::testing::Test {
 protected:
  Raised Raise(HitReport report) {
    report.answered_at = agency_.clock.Now();
    return desk_.Raise(report).value();
  }
  HolderChange Change(std::string reference, std::string change) {
    HolderChange made;
    made.holder = Report("", "c").holder;
    made.reference = std::move(reference);
    made.change = std::move(change);
    made.at = agency_.clock.Now();
    return made;
  }
  ChangedAlerts Apply(const HolderChange& change) { return Apply(std::vector{change}); }
  ChangedAlerts Apply(const std::vector<HolderChange>& changes) {
    ChangedAlerts changed;
    EXPECT_THAT(agency_.journal().Commit(
                    [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
                      COMITY_ASSIGN_OR_RETURN(changed, desk_.Apply(transaction, recorder, changes));
                      return {};
                    }),
                IsOk());
    changed.publish();
    return changed;
  }
  void Put(const store::AlertRecord& record) {
    ASSERT_THAT(agency_.store().Write([&](store::Transaction& transaction) {
      return transaction.alerts().Put(record);
    }),
                IsOk());
  }
  ChangedAlerts Erase(const EndedAgreement& ended) {
    ChangedAlerts changed;
    EXPECT_THAT(agency_.journal().Commit([&](store::Transaction& transaction,
                                             audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(changed, desk_.EraseUnder(transaction, recorder, ended));
      return {};
    }),
                IsOk());
    changed.publish();
    return changed;
  }
  std::uint64_t Hold(const std::string& alert) {
    store::HoldRecord hold;
    hold.record_class = "alert";
    hold.reference = alert;
    hold.reason = "evidence";
    hold.held_by = hold.approved_by = policy::PersonId::Parse("np-dpo").value();
    hold.held_at = agency_.clock.Now();
    hold.review_by = hold.held_at + std::chrono::days(90);
    EXPECT_THAT(agency_.store().Write([&](store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(hold.number, transaction.retention().AddHold(hold));
      return {};
    }),
                IsOk());
    holds_[hold.number] = hold;
    return hold.number;
  }
  void Release(std::uint64_t number) {
    store::HoldRecord hold = holds_.at(number);
    hold.released_at = agency_.clock.Now();
    EXPECT_THAT(agency_.store().Write([&](store::Transaction& transaction) {
      return transaction.retention().ChangeHold(hold);
    }),
                IsOk());
  }
  std::vector<Alert> List() { return desk_.List(agency_.clock.Now(), 0).value(); }
  store::AlertRecord Stored(const std::string& id) {
    store::AlertRecord record;
    EXPECT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(record, transaction.alerts().Get(id));
      return {};
    }),
                IsOk());
    return record;
  }
  std::optional<Alert> NextOf(Subscription& subscription) {
    return subscription.Next({}, std::chrono::steady_clock::now() + 1s).value();
  }

  AgencyStore agency_;
  std::map<std::uint64_t, store::HoldRecord> holds_;
  AlertDesk desk_{AlertDeskSetup{.store = agency_.store(),
                                 .journal = agency_.journal(),
                                 .kek = agency_.kek(),
                                 .random = agency_.random,
                                 .clock = agency_.clock,
                                 .own = agency_.own}};
};

TEST_F(AlertChangesTest, WithdrawalErasesTheAlertsOfThatEntryAndNoOther) {
  const Raised first = Raise(Report("ns-1", "c1"));
  const Raised other = Raise(Report("ns-2", "c2"));
  HitReport elsewhere = Report("ns-1", "c3");
  elsewhere.holder = policy::AgencyId::Parse("southmere-police").value();
  Raise(elsewhere);
  EXPECT_EQ(Apply(Change("ns-1", "withdrawn")).alerts, 1U);
  EXPECT_THAT(List(), SizeIs(2));
  const store::AlertRecord record = Stored(first.alert.id);
  EXPECT_EQ(record.state, store::AlertState::kWithdrawn);
  EXPECT_EQ(record.change, "withdrawn");
  EXPECT_THAT(record.wrapped_key, IsEmpty());
  EXPECT_THAT(record.sealed, IsEmpty());
  EXPECT_FALSE(Stored(other.alert.id).sealed.empty());
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsChanged), 1U);
}

TEST_F(AlertChangesTest, AHeldAlertOutlivesTheWithdrawalAsEvidenceOnly) {
  const Raised raised = Raise(Report("ns-1", "c1"));
  const std::uint64_t hold = Hold(raised.alert.id);
  const auto subscription = desk_.Subscribe();
  EXPECT_EQ(Apply(Change("ns-1", "withdrawn")).alerts, 1U);
  const store::AlertRecord record = Stored(raised.alert.id);
  EXPECT_EQ(record.state, store::AlertState::kWithdrawn);
  EXPECT_EQ(record.change, "withdrawn");
  EXPECT_FALSE(record.wrapped_key.empty());
  EXPECT_FALSE(record.sealed.empty());
  // Nobody is shown it or acts on it, and no frame merges into it.
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(NextOf(*subscription)->hit.response_code, "");
  EXPECT_THAT(desk_.Acknowledge({raised.alert.id, Outcome::kTrueMatch, "", "amira"}),
              FailsWith(ErrorCode::kNotFound));
  agency_.clock.Advance(1s);
  EXPECT_FALSE(Raise(Report("ns-1", "c2")).merged);
  // Said again, it is not told again.
  EXPECT_EQ(Apply(Change("ns-1", "withdrawn")).alerts, 1U) << "of the second alert only";
  EXPECT_EQ(Erase({raised.alert.agreement.id, 9, std::nullopt}).alerts, 0U);
  EXPECT_EQ(desk_.EraseExpired(agency_.clock.Now()).value(), 0U);
  Release(hold);
  EXPECT_EQ(desk_.EraseExpired(agency_.clock.Now()).value(), 1U);
  EXPECT_THAT(Stored(raised.alert.id).sealed, IsEmpty());
}

TEST_F(AlertChangesTest, AHeldAlertOutlivesItsAgreement) {
  const Raised held = Raise(Report("ns-1", "c1"));
  const Raised other = Raise(Report("ns-2", "c2"));
  Hold(held.alert.id);
  const ChangedAlerts ended = Erase({held.alert.agreement.id, 9, std::nullopt});
  EXPECT_EQ(ended.alerts, 2U);
  EXPECT_EQ(ended.held, 1U);
  EXPECT_FALSE(Stored(held.alert.id).sealed.empty());
  EXPECT_EQ(Stored(held.alert.id).change, "agreement-ended");
  EXPECT_THAT(Stored(other.alert.id).sealed, IsEmpty());
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(AlertChangesTest, CountsAlertsThatSomebodyMayHaveActedOn) {
  const Raised raised = Raise(Report("ns-1", "c1"));
  ASSERT_THAT(desk_.Acknowledge({raised.alert.id, Outcome::kTrueMatch, "", "amira"}), IsOk());
  const ChangedAlerts changed = Apply(Change("ns-1", "withdrawn"));
  EXPECT_EQ(changed.alerts, 1U);
  EXPECT_EQ(changed.acknowledged, 1U);
  EXPECT_THAT(desk_.Acknowledge({raised.alert.id, Outcome::kTrueMatch, "", "amira"}),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(AlertChangesTest, ReadersSeeTheWithdrawalWithoutTheHit) {
  Raise(Report("ns-1", "c1"));
  const auto subscription = desk_.Subscribe();
  Apply(Change("ns-1", "expired"));
  const auto seen = NextOf(*subscription);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->state, store::AlertState::kWithdrawn);
  EXPECT_EQ(seen->hit.reference, "ns-1");
  EXPECT_EQ(seen->hit.response_code, "");
  EXPECT_THAT(seen->frames, IsEmpty());
  EXPECT_EQ(seen->entry_note, (EntryNote{"expired", agency_.clock.Now()}));
}

TEST_F(AlertChangesTest, ReadersSeeNothingWhenTheUnitOfWorkFails) {
  Raise(Report("ns-1", "c1"));
  const auto subscription = desk_.Subscribe();
  const HolderChange change = Change("ns-1", "withdrawn");
  ASSERT_THAT(agency_.journal().Commit([&](store::Transaction& transaction,
                                           audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(desk_.Apply(transaction, recorder, std::span(&change, 1)));
    return Fail(ErrorCode::kConflict, "something else failed");
  }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(List(), SizeIs(1));
  // The next change is seen: no place in the order was left open.
  Raise(Report("ns-2", "c2"));
  const auto seen = NextOf(*subscription);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->hit.reference, "ns-2");
}

TEST_F(AlertChangesTest, FindsAlertsWithoutAReferenceByTheirAnswer) {
  HitReport unnamed = Report("", "c1");
  Raise(unnamed);
  Raise(Report("", "c2"));
  HolderChange change = Change("", "withdrawn");
  change.answers = {"x-c1", "x-never"};
  EXPECT_EQ(Apply(change).alerts, 1U);
  const auto left = List();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].exchange_id, "x-c2");
}

TEST_F(AlertChangesTest, OpensNoAlertThatTheAnswersDoNotName) {
  Raise(Report("", "c1"));
  store::AlertRecord unreadable = Stored(Raise(Report("", "c2")).alert.id);
  unreadable.wrapped_key.assign(unreadable.wrapped_key.size(), 0);
  Put(unreadable);
  HolderChange change = Change("", "withdrawn");
  change.answers = {"x-never", "x-c1"};
  EXPECT_EQ(Apply(change).alerts, 1U);
}

TEST_F(AlertChangesTest, FindsAlertsOfAnOldSchemaByTheAnswerInTheirContent) {
  store::AlertRecord old = Stored(Raise(Report("", "c1")).alert.id);
  Raise(Report("", "c2"));
  old.answer.clear();
  Put(old);
  HolderChange change = Change("", "withdrawn");
  change.answers = {"x-c1"};
  EXPECT_EQ(Apply(std::vector(3, change)).alerts, 1U);
  EXPECT_THAT(Stored(old.id).sealed, IsEmpty());
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_F(AlertChangesTest, ReadersSeeAnAlertOnceHoweverManyChangesOneMessageHas) {
  Raise(Report("ns-1", "c1"));
  std::vector<HolderChange> changes;
  for (int i = 0; i < 4; ++i) {
    agency_.clock.Advance(1s);
    changes.push_back(Change("ns-1", i % 2 == 0 ? "restricted" : "unrestricted"));
  }
  const auto subscription = desk_.Subscribe();
  EXPECT_EQ(Apply(changes).alerts, 4U);
  const auto seen = NextOf(*subscription);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->entry_note, (EntryNote{"unrestricted", agency_.clock.Now()}));
  EXPECT_FALSE(subscription->Next({}, std::chrono::steady_clock::now() + 10ms).value());
  EXPECT_EQ(List().at(0).entry_note->change, "unrestricted");
}

TEST_F(AlertChangesTest, AnAlertThatIsWithdrawnWithinTheMessageIsNotCorrectedAnyMore) {
  const Raised raised = Raise(Report("ns-1", "c1"));
  agency_.clock.Advance(1s);
  const HolderChange restricted = Change("ns-1", "restricted");
  agency_.clock.Advance(1s);
  const std::vector changes{restricted, Change("ns-1", "withdrawn"), restricted};
  EXPECT_EQ(Apply(changes).alerts, 2U);
  EXPECT_THAT(Stored(raised.alert.id).sealed, IsEmpty());
  EXPECT_EQ(Stored(raised.alert.id).state, store::AlertState::kWithdrawn);
}

TEST_F(AlertChangesTest, TakesACorrectionOverOnlyWhereTheValueWasReleased) {
  HitReport bare = Report("ns-1", "c2");
  bare.deployment = policy::DeploymentId::Parse("d-other").value();
  bare.hit.response_code.clear();
  Raise(Report("ns-1", "c1"));
  Raise(bare);
  agency_.clock.Advance(1s);
  HolderChange change = Change("ns-1", "corrected");
  change.category = policy::ListCategory::Parse("missing-persons").value();
  change.response_code = "green: no action";
  EXPECT_EQ(Apply(change).alerts, 2U);
  const auto alerts = List();
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[0].hit.response_code, "");
  EXPECT_EQ(alerts[1].hit.response_code, "green: no action");
  EXPECT_EQ(alerts[1].hit.category->text(), "missing-persons");
  EXPECT_EQ(alerts[1].state, store::AlertState::kNew);
  EXPECT_EQ(alerts[1].entry_note, (EntryNote{"corrected", agency_.clock.Now()}));
}

TEST_F(AlertChangesTest, IgnoresAChangeThatIsOlderThanTheLast) {
  Raise(Report("ns-1", "c1"));
  agency_.clock.Advance(1s);
  const HolderChange restricted = Change("ns-1", "restricted");
  agency_.clock.Advance(1s);
  Apply(Change("ns-1", "unrestricted"));
  EXPECT_EQ(Apply(restricted).alerts, 0U);
  EXPECT_EQ(List().at(0).entry_note->change, "unrestricted");
}

TEST_F(AlertChangesTest, ARestrictedEntrysAlertStaysOpenAndIsMarked) {
  Raise(Report("ns-1", "c1"));
  agency_.clock.Advance(1s);
  Apply(Change("ns-1", "restricted"));
  const auto alerts = List();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].entry_note->change, "restricted");
}

TEST_F(AlertChangesTest, AHitThatWasAnsweredBeforeTheWithdrawalBecomesNoAlert) {
  HitReport under_way = Report("ns-1", "c1");
  under_way.answered_at = agency_.clock.Now();
  agency_.clock.Advance(1s);
  Apply(Change("ns-1", "withdrawn"));
  const auto late = desk_.Raise(under_way);
  ASSERT_THAT(late, IsOk());
  EXPECT_TRUE(late->withdrawn);
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(agency_.CountEvents(audit::kAlertRaised), 0U);
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsChanged), 1U);
  agency_.clock.Advance(1s);
  EXPECT_FALSE(Raise(Report("ns-1", "c2")).withdrawn);  // the entry is listed again
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_F(AlertChangesTest, AnUnnamedHitThatWasAnsweredBeforeBecomesNoAlert) {
  HitReport under_way = Report("", "c1");
  under_way.answered_at = agency_.clock.Now();
  HolderChange change = Change("", "withdrawn");
  change.answers = {"x-c1"};
  Apply(change);
  EXPECT_TRUE(desk_.Raise(under_way)->withdrawn);
  EXPECT_FALSE(Raise(Report("", "c2")).withdrawn);
}

TEST_F(AlertChangesTest, TheOtherHitsOfTheProbeAreRaised) {
  const HitReport good = Report("ns-2", "c1");
  HitReport withdrawn = Report("ns-1", "c1");
  withdrawn.answered_at = agency_.clock.Now();
  Apply(Change("ns-1", "withdrawn"));
  const std::vector<HitReport> hits{withdrawn, good};
  const auto raised = desk_.RaiseAll(hits);
  ASSERT_THAT(raised, IsOk());
  ASSERT_THAT(*raised, SizeIs(2));
  EXPECT_TRUE((*raised)[0].withdrawn);
  EXPECT_FALSE((*raised)[1].withdrawn);
  EXPECT_EQ((*raised)[1].alert.hit.reference, "ns-2");
}

TEST_F(AlertChangesTest, AnEndedAgreementTakesItsAlertsUpToItsVersion) {
  const auto report = [](std::string capture, std::uint32_t version, std::string_view holder) {
    HitReport made = Report("ns-" + capture, capture);
    made.agreement.version = version;
    made.holder = policy::AgencyId::Parse(holder).value();
    return made;
  };
  Raise(report("c1", 1, "eastvale-council"));
  Raise(report("c2", 2, "eastvale-council"));
  Raise(report("c3", 3, "eastvale-council"));
  Raise(report("c4", 2, "southmere-police"));
  HitReport other = report("c5", 1, "eastvale-council");
  other.agreement.id = policy::AgreementId::Parse("another").value();
  Raise(other);
  const EndedAgreement ended{Report("", "c").agreement.id, 2, Report("", "c").holder};
  EXPECT_EQ(Erase(ended).alerts, 2U);
  EXPECT_THAT(List(), SizeIs(3));
  EXPECT_EQ(Erase(ended).alerts, 0U);
  EXPECT_EQ(agency_.CountEvents(audit::kAlertsErased), 1U);
  EXPECT_EQ(Erase({ended.agreement, 2, std::nullopt}).alerts, 1U);
  EXPECT_THAT(List(), SizeIs(2));
}

TEST_F(AlertChangesTest, AnAlertOfAnOldSchemaIsErasedWithItsAgreement) {
  const Raised raised = Raise(Report("ns-1", "c1"));
  store::AlertRecord old = Stored(raised.alert.id);
  old.agreement = {};
  old.version = 0;
  ASSERT_THAT(agency_.store().Write(
                  [&](store::Transaction& transaction) { return transaction.alerts().Put(old); }),
              IsOk());
  EXPECT_THAT(List(), SizeIs(1));
  EXPECT_EQ(Erase({raised.alert.agreement.id, 2, std::nullopt}).alerts, 1U);
  EXPECT_THAT(List(), IsEmpty());
}

}  // namespace
}  // namespace comity::casework
