// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/agreements/register.h"
#include "services/store/notice_store.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/policy/agreement_fixture.h"

namespace comity::agreements {

inline const policy::AgencyId kCouncil = policy::AgencyId::Parse("eastvale-council").value();
inline const policy::AgencyId kPolice = policy::AgencyId::Parse("northshire-police").value();

// The statement as a person signs it, before any countersignature.
inline std::string Signed(const policy::testing::Person& person,
                          const policy::Statement& statement) {
  return sign::EncodeDsseJson(
      policy::MakeStatement(policy::testing::Key(person.key), statement).value());
}
// As the person's own gateway hands it on; `agency_key` 0: the document's.
inline std::string Countersigned(const policy::testing::Person& person,
                                 const policy::Statement& statement, std::uint8_t agency_key = 0) {
  return sign::EncodeDsseJson(policy::Countersign(
      policy::testing::Key(agency_key == 0 ? person.agency_key : agency_key),
      policy::MakeStatement(policy::testing::Key(person.key), statement).value()));
}

// The register of northshire-police; eastvale-council is its peer.
class AgreementRegister : public ::testing::Test {
 protected:
  void SetUp() override {
    agency_.clock.Set(policy::testing::At("2026-03-01T08:00:00Z"));
    Speaks(kPolice, key_);
    Speaks(kCouncil, policy::testing::Key(1));
    Open();
  }
  // From now on only this key speaks for the agency, and as if it always had.
  void Speaks(const policy::AgencyId& agency, const sign::SigningKey& key) {
    histories_[agency] =
        policy::KeyHistory({{sign::EncodePublicKey(key.public_key()), {}, std::nullopt}});
  }
  Result<std::unique_ptr<Register>> TryOpen() {
    notices_.emplace(
        identity::Notices::Setup{agency_.store(), agency_.journal(), agency_.own, agency_.clock});
    return Register::Open({.store = agency_.store(),
                           .journal = agency_.journal(),
                           .notices = *notices_,
                           .own = agency_.own,
                           .agency_key = key_,
                           .keys = [this] { return histories_; },
                           .clock = agency_.clock});
  }
  void Open() {
    register_.reset();
    auto opened = TryOpen();
    ASSERT_THAT(opened, comity::testing::IsOk());
    register_ = std::move(opened).value();
  }
  void Restart() {
    register_.reset();
    agency_.Reopen();
    Open();
  }
  Result<Submitted> Own(const policy::testing::Person& person, policy::StatementKind kind) {
    return register_->SubmitStatement(
        Signed(person, policy::testing::StatementBy(person, kind, agreement_)), own_);
  }
  Result<Submitted> Peer(const policy::testing::Person& person, policy::StatementKind kind) {
    return register_->SubmitStatement(
        Countersigned(person, policy::testing::StatementBy(person, kind, agreement_)), peer_);
  }
  void BringInForce() {
    using comity::testing::IsOk;
    using namespace policy::testing;
    using policy::StatementKind;
    ASSERT_THAT(register_->SubmitDocument(BaseDocument(), own_), IsOk());
    ASSERT_THAT(Own(kPoliceDpo, StatementKind::kAdvice), IsOk());
    ASSERT_THAT(Peer(kCouncilDpo, StatementKind::kAdvice), IsOk());
    ASSERT_THAT(Own(kPoliceChief, StatementKind::kSignature), IsOk());
    ASSERT_THAT(Own(kPoliceSiro, StatementKind::kSignature), IsOk());
    ASSERT_THAT(Peer(kCouncilChief, StatementKind::kSignature), IsOk());
    const auto last = Peer(kCouncilSiro, StatementKind::kSignature);
    ASSERT_THAT(last, IsOk());
    ASSERT_EQ(last->status, "in-force");
  }
  AgreementView View() { return register_->List(agency_.clock.Now()).front(); }
  std::string Status() { return View().status; }
  // What people were told, oldest first.
  std::vector<store::NoticeRecord> Told(std::string_view kind) {
    auto all = notices_->List({identity::Role::kDpo}, 0, false, 1000).value();
    std::erase_if(all, [&](const store::NoticeRecord& notice) { return notice.kind != kind; });
    return all;
  }

  comity::testing::AgencyStore agency_;
  const policy::Agreement agreement_ = policy::testing::BaseAgreement();
  const sign::SigningKey key_ = policy::testing::Key(5);
  policy::KeyHistories histories_;
  const Source own_{.peer = {}, .by = "officer", .exchange = "", .request = {}};
  const Source peer_{.peer = kCouncil, .by = "", .exchange = "x-1", .request = Digest{}};
  std::optional<identity::Notices> notices_;
  std::unique_ptr<Register> register_;
};

}  // namespace comity::agreements
