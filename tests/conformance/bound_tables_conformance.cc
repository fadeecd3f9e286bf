// SPDX-License-Identifier: Apache-2.0
// Somebody who may write the database, and has no key, changes what two people decided.
#include "services/store/bound_tables.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "services/store/deployment_store.h"
#include "services/store/retention_store.h"
#include "services/store/stop_store.h"
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const SecretBytes& Kek(std::uint8_t octet) {
  static const SecretBytes kOne = SecretBytes::CopyOf(Bytes(32, 1));
  static const SecretBytes kOther = SecretBytes::CopyOf(Bytes(32, 2));
  return octet == 1 ? kOne : kOther;
}

StopRecord MakeStop(const std::string& id) {
  StopRecord stop;
  stop.id = id;
  stop.scope = StopScope::kPartner;
  stop.reference = "eastvale-council";
  stop.set_by = "grace";
  stop.reason = "complaint";
  stop.set_at = At(10);
  return stop;
}

DeploymentRecord MakeDeployment(std::string_view id) {
  DeploymentRecord deployment;
  deployment.id = MakeId<policy::DeploymentId>(id);
  deployment.created_at = At(100);
  deployment.starts_at = At(200);
  deployment.ends_at = At(300);
  deployment.created_by = "ada";
  deployment.approved_by = "grace";
  deployment.definition = R"({"place":"Old Bridge"})";
  return deployment;
}

HoldRecord MakeHold(const std::string& reference) {
  HoldRecord hold;
  hold.record_class = "alert";
  hold.reference = reference;
  hold.reason = "evidence";
  hold.held_by = MakeId<policy::PersonId>("ada");
  hold.approved_by = MakeId<policy::PersonId>("grace");
  hold.held_at = At(10);
  hold.review_by = At(20);
  return hold;
}

RestorationRecord MakeRestoration() {
  RestorationRecord restoration;
  restoration.state = RestorationState::kRestored;
  restoration.backup = "b-1";
  restoration.made_at = At(5);
  restoration.restored_at = At(10);
  return restoration;
}

constexpr const char* kAddedDeployment =
    "INSERT INTO deployment (id, state, created_at, starts_at, ends_at, created_by, approved_by,"
    " definition, activated_at, ended_at, deletion_due_at, closed_at, faces, alerts, false_alerts)"
    " VALUES ('d-9', 1, 1, 1, 9, 'eve', 'eve', '{}', 0, 0, 0, 0, 0, 0, 0)";

}  // namespace

// Two stops, two deployments and two holds of a restored node, bound.
void BoundTablesConformance::SetUp() {
  ReopenWith(&Kek(1));
  ASSERT_THAT(Write([](Transaction& t) { return t.bound_tables().Bind(); }), IsOk());
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                for (const char* id : {"stop-1", "stop-2"}) {
                  COMITY_RETURN_IF_ERROR(t.stops().Add(MakeStop(id)));
                }
                for (const char* id : {"d-1", "d-2"}) {
                  COMITY_RETURN_IF_ERROR(t.deployments().Add(MakeDeployment(id)));
                }
                for (const char* reference : {"a-1", "a-2"}) {
                  COMITY_RETURN_IF_ERROR(t.retention().AddHold(MakeHold(reference)));
                }
                COMITY_RETURN_IF_ERROR(t.retention().PutRestoration(MakeRestoration()));
                return t.retention().NoteReached(MakeId<policy::AgencyId>("eastvale-council"));
              }),
              IsOk());
}
std::vector<std::string> BoundTablesConformance::Faults() {
  std::vector<std::string> tables;
  const auto states = Get([](const Transaction& t) { return t.bound_tables().Look(); });
  EXPECT_THAT(*states, SizeIs(kBoundTables.size()));
  for (const BoundState& state : *states) {
    if (!state.fault.empty()) tables.emplace_back(Name(state.table));
  }
  return tables;
}
void BoundTablesConformance::ExpectFound(const std::string& sql, const std::string& table) {
  SCOPED_TRACE(sql);
  EXPECT_THAT(Faults(), IsEmpty());
  Execute(sql);
  EXPECT_THAT(Faults(), UnorderedElementsAre(table));
  ExpectRefused(table);
}

