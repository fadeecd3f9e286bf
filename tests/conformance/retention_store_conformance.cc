// SPDX-License-Identifier: Apache-2.0
#include "services/store/retention_store.h"

#include <algorithm>

#include "services/store/deployment_store.h"
#include "services/store/holding_store.h"
#include "services/store/outbox_store.h"
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::RetentionClass;
using ::testing::ElementsAre;
using ::testing::Eq;
using testing::FailsWith;
using ::testing::Field;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using ::testing::SizeIs;

AlertRecord Alert(const std::string& id, std::int64_t expires) {
  AlertRecord alert;
  alert.id = id;
  alert.holder = MakeId<policy::AgencyId>("eastvale-council");
  alert.reference = "EC-1";
  alert.expires_at = At(expires);
  alert.wrapped_key = Octets("key");
  alert.sealed = Octets("content");
  return alert;
}

auto PutAlert(const std::string& id, std::int64_t expires) {
  return [=](Transaction& t) { return t.alerts().Put(Alert(id, expires)); };
}
auto Due(RetentionClass one, std::int64_t until, std::uint32_t limit = 100) {
  return [=](const Transaction& t) { return t.retention().Due(one, At(until), limit); };
}
auto Count(RetentionClass one) {
  return [=](const Transaction& t) { return t.retention().Count(one); };
}
auto Erase(RetentionClass one, const std::string& reference, bool& gone) {
  return [=, &gone](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(
        gone, t.retention().Erase(
                  one, {std::string(policy::Name(one)), reference, "expired", At(1)}, At(50)));
    return {};
  };
}
auto References(RetentionClass one) {
  return [=](const Transaction& t) -> Result<std::vector<std::string>> {
    std::vector<std::string> references;
    COMITY_RETURN_IF_ERROR(t.retention().VisitKept(one, [&](std::string_view reference) -> Status {
      references.emplace_back(reference);
      return {};
    }));
    std::sort(references.begin(), references.end());
    return references;
  };
}
auto Reference(const std::string& reference) {
  return Field(&RetainedRecord::reference, Eq(reference));
}

TEST_P(RetentionStoreConformance, GivesWhatIsDueOldestFirst) {
  ASSERT_THAT(Write(PutAlert("a-late", 30)), IsOk());
  ASSERT_THAT(Write(PutAlert("a-early", 10)), IsOk());
  ASSERT_THAT(Write(PutAlert("a-never", 99)), IsOk());
  EXPECT_THAT(Get(Due(RetentionClass::kAlert, 30)).value(),
              ElementsAre(Reference("a-early"), Reference("a-late")));
  EXPECT_THAT(Get(Due(RetentionClass::kAlert, 30, 1)).value(), ElementsAre(Reference("a-early")));
  EXPECT_THAT(Get(Due(RetentionClass::kAlert, 9)).value(), IsEmpty());
}

TEST_P(RetentionStoreConformance, FindsNothingOfAnyClassInAnEmptyStore) {
  using enum RetentionClass;
  for (const RetentionClass one : {kAlert, kEntry, kWatchlist, kAuditPayload, kJustification,
                                   kMessage, kReceipt, kHolding, kDeployment, kNotice}) {
    EXPECT_THAT(Get(Due(one, 99)), IsOkAnd(IsEmpty())) << policy::Name(one);
    EXPECT_THAT(Get(Count(one)), IsOkAnd(Field(&RetainedCount::kept, 0U))) << policy::Name(one);
    EXPECT_THAT(Get(References(one)), IsOkAnd(IsEmpty())) << policy::Name(one);
    for (const char* reference : {"", "a", "42", "a/b", "a/b/c/d/e", "sent/a", "received/a/b"}) {
      bool gone = true;
      EXPECT_THAT(Write(Erase(one, reference, gone)), IsOk()) << policy::Name(one);
      EXPECT_FALSE(gone) << policy::Name(one) << " " << reference;
    }
  }
}

