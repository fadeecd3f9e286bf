// SPDX-License-Identifier: Apache-2.0
#include "services/identity/people.h"

#include <atomic>
#include <thread>
#include <vector>

#include "services/audit/events.h"
#include "services/store/person_store.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;

class PeopleTest : public IdentityWorld {
 protected:
  Result<Caller> Authorise(const std::string& id, Act act) const {
    return people_->Authorise(policy::PersonId::Parse(id).value(),
                              hash::Sha256(AsBytes("certificate of " + id)), act);
  }
  Result<std::unique_ptr<People>> OpenAgain(const sign::SigningKey& key) {
    return People::Open({agency_.store(), agency_.journal(), agency_.own, key, agency_.clock},
                        first_);
  }
  // Changes a stored record behind the register's back.
  void Tamper(const std::string& id, void (*change)(store::PersonRecord&)) {
    ASSERT_THAT(agency_.store().Write([&](store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(auto records, transaction.people().All());
      for (store::PersonRecord& record : records) {
        if (record.id.text() != id) continue;
        change(record);
        COMITY_RETURN_IF_ERROR(transaction.people().Put(record));
      }
      return {};
    }),
                IsOk());
  }
};

TEST_F(PeopleTest, KnowsTheTwoAdministratorsOfTheConfigurationAndLogsThemOnce) {
  EXPECT_THAT(Authorise("admin-1", Act::kPersonAdd), IsOk());
  EXPECT_THAT(Authorise("admin-2", Act::kPersonAdd), IsOk());
  const std::size_t added = agency_.CountEvents(audit::kPersonAdded);
  Restart();
  EXPECT_EQ(agency_.CountEvents(audit::kPersonAdded), added);
}

TEST_F(PeopleTest, ChangedConfigurationChangesNobodyWhoIsKnown) {
  ASSERT_THAT(Revoke("admin-2"), IsOk());
  first_[0].signing_key = sign::SigningKey::Generate(agency_.random).public_key();
  first_[0].post = "Somebody else";
  Restart();
  const Person person = people_->Find(first_[0].id).value();
  EXPECT_EQ(person.signing_key, KeyOf("admin-1").public_key());
  EXPECT_EQ(person.post, "Post of admin-1");
  EXPECT_THAT(Authorise("admin-2", Act::kPersonAdd), FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PeopleTest, KeepsEveryFieldAcrossARestart) {
  const auto before = people_->List();
  Restart();
  const auto after = people_->List();
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].id, after[i].id);
    EXPECT_EQ(before[i].post, after[i].post);
    EXPECT_EQ(before[i].roles, after[i].roles);
    EXPECT_EQ(before[i].tls_key, after[i].tls_key);
    EXPECT_EQ(before[i].signing_key, after[i].signing_key);
    EXPECT_EQ(before[i].active, after[i].active);
    EXPECT_EQ(before[i].added_at, after[i].added_at);
    EXPECT_EQ(before[i].changed_at, after[i].changed_at);
  }
}