// Neither read, nor written, which would bind what was changed.
void BoundTablesConformance::ExpectRefused(const std::string& table) {
  const auto read = [this](auto call) {
    return store().Read([&](const Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(call(t));
      return {};
    });
  };
  const auto corrupt = FailsWith(ErrorCode::kCorrupt);
  const policy::DeploymentId first = MakeId<policy::DeploymentId>("d-1");
  if (table == "stop") {
    EXPECT_THAT(read([](const auto& t) { return t.stops().Standing(); }), corrupt);
    EXPECT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-7")); }), corrupt);
    EXPECT_THAT(Write([](Transaction& t) {
                  return t.stops().Lift("stop-1", MakeId<policy::PersonId>("ada"), "x", At(20));
                }),
                corrupt);
  } else if (table == "deployment") {
    EXPECT_THAT(read([&](const auto& t) { return t.deployments().Get(first); }), corrupt);
    EXPECT_THAT(
        read([](const auto& t) { return t.deployments().InState({DeploymentState::kActive}); }),
        corrupt);
    EXPECT_THAT(Write([&](Transaction& t) { return t.deployments().AddCounts(first, 1, 1); }),
                corrupt);
    EXPECT_THAT(Write([](Transaction& t) { return t.deployments().Add(MakeDeployment("d-7")); }),
                corrupt);
  } else if (table == "retention_hold") {
    EXPECT_THAT(read([](const auto& t) { return t.retention().Holds(); }), corrupt);
    EXPECT_THAT(read([](const auto& t) {
                  return t.retention().IsHeld(policy::RetentionClass::kAlert, "a-1");
                }),
                corrupt);
    EXPECT_THAT(read([](const auto& t) {
                  return t.retention().Due(policy::RetentionClass::kAlert, At(100), 10);
                }),
                corrupt);
    const auto erase = [](Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(t.alerts().EraseExpired(At(100)));
      return {};
    };
    EXPECT_THAT(Write(erase), corrupt);
  } else {
    EXPECT_THAT(read([](const auto& t) { return t.retention().Restoration(); }), corrupt);
    EXPECT_THAT(read([](const auto& t) { return t.retention().Reached(); }), corrupt);
    EXPECT_THAT(
        Write([](Transaction& t) { return t.retention().PutRestoration(MakeRestoration()); }),
        corrupt);
  }
}

TEST_P(BoundTablesConformance, AreAsTheyWereWrittenAlsoAfterARestart) {
  EXPECT_THAT(Faults(), IsEmpty());
  ReopenWith(&Kek(1));
  EXPECT_THAT(Faults(), IsEmpty());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.stops().Standing(); }), SizeIs(2));
}

TEST_P(BoundTablesConformance, AChangedStopIsFound) {
  ExpectFound("UPDATE stop SET reference = 'westmere' WHERE id = 'stop-1'", "stop");
}
TEST_P(BoundTablesConformance, ALiftedStopIsFound) {
  ExpectFound("UPDATE stop SET lifted_by = 'eve', lifted_at = 5 WHERE id = 'stop-1'", "stop");
}
TEST_P(BoundTablesConformance, ARemovedStopIsFound) {
  ExpectFound("DELETE FROM stop WHERE id = 'stop-2'", "stop");
}
TEST_P(BoundTablesConformance, AllStopsRemovedAreFound) {
  ExpectFound("DELETE FROM stop", "stop");
}
TEST_P(BoundTablesConformance, AnAddedDeploymentIsFound) {
  ExpectFound(kAddedDeployment, "deployment");
}
TEST_P(BoundTablesConformance, AProlongedDeploymentIsFound) {
  ExpectFound("UPDATE deployment SET ends_at = ends_at + 1 WHERE id = 'd-1'", "deployment");
}
TEST_P(BoundTablesConformance, ADeploymentWhoseFalseAlertsAreForgottenIsFound) {
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.deployments().AddFalseAlert(
                    MakeId<policy::DeploymentId>("d-1"), MakeId<policy::AgencyId>("westmere")));
                return {};
              }),
              IsOk());
  ExpectFound("UPDATE deployment SET false_alerts = 0 WHERE id = 'd-1'", "deployment");
}
TEST_P(BoundTablesConformance, AClosedDeploymentThatIsOpenedAgainIsFound) {
  ASSERT_THAT(Write([](Transaction& t) {
                DeploymentRecord deployment = MakeDeployment("d-1");
                deployment.state = DeploymentState::kClosed;
                deployment.closed_at = At(400);
                return t.deployments().Change(deployment, DeploymentState::kActive);
              }),
              IsOk());
  ExpectFound("UPDATE deployment SET state = 1, closed_at = 0 WHERE id = 'd-1'", "deployment");
}
TEST_P(BoundTablesConformance, AnEndedHoldIsFound) {
  ExpectFound("UPDATE retention_hold SET released_at = 5 WHERE reference = 'a-1'",
              "retention_hold");
}
TEST_P(BoundTablesConformance, ARemovedHoldIsFound) {
  ExpectFound("DELETE FROM retention_hold", "retention_hold");
}
TEST_P(BoundTablesConformance, AConfirmedRestorationIsFound) {
  ExpectFound("UPDATE restoration SET state = 3, confirmed_at = 11", "restoration");
}
TEST_P(BoundTablesConformance, ARemovedRestorationIsFound) {
  ExpectFound("DELETE FROM restoration", "restoration");
}
TEST_P(BoundTablesConformance, APartnerSaidToBeReachedIsFound) {
  ExpectFound("INSERT INTO restoration_reached (peer) VALUES ('westmere')", "restoration");
}
TEST_P(BoundTablesConformance, AMissingAuthenticatorIsFound) {
  ExpectFound("DELETE FROM table_binding WHERE name = 'stop'", "stop");
}
TEST_P(BoundTablesConformance, TheAuthenticatorOfAnotherTableIsNone) {
  Execute("DELETE FROM stop");
  Execute("DELETE FROM retention_hold");
  Execute(
      "UPDATE table_binding SET mac = (SELECT mac FROM table_binding WHERE name = "
      "'retention_hold'),"
      " generation = (SELECT generation FROM table_binding WHERE name = 'retention_hold')"
      " WHERE name = 'stop'");
  EXPECT_THAT(Faults(), UnorderedElementsAre("stop", "retention_hold"));
}

