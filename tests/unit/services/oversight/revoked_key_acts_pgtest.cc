// SPDX-License-Identifier: Apache-2.0
// Acts of a revoked key in a PostgreSQL database whose owner has it refuse that one changes.
#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>

#include "services/audit/events.h"
#include "services/identity/approval_decision.h"
#include "services/identity/approvals.h"
#include "services/oversight/certificate_reinstate.h"
#include "services/store/approval_store.h"
#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/test_database.h"
#include "tests/unit/services/oversight/revocations_world.h"

namespace comity::oversight {
namespace {

using testing::FailsWith;
using testing::IsOk;

class ActsThatPostgresKeeps : public RevocationsWorld {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(Data());
    RevocationsWorld::SetUp();
    PutOffice();
    identity::Person siro = Find("siro");
    siro.signing_key = siro_key_.public_key();
    Put(siro);
    approvals_ = std::make_unique<identity::Approvals>(identity::Approvals::Setup{
        *store_, *log_, *people_, *notices_, own_, clock_, random_, kek_});
    act_ = std::make_unique<CertificateReinstate>(*revocations_);
    approvals_->Handle(identity::Act::kCertificateReinstate, *act_);
    approvals_->CheckKeysBy(
        [this](const store::Transaction& transaction, const identity::Person& person) {
          return revocations_->CheckKey(transaction, person);
        });
  }
  void TearDown() override {
    approvals_.reset();
    act_.reset();
    RevocationsWorld::TearDown();
    Close();  // before the database goes
  }
  Result<std::unique_ptr<store::Store>> OpenStore(store::ErasureLedger* ledger) override {
    return store::OpenPostgresStore(database_.options(), ledger);
  }

  const testing::TestDatabase database_;
  const sign::SigningKey siro_key_ = sign::SigningKey::Generate(random_);
  std::unique_ptr<identity::Approvals> approvals_;
  std::unique_ptr<CertificateReinstate> act_;
};

TEST_F(ActsThatPostgresKeeps, KeepNoKeyFromBeingBarred) {
  const auto theirs = approvals_->Propose(
      identity::Act::kCertificateReinstate,
      EncodeCertificateReinstate(MustRevoke("a partner's key"), "so that the thief comes in"),
      "revocation", {Find("supervisor").id, Find("supervisor").roles});
  ASSERT_THAT(theirs, IsOk());
  database_.Ask(
      "CREATE FUNCTION comity.refuse() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;"
      " CREATE TRIGGER keep BEFORE UPDATE ON comity.approval"
      " FOR EACH ROW EXECUTE FUNCTION comity.refuse()");
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  EXPECT_EQ(Standing().size(), 2U);
  EXPECT_EQ(CountEvents(audit::kCertificateRevoked), 2U);
  EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
  ASSERT_EQ(approvals_->Get(theirs->id)->state, store::ApprovalState::kPending);
  const auto decision = identity::SignDecision(
      siro_key_, {theirs->id, theirs->act, theirs->sha256, identity::DecisionKind::kApprove,
                  Find("siro").id, clock_.Now(), ""});
  EXPECT_THAT(approvals_->Approve(*decision, {Find("siro").id, Find("siro").roles}),
              FailsWith(ErrorCode::kPermissionDenied));
  database_.Ask("DROP TRIGGER keep ON comity.approval");
  EXPECT_THAT(revocations_->Housekeep(), IsOk());
  EXPECT_EQ(approvals_->Get(theirs->id)->state, store::ApprovalState::kRejected);
}

}  // namespace
}  // namespace comity::oversight