TEST_P(RetentionStoreConformance, ErasesOnceAndKeepsTheRest) {
  ASSERT_THAT(Write(PutAlert("a-1", 10)), IsOk());
  ASSERT_THAT(Write(PutAlert("a-2", 10)), IsOk());
  bool gone = false;
  ASSERT_THAT(Write(Erase(RetentionClass::kAlert, "a-1", gone)), IsOk());
  EXPECT_TRUE(gone);
  ASSERT_THAT(Write(Erase(RetentionClass::kAlert, "a-1", gone)), IsOk());
  EXPECT_FALSE(gone);
  EXPECT_THAT(Get(References(RetentionClass::kAlert)), IsOkAnd(ElementsAre("a-2")));
  const AlertRecord erased =
      Get([](const Transaction& t) { return t.alerts().Get("a-1"); }).value();
  EXPECT_THAT(erased.wrapped_key, IsEmpty());
  EXPECT_THAT(erased.sealed, IsEmpty());
  EXPECT_THAT(erased.reference, IsEmpty());
}

TEST_P(RetentionStoreConformance, CountsKeptHeldAndOldest) {
  EXPECT_EQ(Get(Count(RetentionClass::kAlert))->kept, 0U);
  EXPECT_EQ(Get(Count(RetentionClass::kAlert))->oldest, std::nullopt);
  ASSERT_THAT(Write(PutAlert("a-1", 10)), IsOk());
  ASSERT_THAT(Write(PutAlert("a-2", 20)), IsOk());
  const RetainedCount count = Get(Count(RetentionClass::kAlert)).value();
  EXPECT_EQ(count.kept, 2U);
  EXPECT_EQ(count.held, 0U);
  EXPECT_EQ(count.oldest, At(10));
}

HoldRecord Hold(const std::string& reference) {
  HoldRecord hold;
  hold.record_class = "alert";
  hold.reference = reference;
  hold.reason = "evidence";
  hold.held_by = MakeId<policy::PersonId>("j-smith");
  hold.approved_by = MakeId<policy::PersonId>("k-jones");
  hold.held_at = At(5);
  hold.review_by = At(500);
  return hold;
}
auto AddHold(const std::string& reference) {
  return [=](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.retention().AddHold(Hold(reference)));
    return {};
  };
}
auto Holds(const Transaction& t) {
  return t.retention().Holds();
}
auto IsHeld(const std::string& reference) {
  return
      [=](const Transaction& t) { return t.retention().IsHeld(RetentionClass::kAlert, reference); };
}

TEST_P(RetentionStoreConformance, HoldsOneRecord) {
  ASSERT_THAT(Write(PutAlert("a-1", 10)), IsOk());
  ASSERT_THAT(Write(PutAlert("a-2", 20)), IsOk());
  ASSERT_THAT(Write(AddHold("a-1")), IsOk());
  EXPECT_THAT(Get(Due(RetentionClass::kAlert, 30)).value(), ElementsAre(Reference("a-2")));
  EXPECT_EQ(Get(Count(RetentionClass::kAlert))->held, 1U);
  EXPECT_EQ(Get(Count(RetentionClass::kAlert))->oldest, At(20));
  EXPECT_THAT(Get(IsHeld("a-1")), IsOkAnd(true));
  EXPECT_THAT(Get(IsHeld("a-2")), IsOkAnd(false));
  std::uint64_t erased = 0;
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_ASSIGN_OR_RETURN(erased, t.alerts().EraseExpired(At(30)));
                return {};
              }),
              IsOk());
  EXPECT_EQ(erased, 1U);
  EXPECT_THAT(Get(References(RetentionClass::kAlert)), IsOkAnd(ElementsAre("a-1")));
}

