// SPDX-License-Identifier: Apache-2.0
// What a gateway tells whoever is on duty of itself, and to whom it does not tell it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "services/store/sqlite/sqlite_store.h"
#include "tests/integration/live_acts.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NodeHealth : public ::testing::Test {
 protected:
  void SetUp() override {
    council_.Start({&police_});
    police_.Start({&council_});
    AwaitPartners(police_);
  }
  v1::NodeStatusResponse StatusFor(const std::string& person, bool contact = false) const {
    grpc::ClientContext context;
    v1::NodeStatusRequest request;
    request.set_contact_peers(contact);
    v1::NodeStatusResponse status;
    EXPECT_TRUE(police_.node(person)->Status(&context, request, &status).ok());
    return status;
  }
  v1::NodeHealth HealthFor(const std::string& person) const { return StatusFor(person).health(); }

  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
};

TEST_F(NodeHealth, TellsOfStoreLogAndCertificates) {
  const v1::NodeHealth health = HealthFor("supervisor-1");
  EXPECT_EQ(health.schema(), static_cast<unsigned>(store::SqliteSchemaVersion()));
  EXPECT_GT(health.disk_free(), 0U);
  EXPECT_GE(health.disk_size(), health.disk_free());
  EXPECT_TRUE(health.publishing());
  EXPECT_TRUE(health.has_checkpoint_at());
  ASSERT_EQ(health.certificates_size(), 2);
  EXPECT_EQ(health.certificates(0).what(), "keys.tls");
  EXPECT_EQ(health.certificates(1).what(), "keys.crl");
  const auto now = StatusFor("supervisor-1").now().seconds();
  EXPECT_GT(health.certificates(0).expires_at().seconds(), now);
}

TEST_F(NodeHealth, TellsOfPartnersAndWhenTheirCertificatesEnd) {
  const v1::NodeStatusResponse status = StatusFor("operator", true);
  ASSERT_EQ(status.health().partners_size(), 1);
  EXPECT_EQ(status.health().partners(0).agency(), "eastvale-council");
  EXPECT_EQ(status.health().partners(0).state(), "active");
  ASSERT_EQ(status.peers_size(), 1);
  ASSERT_TRUE(status.peers(0).reachable());
  EXPECT_GT(status.peers(0).certificate_expires_at().seconds(), status.now().seconds());
}

TEST_F(NodeHealth, WithholdsWhatTheRoleMayNotRead) {
  EXPECT_THAT(HealthFor("supervisor-1").withheld(), IsEmpty());
  EXPECT_THAT(HealthFor("operator").withheld(),
              ElementsAre("revocations", "agreements", "capacities"));
  EXPECT_THAT(HealthFor("release").withheld(), ElementsAre("lists", "copies"));
  EXPECT_THAT(HealthFor("admin-1").withheld(),
              ElementsAre("agreements", "capacities", "lists", "copies"));
  EXPECT_THAT(HealthFor("keys-1").withheld(),
              ElementsAre("agreements", "capacities", "lists", "copies"));
}

TEST_F(NodeHealth, TellsOfListsToWhoMayReadThemAndToNobodyElse) {
  DefinitionText list;
  list.agreements = {"fan"};
  list.starts_at = runtime::SystemClock().Now() - std::chrono::minutes(1);
  list.ends_at = list.starts_at + std::chrono::hours(5);
  DraftList(police_, list);
  ASSERT_EQ(HealthFor("operator").lists_size(), 1);
  EXPECT_EQ(HealthFor("operator").lists(0).state(), "draft");
  EXPECT_FALSE(HealthFor("operator").lists(0).searchable());
  EXPECT_THAT(HealthFor("admin-1").lists(), IsEmpty());
}

TEST_F(NodeHealth, TellsOfStandingStopsAndWaitingActs) {
  grpc::ClientContext context;
  v1::SetStopRequest request;
  request.set_scope(v1::STOP_SCOPE_PARTNER);
  request.set_reference("eastvale-council");
  request.set_reason("inquiry");
  v1::Stop stop;
  ASSERT_TRUE(police_.stops()->Set(&context, request, &stop).ok());
  const v1::NodeHealth stopped = HealthFor("operator");
  ASSERT_EQ(stopped.stops_size(), 1);
  EXPECT_EQ(stopped.stops(0).scope(), "partner");
  EXPECT_EQ(stopped.stops(0).reference(), "eastvale-council");
  EXPECT_EQ(stopped.stops(0).set_by(), "supervisor-1");

  grpc::ClientContext lifting;
  v1::LiftStopRequest lift;
  lift.set_stop(stop.stop());
  lift.set_reason("over");
  v1::PendingAct act;
  ASSERT_TRUE(police_.stops()->Lift(&lifting, lift, &act).ok());
  ASSERT_EQ(HealthFor("operator").approvals_size(), 1);
  EXPECT_EQ(HealthFor("operator").approvals(0).approval(), act.approval());
}

TEST_F(NodeHealth, KnowsNoCertificateOfAPartnerThatDoesNotAnswer) {
  council_.Stop();
  const v1::NodeStatusResponse status = StatusFor("operator", true);
  EXPECT_FALSE(status.peers(0).reachable());
  EXPECT_FALSE(status.peers(0).has_certificate_expires_at());
}

}  // namespace
}  // namespace comity::testing
