// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/register.h"

#include <gmock/gmock.h>

#include <thread>

#include "crypto/hash/sha256.h"
#include "policy/decide/agreement_set.h"
#include "services/agreements/admission.h"
#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/policy/agreement_fixture.h"
#include "tests/unit/services/agreements/agreement_register.h"

namespace comity::agreements {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::StatementKind;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace policy::testing;

TEST_F(AgreementRegister, ComesIntoForceWithTheLastSignatureOfBothSides) {
  BringInForce();
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementReceived), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kStatementIssued), 3U);
  EXPECT_EQ(agency_.CountEvents(audit::kStatementReceived), 3U);
  Restart();
  EXPECT_EQ(Status(), "in-force");
  const AgreementView view = register_->List(agency_.clock.Now()).front();
  EXPECT_THAT(view.statements, SizeIs(6));
  EXPECT_THAT(view.missing, IsEmpty());
  EXPECT_FALSE(view.against_advice);
  EXPECT_EQ(view.agreement, policy::RefOf(agreement_));
}

TEST_F(AgreementRegister, PublishesANewSnapshotWithEachStatement) {
  BringInForce();
  const auto before = register_->Snapshot();
  ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kSuspension), IsOk());
  const auto after = register_->Snapshot();
  const auto status = [&](const policy::AgreementSet& set) {
    return set.StatusOf(*set.FindVersion(agreement_.id, agreement_.version), agency_.clock.Now());
  };
  EXPECT_EQ(status(*before), policy::AgreementStatus::kInForce);  // what a reader holds stays as is
  EXPECT_EQ(status(*after), policy::AgreementStatus::kSuspended);
}

TEST_F(AgreementRegister, TakesASuspensionByThePeersGatewayAlone) {
  BringInForce();
  ASSERT_THAT(Peer(kCouncilGateway, StatementKind::kSuspension), IsOk());
  EXPECT_EQ(Status(), "suspended");
}

TEST_F(AgreementRegister, CountersignsItsOwnPeopleOnly) {
  BringInForce();
  const AgreementFile file = register_->Get(agreement_.id, 0).value();
  EXPECT_EQ(file.document, BaseDocument());
  ASSERT_THAT(file.statements, SizeIs(6));
  for (const std::string& text : file.statements) {
    const auto envelope = sign::ParseDsseJson(text, Register::kMaxStatement).value();
    EXPECT_THAT(policy::VerifyStatement(envelope, agreement_, {}), IsOk());
  }
  EXPECT_THAT(register_->Get(agreement_.id, 9), FailsWith(ErrorCode::kNotFound));
}

TEST_F(AgreementRegister, HandsThePeerDocumentsAndOwnStatements) {
  BringInForce();
  const auto pending = register_->PendingFor(kCouncil);
  ASSERT_THAT(pending, SizeIs(1));
  EXPECT_THAT(pending[0].statements, SizeIs(3));
  EXPECT_THAT(register_->PendingFor(policy::AgencyId::Parse("westmoor").value()), IsEmpty());
}

TEST_F(AgreementRegister, AnswersRepetitionsWithoutLoggingThem) {
  BringInForce();
  const auto again = register_->SubmitDocument(BaseDocument(), peer_);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->known_already);
  EXPECT_TRUE(Own(kPoliceChief, StatementKind::kSignature)->known_already);
  EXPECT_TRUE(Peer(kCouncilChief, StatementKind::kSignature)->known_already);
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementReceived), 1U);
  EXPECT_EQ(agency_.CountEvents(audit::kStatementReceived), 3U);
}

TEST_F(AgreementRegister, TakesAPeersStatementFromAFileOnlyWithItsCountersignature) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  const auto statement = StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement_);
  EXPECT_THAT(register_->SubmitStatement(Signed(kCouncilDpo, statement), own_),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(register_->SubmitStatement(Countersigned(kCouncilDpo, statement), own_), IsOk());
}