TEST_P(RetentionStoreConformance, HoldsAWholeClassUntilItIsReleased) {
  ASSERT_THAT(Write(PutAlert("a-1", 10)), IsOk());
  ASSERT_THAT(Write(AddHold("*")), IsOk());
  EXPECT_THAT(Get(Due(RetentionClass::kAlert, 30)).value(), IsEmpty());
  HoldRecord hold = Get(Holds).value().at(0);
  EXPECT_EQ(hold.reason, "evidence");
  hold.released_at = At(40);
  ASSERT_THAT(Write([&](Transaction& t) { return t.retention().ChangeHold(hold); }), IsOk());
  EXPECT_THAT(Get(Holds).value(), IsEmpty());
  EXPECT_THAT(Get(Due(RetentionClass::kAlert, 30)).value(), SizeIs(1));
  EXPECT_THAT(Write([&](Transaction& t) { return t.retention().ChangeHold(hold); }),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(RetentionStoreConformance, RefusesTheSameHoldTwice) {
  ASSERT_THAT(Write(AddHold("a-1")), IsOk());
  EXPECT_THAT(Write(AddHold("a-1")), FailsWith(ErrorCode::kConflict));
}

TEST_P(RetentionStoreConformance, KnowsReceiptsThatWereGivenAndReceived) {
  const auto partner = MakeId<policy::AgencyId>("eastvale-council");
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                OutboxRecord message;
                message.peer = partner;
                message.id = std::string(26, 'a');
                message.kind = "entry-change";
                message.content = "{}";
                COMITY_ASSIGN_OR_RETURN(const auto number, t.outbox().Add(message));
                COMITY_RETURN_IF_ERROR(t.outbox().Acknowledge(number, "theirs", At(10)));
                InboxRecord taken;
                taken.sender = partner;
                taken.id = std::string(26, 'b');
                taken.kind = "entry-change";
                taken.receipt = "ours";
                taken.received_at = At(20);
                return t.outbox().Receive(taken);
              }),
              IsOk());
  const std::string sent = "sent/" + std::string(26, 'a');
  const std::string received = "received/eastvale-council/" + std::string(26, 'b');
  EXPECT_THAT(Get(Due(RetentionClass::kReceipt, 30)).value(),
              ElementsAre(Reference(sent), Reference(received)));
  bool gone = false;
  ASSERT_THAT(Write(Erase(RetentionClass::kReceipt, received, gone)), IsOk());
  EXPECT_TRUE(gone);
  EXPECT_THAT(Get(References(RetentionClass::kReceipt)), IsOkAnd(ElementsAre(sent)));
  ASSERT_THAT(Write(Erase(RetentionClass::kReceipt, sent, gone)), IsOk());
  EXPECT_TRUE(gone);
  EXPECT_EQ(Get(Count(RetentionClass::kReceipt))->kept, 0U);
}

HoldingRecord ToldOf(const std::string& partner, std::int64_t held_until) {
  HoldingRecord holding;
  holding.list = MakeId<policy::WatchlistId>("lantern");
  holding.reference = "ref/1";
  holding.partner = MakeId<policy::AgencyId>(partner);
  holding.agreement = MakeId<policy::AgreementId>("northshire-eastvale");
  holding.version = 1;
  holding.told_at = At(5);
  holding.held_until = At(held_until);
  return holding;
}

TEST_P(RetentionStoreConformance, ForgetsWhoWasToldOfAnEntryByTheLatestDateOfEach) {
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.holdings().Told(ToldOf("eastvale-council", 10), "x-1"));
                return t.holdings().Told(ToldOf("southmere-police", 20), "x-2");
              }),
              IsOk());
  const std::string first = "lantern/eastvale-council/northshire-eastvale/ref/1";
  EXPECT_THAT(Get(Due(RetentionClass::kHolding, 9)).value(), IsEmpty());
  EXPECT_THAT(Get(Due(RetentionClass::kHolding, 10)).value(), ElementsAre(Reference(first)));
  bool gone = false;
  ASSERT_THAT(Write(Erase(RetentionClass::kHolding, first, gone)), IsOk());
  EXPECT_TRUE(gone);
  ASSERT_THAT(Write(Erase(RetentionClass::kHolding, first, gone)), IsOk());
  EXPECT_FALSE(gone);
  // Told anew since it was found to be due: the erasure, at 50, comes too early for it.
  ASSERT_THAT(Write([](Transaction& t) {
                return t.holdings().Told(ToldOf("eastvale-council", 60), "x-3");
              }),
              IsOk());
  ASSERT_THAT(Write(Erase(RetentionClass::kHolding, first, gone)), IsOk());
  EXPECT_FALSE(gone);
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                COMITY_ASSIGN_OR_RETURN(
                    const auto forgotten,
                    t.holdings().ForgetUnder(MakeId<policy::AgreementId>("northshire-eastvale"), 1,
                                             MakeId<policy::AgencyId>("eastvale-council")));
                EXPECT_EQ(forgotten, 1U);
                return {};
              }),
              IsOk());
  const auto left = Get([](const Transaction& t) { return t.holdings().OfReference("ref/1"); });
  ASSERT_THAT(left, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(left->front().partner.text(), "southmere-police");
  const auto answers = [&](const std::string& partner) {
    return Get([=](const Transaction& t) {
      return t.holdings().Answers(MakeId<policy::WatchlistId>("lantern"), "ref/1",
                                  MakeId<policy::AgencyId>(partner));
    });
  };
  EXPECT_THAT(answers("eastvale-council"), IsOkAnd(IsEmpty()));
  EXPECT_THAT(answers("southmere-police"), IsOkAnd(ElementsAre("x-2")));
}