TEST_F(PeopleTest, LetsInByRoleOnly) {
  EXPECT_THAT(Authorise("operator-1", Act::kDeploymentStart), IsOk());
  EXPECT_THAT(Authorise("operator-1", Act::kAlertAdjudicate),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Authorise("admin-1", Act::kAlertRead), FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PeopleTest, TurnsAwayWhoIsNotRegistered) {
  EXPECT_THAT(Authorise("stranger", Act::kNodeStatus), FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PeopleTest, TurnsAwayAnotherCertificateKeyUnderTheSameId) {
  EXPECT_THAT(people_->Authorise(policy::PersonId::Parse("operator-1").value(),
                                 hash::Sha256(AsBytes("certificate of dpo")), Act::kNodeStatus),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PeopleTest, RevocationAndRolesBiteAtTheNextCall) {
  ASSERT_THAT(Authorise("operator-1", Act::kAlertRead), IsOk());
  ASSERT_THAT(Put(MakePerson("operator-1", {Role::kReleaseOfficer})), IsOk());
  EXPECT_THAT(Authorise("operator-1", Act::kAlertRead), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Authorise("operator-1", Act::kAgreementRead), IsOk());
  ASSERT_THAT(Revoke("operator-1"), IsOk());
  EXPECT_THAT(Authorise("operator-1", Act::kNodeStatus), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(agency_.CountEvents(audit::kPersonChanged), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kPersonRevoked), 1U);
}

TEST_F(PeopleTest, RefusesAKeyOfAnotherPersonAlsoOfOneWhoIsGone) {
  ASSERT_THAT(Revoke("operator-1"), IsOk());
  Person person = MakePerson("newcomer", {Role::kOperator});
  person.signing_key = KeyOf("operator-1").public_key();
  EXPECT_THAT(Put(person), FailsWith(ErrorCode::kConflict));
  person = MakePerson("newcomer", {Role::kOperator});
  person.tls_key = hash::Sha256(AsBytes("certificate of dpo"));
  EXPECT_THAT(Put(person), FailsWith(ErrorCode::kConflict));
}

TEST_F(PeopleTest, KeepsTheLastActiveAdministrator) {
  ASSERT_THAT(Revoke("admin-2"), IsOk());
  EXPECT_THAT(Revoke("admin-1"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Put(MakePerson("admin-1", {Role::kOperator})), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Authorise("admin-1", Act::kPersonAdd), IsOk());
}

TEST_F(PeopleTest, RefusesRolesThatNobodyHoldsTogether) {
  EXPECT_THAT(Put(MakePerson("both", {Role::kDpo, Role::kOperator})),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeopleTest, RefusesAnIdThatStandsWhereNobodyActs) {
  for (const char* id : {"alarm", "configuration", "erasure-ledger"}) {
    EXPECT_THAT(Put(MakePerson(id, {Role::kOperator})), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(PeopleTest, RefusesAPostThatCouldForgeALine) {
  Person person = MakePerson("newcomer", {Role::kOperator});
  person.post = "Clerk\nRoles: administrator";
  EXPECT_THAT(Put(person), FailsWith(ErrorCode::kInvalidArgument));
  person.post = "Clerk \xe2\x80\xae";  // right-to-left override
  EXPECT_THAT(Put(person), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PeopleTest, DoesNotStartOnARoleThatTheAgencyDidNotGive) {
  Tamper("operator-1", [](store::PersonRecord& record) { record.roles = {"administrator"}; });
  EXPECT_THAT(OpenAgain(agency_key_), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PeopleTest, DoesNotStartOnAnyFieldThatWasChanged) {
  using Change = void (*)(store::PersonRecord&);
  for (const Change change : std::initializer_list<Change>{
           [](store::PersonRecord& record) { record.post += "."; },
           [](store::PersonRecord& record) { record.tls_key.bytes[0] ^= 1; },
           [](store::PersonRecord& record) { record.signing_key[12] ^= 1; },
           [](store::PersonRecord& record) { record.state = store::PersonState::kRevoked; },
           [](store::PersonRecord& record) { record.added_at += std::chrono::microseconds(1); },
           [](store::PersonRecord& record) { record.changed_at += std::chrono::microseconds(1); },
           [](store::PersonRecord& record) { record.vouched = "{}"; }}) {
    std::vector<store::PersonRecord> kept;
    ASSERT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(kept, transaction.people().All());
      return {};
    }),
                IsOk());
    Tamper("operator-1", change);
    EXPECT_THAT(OpenAgain(agency_key_), FailsWith(ErrorCode::kCorrupt));
    ASSERT_THAT(agency_.store().Write([&](store::Transaction& transaction) -> Status {
      for (const auto& record : kept) COMITY_RETURN_IF_ERROR(transaction.people().Put(record));
      return {};
    }),
                IsOk());
    EXPECT_THAT(OpenAgain(agency_key_), IsOk());
  }
}

TEST_F(PeopleTest, DoesNotStartOnTheRegisterOfAnotherAgencyKey) {
  EXPECT_THAT(OpenAgain(sign::SigningKey::Generate(agency_.random)),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(PeopleTest, LetsNobodyInWhileTheRegisterCannotBeRead) {
  Tamper("operator-1", [](store::PersonRecord& record) { record.roles = {"administrator"}; });
  EXPECT_THAT(people_->Refresh(), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(Authorise("admin-1", Act::kNodeStatus), FailsWith(ErrorCode::kPermissionDenied));
}

// Streams ask about every second whether their person may still be there.
TEST_F(PeopleTest, NobodyIsLetInOnceTheirRevocationHasReturnedWhateverElseIsRead) {
  std::atomic<int> phase{0};  // odd: revoked
  std::atomic<int> let_in{0};
  std::atomic<int> calls{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const int before = phase;
        const bool is_in = Authorise("operator-1", Act::kAlertRead).has_value();
        if (is_in && before % 2 == 1 && phase == before) ++let_in;
        people_->List();
        ++calls;
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) EXPECT_THAT(people_->Refresh(), IsOk());
    });
  }
  for (int round = 0; round < 15; ++round) {
    ASSERT_THAT(Put(MakePerson("operator-1", {Role::kOperator})), IsOk());
    const int before = calls;
    while (calls == before) std::this_thread::yield();
    ASSERT_THAT(Revoke("operator-1"), IsOk());
    ++phase;
    while (calls < before + 20) std::this_thread::yield();
    ++phase;
  }
  readers.clear();
  EXPECT_EQ(let_in, 0);
}

}  // namespace
}  // namespace comity::identity