TEST_F(AgreementRegister, RefusesAPeersStatementsForOthersOrWithoutCountersignature) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  const auto ours = StatementBy(kPoliceDpo, StatementKind::kAdvice, agreement_);
  EXPECT_THAT(register_->SubmitStatement(Signed(kPoliceDpo, ours), peer_),
              FailsWith(ErrorCode::kPermissionDenied));
  const auto theirs = StatementBy(kCouncilDpo, StatementKind::kAdvice, agreement_);
  EXPECT_THAT(register_->SubmitStatement(Signed(kCouncilDpo, theirs), peer_),
              FailsWith(ErrorCode::kCorrupt));
  // Signed by somebody whom the document does not name for the post.
  const Person impostor{"eastvale-council", "Data Protection Officer", 3, 1};
  EXPECT_THAT(register_->SubmitStatement(Countersigned(impostor, theirs), peer_),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(register_->SubmitStatement("{}", peer_), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(register_->SubmitStatement(std::string(17000, ' '), peer_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(register_->List(agency_.clock.Now()).front().statements, IsEmpty());
}

TEST_F(AgreementRegister, RefusesStatementsAboutUnknownDocuments) {
  EXPECT_THAT(Own(kPoliceDpo, StatementKind::kAdvice), FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  auto statement = StatementBy(kPoliceDpo, StatementKind::kAdvice, agreement_);
  statement.agreement.sha256.bytes[0] ^= 1;
  EXPECT_THAT(register_->SubmitStatement(Signed(kPoliceDpo, statement), own_),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(AgreementRegister, ListsEveryFaultOfADocument) {
  const auto faulty = register_->SubmitDocument(
      Replaced(BaseDocument(), "schema: comity/agreement/1", "schema: other\nsurprise: 1"), own_);
  ASSERT_THAT(faulty, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(faulty.error().detail, HasSubstr("document:"));
  EXPECT_THAT(faulty.error().detail, HasSubstr("surprise"));
  EXPECT_THAT(register_->SubmitDocument(std::string(300'000, ' '), own_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(register_->List(agency_.clock.Now()), IsEmpty());
}

TEST_F(AgreementRegister, TakesHigherVersionsAndNoOtherContentOfKnownOnes) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  const std::string retitled = Replaced(BaseDocument(), "title: ", "title: Revised ");
  EXPECT_THAT(register_->SubmitDocument(retitled, peer_), FailsWith(ErrorCode::kConflict));
  const std::string stated = "version: " + std::to_string(agreement_.version);
  const std::string higher = Replaced(retitled, stated, "version: 7");
  EXPECT_THAT(register_->SubmitDocument(higher, peer_), IsOk());
  EXPECT_THAT(register_->SubmitDocument(Replaced(retitled, stated, "version: 6"), own_),
              FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(register_->SubmitDocument(BaseDocument(), own_)->known_already);
  Restart();
  EXPECT_THAT(register_->List(agency_.clock.Now()), SizeIs(2));
  EXPECT_EQ(register_->Get(agreement_.id, 0)->agreement.version, 7U);
}

TEST_F(AgreementRegister, TakesNoVersionFromAPeerThatWouldLeaveNoHigherOne) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  const std::string stated = "version: " + std::to_string(agreement_.version);
  const auto at_version = [&](std::uint32_t version) {
    return Replaced(BaseDocument(), stated, "version: " + std::to_string(version));
  };
  const std::uint32_t most = agreement_.version + 1'000'000;
  EXPECT_THAT(register_->SubmitDocument(at_version(4'294'967'295), peer_),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(register_->SubmitDocument(at_version(most + 1), peer_),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(register_->SubmitDocument(at_version(most), peer_), IsOk());
}

TEST_F(AgreementRegister, APeerCannotTakeTheRoomOfOthers) {
  const std::string id = "id: " + agreement_.id.text();
  const auto of_id = [&](int number) {
    return Replaced(BaseDocument(), id, "id: filler-" + std::to_string(number));
  };
  for (int i = 0; i < 200; ++i) {
    ASSERT_THAT(register_->SubmitDocument(of_id(i), peer_), IsOk());
  }
  EXPECT_THAT(register_->SubmitDocument(of_id(200), peer_), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
}

TEST_F(AgreementRegister, BeyondTheBoundTakesOnlyStatementsThatStopSomething) {
  BringInForce();
  const auto suspend = [&](int second) {
    auto statement = StatementBy(kCouncilGateway, StatementKind::kSuspension, agreement_);
    statement.at += std::chrono::seconds(second);
    return register_->SubmitStatement(Countersigned(kCouncilGateway, statement), peer_);
  };
  for (int i = 1; i <= 64; ++i) ASSERT_THAT(suspend(i), IsOk());
  EXPECT_THAT(suspend(65), FailsWith(ErrorCode::kExhausted));
  // Another person's room is not taken.
  EXPECT_THAT(Peer(kCouncilDpo, StatementKind::kSuspension), IsOk());
  EXPECT_THAT(Own(kPoliceDpo, StatementKind::kSuspension), IsOk());
  const auto review = [&](int second) {
    auto statement = StatementBy(kCouncilChief, StatementKind::kReview, agreement_);
    statement.text = "Reviewed.";
    statement.at += std::chrono::seconds(second);
    return register_->SubmitStatement(Countersigned(kCouncilChief, statement), peer_);
  };
  for (int i = 1; i <= 63; ++i) ASSERT_THAT(review(i), IsOk());  // with the signature: 64
  EXPECT_THAT(review(64), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(Peer(kCouncilChief, StatementKind::kTermination), IsOk());
  EXPECT_THAT(Peer(kCouncilSiro, StatementKind::kTermination), IsOk());
  auto again = StatementBy(kCouncilChief, StatementKind::kTermination, agreement_);
  again.text = "again";
  EXPECT_THAT(register_->SubmitStatement(Countersigned(kCouncilChief, again), peer_),
              FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(Peer(kCouncilChief, StatementKind::kRejection), IsOk());
  EXPECT_EQ(Status(), "terminated");
}

TEST_F(AgreementRegister, LiftsAnOpenSuspensionBeyondTheBoundOfAPerson) {
  BringInForce();
  const auto say = [&](const Person& person, StatementKind kind, int second,
                       std::optional<Digest> lifts = {}, const char* text = "as agreed") {
    auto statement = StatementBy(person, kind, agreement_);
    statement.at += std::chrono::seconds(second);
    statement.lifts = lifts;
    statement.text = text;
    const Digest id = policy::StatementId(AsBytes(policy::EncodeStatementPayload(statement)));
    return std::pair(statement.party == kCouncil
                         ? register_->SubmitStatement(Countersigned(person, statement), peer_)
                         : register_->SubmitStatement(Signed(person, statement), own_),
                     id);
  };
  const auto resume = [&](const Person& person, int second, const Digest& lifts,
                          const char* text = "as agreed") {
    return say(person, StatementKind::kResumption, second, lifts, text).first;
  };
  using Side = std::tuple<Person, Person, Person>;
  for (const auto& [dpo, siro, chief] : {Side(kPoliceDpo, kPoliceSiro, kPoliceChief),
                                         Side(kCouncilDpo, kCouncilSiro, kCouncilChief)}) {
    Digest last;
    for (int i = 1; i <= 70; ++i) {
      const auto [suspended, id] = say(dpo, StatementKind::kSuspension, i);
      ASSERT_THAT(suspended, IsOk()) << i;
      ASSERT_THAT(resume(siro, i, id), IsOk()) << i;
      ASSERT_EQ(Status(), "suspended");
      // The same person does not count twice and takes no more room.
      if (i > 64) {
        ASSERT_THAT(resume(siro, i, id, "again"), FailsWith(ErrorCode::kExhausted));
      }
      ASSERT_THAT(resume(chief, i, id), IsOk()) << i;
      ASSERT_EQ(Status(), "in-force");
      last = id;
    }
    // Nothing is open any more; of own people such a one is refused because it says nothing.
    EXPECT_FALSE(resume(chief, 71, last, "again").has_value());
    EXPECT_THAT(say(chief, StatementKind::kReview, 72).first, FailsWith(ErrorCode::kExhausted));
  }
  Restart();
  EXPECT_EQ(Status(), "in-force");
}

TEST_F(AgreementRegister, BoundsWhatOnePeersPeopleSayOverAllVersions) {
  HeldVersion version{agreement_, policy::RefOf(agreement_), {}, {}, {}};
  HeldStatement held;
  held.verified.statement = StatementBy(kCouncilGateway, StatementKind::kSuspension, agreement_);
  version.statements.assign(2'000, held);
  Catalogue catalogue;
  catalogue.Put(version);
  version.ref.version = 2;
  version.statements.pop_back();
  catalogue.Put(version);
  EXPECT_THAT(CheckPartysRoom(kCouncil, kPolice, catalogue), IsOk());
  version.statements.push_back(held);
  catalogue.Put(version);
  EXPECT_THAT(CheckPartysRoom(kCouncil, kPolice, catalogue), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(CheckPartysRoom(kPolice, kCouncil, catalogue), IsOk());
}

TEST_F(AgreementRegister, ChangesNoAgreementButTheOneThatIsSpokenOf) {
  const auto other = Replaced(BaseDocument(), "id: " + agreement_.id.text(), "id: another");
  ASSERT_THAT(register_->SubmitDocument(other, peer_), IsOk());
  const auto id = policy::AgreementId::Parse("another").value();
  const auto before = register_->Snapshot();
  BringInForce();
  ASSERT_THAT(register_->LearnPeerStatus(kCouncil, policy::RefOf(agreement_), "signed"), IsOk());
  const auto after = register_->Snapshot();
  EXPECT_NE(before, after);
  EXPECT_EQ(before->FindVersion(id, 1), after->FindVersion(id, 1)) << "made anew";
}

TEST_F(AgreementRegister, RefusesDocumentsWithoutTrustedKeys) {
  Speaks(kCouncil, Key(9));
  EXPECT_THAT(register_->SubmitDocument(BaseDocument(), own_),
              FailsWith(ErrorCode::kPermissionDenied));
  histories_.erase(kCouncil);
  EXPECT_THAT(register_->SubmitDocument(BaseDocument(), own_),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(agency_.CountEvents(audit::kAgreementReceived), 0U);
}

TEST_F(AgreementRegister, RefusesDocumentsFromAPeerThatIsNoParty) {
  const policy::AgencyId other = policy::AgencyId::Parse("westmoor-police").value();
  Speaks(other, Key(9));
  Source source = peer_;
  source.peer = other;
  EXPECT_THAT(register_->SubmitDocument(BaseDocument(), source),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(AgreementRegister, DecidesByNothingWhoseKeysAreNoLongerTrusted) {
  BringInForce();
  Speaks(kCouncil, Key(9));
  Restart();
  EXPECT_EQ(register_->Snapshot()->FindVersion(agreement_.id, agreement_.version), nullptr);
  EXPECT_EQ(Status(), "untrusted-keys");
  EXPECT_THAT(register_->List(agency_.clock.Now()).front().missing,
              Contains(HasSubstr("agency_key of eastvale-council")));
  EXPECT_THAT(register_->PendingFor(kCouncil), IsEmpty());
}

TEST_F(AgreementRegister, ShowsWhenItIsInForceAgainstAdvice) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  auto advice = StatementBy(kPoliceDpo, StatementKind::kAdvice, agreement_);
  advice.position = policy::AdvicePosition::kAgainst;
  ASSERT_THAT(register_->SubmitStatement(Signed(kPoliceDpo, advice), own_), IsOk());
  EXPECT_FALSE(register_->List(agency_.clock.Now()).front().against_advice);
  for (const Person& person : {kPoliceChief, kPoliceSiro}) {
    ASSERT_THAT(Own(person, StatementKind::kSignature), IsOk());
  }
  ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kAdvice), IsOk());
  for (const Person& person : {kCouncilChief, kCouncilSiro}) {
    ASSERT_THAT(Peer(person, StatementKind::kSignature), IsOk());
  }
  EXPECT_EQ(Status(), "in-force");
  EXPECT_TRUE(register_->List(agency_.clock.Now()).front().against_advice);
}

TEST_F(AgreementRegister, RefusesToOpenWithAStatementThatDoesNotVerify) {
  ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
  const auto statement = StatementBy(kPoliceChief, StatementKind::kSignature, agreement_);
  const auto envelope = policy::MakeStatement(Key(9), statement).value();  // another person's key
  ASSERT_THAT(agency_.store().Write([&](store::Transaction& transaction) {
    return transaction.agreements().AddStatement({policy::StatementId(envelope.payload),
                                                  agreement_.id, sign::EncodeDsseJson(envelope),
                                                  agency_.clock.Now()});
  }),
              IsOk());
  const auto opened = TryOpen();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr(agreement_.id.text()));
}

TEST_F(AgreementRegister, CanBeReadWhileStatementsArrive) {
  std::jthread reader([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      register_->Snapshot()->FindCurrent(agreement_.id, agency_.clock.Now());
      register_->List(agency_.clock.Now());
    }
  });
  BringInForce();
}

}  // namespace
}  // namespace comity::agreements