TEST_P(RetentionStoreConformance, ForgetsClosedDeploymentsWithTheirHoldersAndNoOther) {
  const auto deployment = [](const std::string& id, std::int64_t closed_at) {
    DeploymentRecord record;
    record.id = MakeId<policy::DeploymentId>(id);
    record.definition = "{}";
    if (closed_at > 0) record.closed_at = At(closed_at);
    return record;
  };
  const std::string closed = "d-" + std::string(26, 'a');
  const std::string running = "d-" + std::string(26, 'b');
  const std::string bare = "d-" + std::string(26, 'c');
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.deployments().Add(deployment(closed, 10)));
                COMITY_RETURN_IF_ERROR(t.deployments().Add(deployment(running, 0)));
                COMITY_RETURN_IF_ERROR(t.deployments().Add(deployment(bare, 20)));
                DeploymentHolderRecord holder;
                holder.holder = MakeId<policy::AgencyId>("northshire-police");
                holder.deployment = MakeId<policy::DeploymentId>(closed);
                COMITY_RETURN_IF_ERROR(t.deployments().PutHolder(holder));
                holder.deployment = MakeId<policy::DeploymentId>(running);
                return t.deployments().PutHolder(holder);
              }),
              IsOk());
  EXPECT_THAT(Get(Due(RetentionClass::kDeployment, 30)).value(),
              ElementsAre(Reference(closed), Reference(bare)));
  for (const std::string& id : {closed, bare}) {
    bool gone = false;
    ASSERT_THAT(Write(Erase(RetentionClass::kDeployment, id, gone)), IsOk());
    EXPECT_TRUE(gone);
  }
  bool gone = true;
  ASSERT_THAT(Write(Erase(RetentionClass::kDeployment, running, gone)), IsOk());
  EXPECT_FALSE(gone);
  const auto left = Get([](const Transaction& t) { return t.deployments().Newest(10); });
  ASSERT_THAT(left, IsOkAnd(SizeIs(1)));
  EXPECT_EQ(left->front().id.text(), running);
  EXPECT_THAT(Get([&](const Transaction& t) {
                return t.deployments().Holders(MakeId<policy::DeploymentId>(running));
              }),
              IsOkAnd(SizeIs(1)));
}

TEST_P(RetentionStoreConformance, KeepsPayloadsWithoutADate) {
  ASSERT_THAT(
      Write([](Transaction& t) -> Status {
        COMITY_RETURN_IF_ERROR(
            t.audit().Append(AsBytes("e0"), "", {Octets("k"), Octets("p"), At(10)}));
        COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes("e1"), "", {Octets("k"), Octets("p"), {}}));
        return {};
      }),
      IsOk());
  EXPECT_THAT(Get(Due(RetentionClass::kAuditPayload, 1'000'000)).value(),
              ElementsAre(Reference("0")));
  bool gone = false;
  ASSERT_THAT(Write(Erase(RetentionClass::kAuditPayload, "0", gone)), IsOk());
  EXPECT_TRUE(gone);
  const auto payload = Get([](const Transaction& t) { return t.audit().Payload(0); }).value();
  EXPECT_THAT(payload.wrapped_key, IsEmpty());
  EXPECT_THAT(payload.sealed, IsEmpty());
  EXPECT_THAT(Get([](const Transaction& t) { return t.audit().Read(0, 2); }).value(), SizeIs(2));
}