// The whole of an older state with its authenticator, which is the gateway's own.
TEST_P(BoundTablesConformance, AnOlderStateOfATableIsFoundWhileTheGatewayRuns) {
  Execute("CREATE TABLE kept_stop AS SELECT * FROM stop");
  Execute("CREATE TABLE kept AS SELECT * FROM table_binding");
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-3")); }), IsOk());
  EXPECT_THAT(Faults(), IsEmpty());
  Execute("DELETE FROM stop WHERE id = 'stop-3'");
  Execute(
      "UPDATE table_binding SET mac = (SELECT mac FROM kept WHERE name = 'stop'),"
      " generation = (SELECT generation FROM kept WHERE name = 'stop') WHERE name = 'stop'");
  EXPECT_THAT(Faults(), UnorderedElementsAre("stop"));
  ExpectRefused("stop");
}

// What a reader sees and a failover takes back, since it was never durable.
TEST_P(BoundTablesConformance, AStateThatOnlyReadersSawIsNotMissed) {
  Execute("CREATE TABLE first_stop AS SELECT * FROM stop");
  Execute("CREATE TABLE first_binding AS SELECT * FROM table_binding");
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-3")); }), IsOk());
  Execute("CREATE TABLE second_stop AS SELECT * FROM stop");
  Execute("CREATE TABLE second_binding AS SELECT * FROM table_binding");
  ReopenWith(&Kek(1));
  const auto put = [&](const std::string& state) {
    Execute("DELETE FROM stop");
    Execute("INSERT INTO stop SELECT * FROM " + state + "_stop");
    Execute("UPDATE table_binding SET mac = (SELECT mac FROM " + state +
            "_binding WHERE name = 'stop'), generation = (SELECT generation FROM " + state +
            "_binding WHERE name = 'stop') WHERE name = 'stop'");
    EXPECT_THAT(Faults(), IsEmpty()) << state;
  };
  put("first");
  put("second");
  put("first");
  // What this store has written is missed, though nobody has read it.
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-4")); }), IsOk());
  Execute("DELETE FROM stop WHERE id = 'stop-4'");
  Execute(
      "UPDATE table_binding SET mac = (SELECT mac FROM first_binding WHERE name = 'stop'),"
      " generation = (SELECT generation FROM first_binding WHERE name = 'stop')"
      " WHERE name = 'stop'");
  EXPECT_THAT(Faults(), UnorderedElementsAre("stop"));
}

