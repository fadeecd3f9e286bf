// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgencyId;
using policy::DeploymentId;
using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;

AlertRecord Alert(std::string id, std::int64_t first_seen) {
  AlertRecord alert;
  alert.id = std::move(id);
  alert.deployment = MakeId<DeploymentId>("d-one");
  alert.holder = MakeId<AgencyId>("northshire-police");
  alert.reference = "NP-17";
  alert.first_seen = At(first_seen);
  alert.last_seen = At(first_seen + 5);
  alert.expires_at = At(first_seen + 100);
  alert.frames = std::numeric_limits<std::uint32_t>::max();
  alert.agreement = MakeId<policy::AgreementId>("northshire-eastvale");
  alert.version = 3;
  alert.change = "corrected";
  alert.changed_at = At(first_seen + 7);
  alert.wrapped_key = Octets("key");
  alert.sealed = Octets("content");
  return alert;
}

auto Put(const AlertRecord& alert) {
  return [=](Transaction& t) { return t.alerts().Put(alert); };
}
auto Read(std::string id) {
  return [=](const Transaction& t) { return t.alerts().Get(id); };
}
auto Open(std::int64_t now, std::uint32_t limit) {
  return [=](const Transaction& t) { return t.alerts().Open(At(now), limit); };
}
auto Latest(std::string_view deployment, std::string_view holder, std::string reference) {
  return [=, d = MakeId<DeploymentId>(deployment), h = MakeId<AgencyId>(holder)](
             const Transaction& t) { return t.alerts().FindLatest(d, h, reference); };
}
auto Erase(std::int64_t now, std::uint64_t& erased) {
  return [now, &erased](Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(erased, t.alerts().EraseExpired(At(now)));
    return {};
  };
}

TEST_P(AlertStoreConformance, GivesBackEveryField) {
  const AlertRecord put = Alert("a-1", 10);
  ASSERT_THAT(Write(Put(put)), IsOk());
  Reopen();
  const AlertRecord got = Get(Read("a-1")).value();
  EXPECT_EQ(got.id, put.id);
  EXPECT_EQ(got.deployment, put.deployment);
  EXPECT_EQ(got.holder, put.holder);
  EXPECT_EQ(got.reference, put.reference);
  EXPECT_EQ(got.state, AlertState::kNew);
  EXPECT_EQ(got.first_seen, put.first_seen);
  EXPECT_EQ(got.agreement, put.agreement);
  EXPECT_EQ(got.version, put.version);
  EXPECT_EQ(got.change, put.change);
  EXPECT_EQ(got.changed_at, put.changed_at);
  EXPECT_EQ(got.last_seen, put.last_seen);
  EXPECT_EQ(got.expires_at, put.expires_at);
  EXPECT_EQ(got.frames, put.frames);
  EXPECT_EQ(got.wrapped_key, put.wrapped_key);
  EXPECT_EQ(got.sealed, put.sealed);
}

TEST_P(AlertStoreConformance, ReplacesTheAlertOfTheSameId) {
  ASSERT_THAT(Write(Put(Alert("a-1", 10))), IsOk());
  AlertRecord changed = Alert("a-1", 11);
  changed.state = AlertState::kAcknowledged;
  changed.frames = 2;
  ASSERT_THAT(Write(Put(changed)), IsOk());
  const AlertRecord got = Get(Read("a-1")).value();
  EXPECT_EQ(got.state, AlertState::kAcknowledged);
  EXPECT_EQ(got.first_seen, At(11));
  EXPECT_EQ(got.frames, 2U);
  EXPECT_EQ(Get(Open(0, 10))->size(), 1U);
}

TEST_P(AlertStoreConformance, KeepsAnAlertOfASearchWithoutDeployment) {
  AlertRecord alert = Alert("a-1", 10);
  alert.deployment = DeploymentId();
  ASSERT_THAT(Write(Put(alert)), IsOk());
  EXPECT_TRUE(Get(Read("a-1"))->deployment.empty());
}

TEST_P(AlertStoreConformance, DoesNotFindAnUnknownAlert) {
  EXPECT_THAT(Get(Read("a-none")), FailsWith(ErrorCode::kNotFound));
}

TEST_P(AlertStoreConformance, FindsTheNewestAlertOfAnEntry) {
  ASSERT_THAT(Write(Put(Alert("a-2", 20))), IsOk());
  ASSERT_THAT(Write(Put(Alert("a-1", 10))), IsOk());
  const auto found = Get(Latest("d-one", "northshire-police", "NP-17")).value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, "a-2");
}

TEST_P(AlertStoreConformance, FindsOnlyAlertsOfThatDeploymentHolderAndReference) {
  ASSERT_THAT(Write(Put(Alert("a-1", 10))), IsOk());
  EXPECT_FALSE(Get(Latest("d-two", "northshire-police", "NP-17")).value());
  EXPECT_FALSE(Get(Latest("d-one", "eastvale-council", "NP-17")).value());
  EXPECT_FALSE(Get(Latest("d-one", "northshire-police", "NP-18")).value());
}

TEST_P(AlertStoreConformance, ListsOpenAlertsNewestFirstUpToTheLimit) {
  for (const int i : {2, 1, 3}) {
    ASSERT_THAT(Write(Put(Alert("a-" + std::to_string(i), i))), IsOk());
  }
  const auto open = Get(Open(0, 2)).value();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].id, "a-3");
  EXPECT_EQ(open[1].id, "a-2");
}