TEST_P(RetentionStoreConformance, RefusesClassesOfWhichItKeepsNothing) {
  EXPECT_THAT(Get(Due(RetentionClass::kFace, 1)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Get(Count(RetentionClass::kExport)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Get(Due(RetentionClass::kReplayId, 1)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Get(Count(RetentionClass::kReplayId))->kept, 0U);
}

TEST_P(RetentionStoreConformance, RemembersHeadErasuresRestorationAndWhoWasReached) {
  RestorationRecord restoration;
  restoration.state = RestorationState::kRestored;
  restoration.backup = "b-1";
  restoration.made_at = At(1);
  restoration.log_size = 2;
  restoration.largest_seen = 3;
  restoration.ledger_until = At(4);
  restoration.replayed = 5;
  restoration.restored_at = At(6);
  restoration.log_origin = "northshire-police.example/log/x";
  const auto peer = MakeId<policy::AgencyId>("eastvale-council");
  ASSERT_THAT(
      Write([&](Transaction& t) -> Status {
        COMITY_RETURN_IF_ERROR(t.retention().SetHead({7, MakeDigest(9)}));
        COMITY_RETURN_IF_ERROR(t.retention().AddErasure({At(20), "alert", "expired", 3, 7, 11}));
        COMITY_RETURN_IF_ERROR(t.retention().NoteReached(peer));
        COMITY_RETURN_IF_ERROR(t.retention().NoteReached(peer));
        return t.retention().PutRestoration(restoration);
      }),
      IsOk());
  Reopen();
  EXPECT_EQ(Get([](const Transaction& t) { return t.retention().Head(); }).value(),
            (LedgerHead{7, MakeDigest(9)}));
  const auto erasures =
      Get([](const Transaction& t) { return t.retention().Erasures(At(20), At(21), 10); }).value();
  ASSERT_THAT(erasures, SizeIs(1));
  EXPECT_EQ(erasures[0].records, 3U);
  EXPECT_EQ(erasures[0].late_ms, 11);
  const auto again = Get([](const Transaction& t) { return t.retention().Restoration(); }).value();
  EXPECT_EQ(again.state, restoration.state);
  EXPECT_EQ(again.backup, restoration.backup);
  EXPECT_EQ(again.largest_seen, 3U);
  EXPECT_EQ(again.ledger_until, At(4));
  EXPECT_EQ(again.log_origin, restoration.log_origin);
  EXPECT_THAT(Get([](const Transaction& t) { return t.retention().Reached(); }).value(),
              ElementsAre(peer));
}

// What was counted before a restoration is not known: nothing is left of any limit that day.
TEST_P(RetentionStoreConformance, CountsAsUsedUpWhatARestoredNodeCannotKnow) {
  const auto reserved = [this](const char* day) {
    return Get([=](const Transaction& t) {
             return t.capacity().Reserved({MakeId<policy::AgreementId>("one"), "p1",
                                           MakeId<policy::AgencyId>("eastvale-council"), day});
           })
        .value();
  };
  EXPECT_EQ(reserved("2026-11-25"), 0U);
  RestorationRecord restoration;
  restoration.state = RestorationState::kConfirmed;
  restoration.confirmed_at = policy::ParseInstant("2026-11-25T23:59:59Z").value();
  ASSERT_THAT(Write([&](Transaction& t) { return t.retention().PutRestoration(restoration); }),
              IsOk());
  EXPECT_GT(reserved("2026-11-24"), std::uint64_t{1} << 50U);
  EXPECT_GT(reserved("2026-11-25"), std::uint64_t{1} << 50U);
  EXPECT_EQ(reserved("2026-11-26"), 0U);
  restoration.state = RestorationState::kRestored;
  ASSERT_THAT(Write([&](Transaction& t) { return t.retention().PutRestoration(restoration); }),
              IsOk());
  EXPECT_GT(reserved("2026-11-26"), std::uint64_t{1} << 50U);
}

}  // namespace
}  // namespace comity::store