// What a unit of work wrote that failed beside others of its group is not expected.
TEST_P(BoundTablesConformance, WhatWasUndoneIsNotMissed) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Write([](Transaction& t) -> Status {
                  COMITY_RETURN_IF_ERROR(t.stops().Add(MakeStop("stop-3")));
                  COMITY_RETURN_IF_ERROR(t.stops().Add(MakeStop("stop-4")));
                  return Fail(ErrorCode::kConflict, "given up");
                }),
                FailsWith(ErrorCode::kConflict));
    EXPECT_THAT(Faults(), IsEmpty());
  }
}

// After a restart the erasure ledger knows how often each table was written.
TEST_P(BoundTablesConformance, AnOlderStateOfATableIsFoundByWhoeverKnowsHowOftenItWasWritten) {
  const auto before = Get([](const Transaction& t) { return t.bound_tables().Look(); });
  const std::uint64_t generation = before->at(1).generation;
  Execute("CREATE TABLE kept AS SELECT * FROM table_binding");
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-3")); }), IsOk());
  Execute("DELETE FROM stop WHERE id = 'stop-3'");
  Execute(
      "UPDATE table_binding SET mac = (SELECT mac FROM kept WHERE name = 'stop'),"
      " generation = (SELECT generation FROM kept WHERE name = 'stop') WHERE name = 'stop'");
  ReopenWith(&Kek(1));
  ASSERT_THAT(store().Read([&](const Transaction& t) -> Status {
    t.bound_tables().Expect(BoundTable::kStop, generation + 1);
    return {};
  }),
              IsOk());
  EXPECT_THAT(Faults(), UnorderedElementsAre("stop"));
}

// Rows and authenticators of another agency, whose database is as good as this one.
TEST_P(BoundTablesConformance, WhatAnotherAgencyWroteIsFound) {
  ReopenWith(&Kek(2));
  EXPECT_THAT(Faults(), SizeIs(kBoundTables.size()));
  for (const BoundTable table : kBoundTables) ExpectRefused(std::string(Name(table)));
  ASSERT_THAT(Write([](Transaction& t) { return t.bound_tables().Bind(); }), IsOk());
  EXPECT_THAT(Faults(), IsEmpty());
  ReopenWith(&Kek(1));
  EXPECT_THAT(Faults(), SizeIs(kBoundTables.size()));
}

TEST_P(BoundTablesConformance, AreNotLookedAtWithoutAKey) {
  ReopenWith(nullptr);
  EXPECT_THAT(*Get([](const Transaction& t) { return t.bound_tables().Look(); }), IsEmpty());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.stops().Standing(); }), SizeIs(2));
}

// A tool without the key that writes is found out like anybody else.
TEST_P(BoundTablesConformance, AreChangedByNobodyWithoutTheKey) {
  ReopenWith(nullptr);
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-3")); }), IsOk());
  ReopenWith(&Kek(1));
  EXPECT_THAT(Faults(), UnorderedElementsAre("stop"));
}

// A unit of work that fails leaves table and authenticator as they were.
TEST_P(BoundTablesConformance, AreAsBeforeAfterAFailedUnitOfWork) {
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.stops().Add(MakeStop("stop-3")));
                return Fail(ErrorCode::kConflict, "given up");
              }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Faults(), IsEmpty());
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-3")); }), IsOk());
  EXPECT_THAT(Faults(), IsEmpty());
}

// Between the check of a table and its binding nobody else's row comes in.
TEST_P(BoundTablesConformance, ARowThatComesInWhileTheyAreWrittenIsNotBound) {
  const policy::DeploymentId first = MakeId<policy::DeploymentId>("d-1");
  const auto count = [&] {
    return Write([&](Transaction& t) { return t.deployments().AddCounts(first, 1, 1); });
  };
  ASSERT_THAT(count(), IsOk());
  if (GetParam().name == "Sqlite") {
    Execute(std::string("CREATE TRIGGER later AFTER UPDATE ON deployment BEGIN ") +
            kAddedDeployment + "; END");
    EXPECT_THAT(count(), FailsWith(ErrorCode::kCorrupt));
    Execute("DROP TRIGGER later");
    EXPECT_THAT(Faults(), IsEmpty());
  } else {
    // Written before the check, and kept after it had been done.
    std::jthread other([&] { Execute(std::string(kAddedDeployment) + "; SELECT pg_sleep(1.5)"); });
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    EXPECT_THAT(count(), FailsWith(ErrorCode::kCorrupt));
    other.join();
    EXPECT_THAT(Faults(), UnorderedElementsAre("deployment"));
  }
}

}  // namespace comity::store