TEST_P(AlertStoreConformance, CountsAnAlertAsExpiredFromItsLastInstant) {
  ASSERT_THAT(Write(Put(Alert("a-1", 0))), IsOk());
  EXPECT_EQ(Get(Open(99, 10))->size(), 1U);
  EXPECT_EQ(Get(Open(100, 10))->size(), 0U);
}

TEST_P(AlertStoreConformance, ErasesKeyAndContentOfExpiredAlertsOnce) {
  ASSERT_THAT(Write(Put(Alert("a-1", 0))), IsOk());
  ASSERT_THAT(Write(Put(Alert("a-2", 1))), IsOk());
  std::uint64_t erased = 99;
  ASSERT_THAT(Write(Erase(100, erased)), IsOk());
  EXPECT_EQ(erased, 1U);
  EXPECT_TRUE(Get(Read("a-1"))->wrapped_key.empty());
  EXPECT_TRUE(Get(Read("a-1"))->sealed.empty());
  EXPECT_EQ(Get(Read("a-2"))->sealed, Octets("content"));
  ASSERT_THAT(Write(Erase(100, erased)), IsOk());
  EXPECT_EQ(erased, 0U);
}

TEST_P(AlertStoreConformance, LeavesWithdrawnAlertsOutOfTheOpenOnes) {
  AlertRecord withdrawn = Alert("a-1", 10);
  withdrawn.state = AlertState::kWithdrawn;
  withdrawn.wrapped_key.clear();
  withdrawn.sealed.clear();
  ASSERT_THAT(Write(Put(withdrawn)), IsOk());
  EXPECT_THAT(Get(Open(20, 10)).value(), ::testing::IsEmpty());
  EXPECT_EQ(Get(Read("a-1")).value().state, AlertState::kWithdrawn);
}

TEST_P(AlertStoreConformance, FindsAlertsWithContentByEntryAndByAgreement) {
  AlertRecord other = Alert("a-2", 10);
  other.reference.clear();
  other.agreement = MakeId<policy::AgreementId>("another");
  AlertRecord erased = Alert("a-3", 10);
  erased.sealed.clear();
  AlertRecord old = Alert("a-4", 10);  // of a schema without agreements
  old.agreement = {};
  for (const AlertRecord& alert : {Alert("a-1", 10), other, erased, old}) {
    ASSERT_THAT(Write(Put(alert)), IsOk());
  }
  const auto ids = [](const std::vector<AlertRecord>& alerts) {
    std::string text;
    for (const AlertRecord& alert : alerts) text += alert.id + " ";
    return text;
  };
  const auto of = [](std::string_view holder, std::string reference) {
    return [=, h = MakeId<AgencyId>(holder)](const Transaction& t) {
      return t.alerts().OfReference(h, reference);
    };
  };
  EXPECT_EQ(ids(Get(of("northshire-police", "NP-17")).value()), "a-1 a-4 ");
  EXPECT_EQ(ids(Get(of("eastvale-council", "NP-17")).value()), "");
  const auto under = [](const Transaction& t) {
    return t.alerts().OfAgreement(MakeId<policy::AgreementId>("northshire-eastvale"));
  };
  EXPECT_EQ(ids(Get(under).value()), "a-1 a-4 ");
}

}  // namespace
TEST_P(AlertStoreConformance, FindsAlertsWithoutAReferenceByTheirAnswer) {
  const auto unnamed = [](std::string id, std::string answer) {
    AlertRecord alert = Alert(std::move(id), 10);
    alert.reference.clear();
    alert.answer = std::move(answer);
    return alert;
  };
  AlertRecord erased = unnamed("a-4", "x-1");
  erased.sealed.clear();
  for (const AlertRecord& alert : {Alert("a-1", 10), unnamed("a-2", "x-1"), unnamed("a-3", "x-2"),
                                   erased, unnamed("a-5", "")}) {
    ASSERT_THAT(Write(Put(alert)), IsOk());
  }
  const auto ids = [this](std::string_view holder, std::string answer) {
    const auto found = Get([&, h = MakeId<AgencyId>(holder)](const Transaction& t) {
      return t.alerts().OfAnswer(h, answer);
    });
    std::string text;
    for (const AlertRecord& alert : found.value()) text += alert.id + " ";
    return text;
  };
  EXPECT_EQ(ids("northshire-police", "x-1"), "a-2 ");
  EXPECT_EQ(ids("northshire-police", "x-3"), "");
  EXPECT_EQ(ids("eastvale-council", "x-1"), "");
  EXPECT_EQ(ids("northshire-police", ""), "a-5 ");  // of an old schema
  EXPECT_EQ(Get(Read("a-2")).value().answer, "x-1");
}

TEST_P(AlertStoreConformance, CountsWhatIsLeftOfADeploymentsAlerts) {
  AlertRecord other = Alert("a-3", 900);
  other.deployment = MakeId<DeploymentId>("d-two");
  for (const AlertRecord& alert : {Alert("a-1", 10), Alert("a-2", 20), other}) {
    ASSERT_THAT(Write(Put(alert)), IsOk());
  }
  const auto left = [](const Transaction& t) {
    return t.alerts().LeftOf(MakeId<DeploymentId>("d-one"));
  };
  EXPECT_EQ(Get(left)->alerts, 2u);
  EXPECT_EQ(Get(left)->last_due, At(120));
  std::uint64_t erased = 0;
  ASSERT_THAT(Write(Erase(110, erased)), IsOk());
  EXPECT_EQ(Get(left)->alerts, 1u);
  ASSERT_THAT(Write(Erase(120, erased)), IsOk());
  EXPECT_EQ(Get(left)->alerts, 0u);
}

}  // namespace comity::store
