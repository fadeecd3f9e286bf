// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "crypto/hash/sha256.h"
#include "services/oversight/certificate_revocations.h"
#include "services/store/setting_store.h"
#include "tests/unit/services/oversight/bars_world.h"

namespace comity::oversight {

// An agency's own revocations over its ledger, database, log and people.
class RevocationsWorld : public BarsWorld {
 protected:
  static constexpr const char* kSetting = "certificate-revocations";

  void SetUp() override { MustOpenAll(); }
  void TearDown() override {
    revocations_.reset();
    BarsWorld::TearDown();
  }

  void MustOpenAll() {
    revocations_.reset();
    BarsWorld::MustOpenAll();
    ASSERT_THAT(OpenRevocations(), testing::IsOk());
  }
  Status OpenRevocations() {
    COMITY_ASSIGN_OR_RETURN(
        revocations_, CertificateRevocations::Open({*store_, *log_, *people_, *notices_, *ledger_,
                                                    own_, kek_, clock_, random_, *logger_}));
    return {};
  }
  RevocationOrder Order(const std::string& of, RevocationScope scope = RevocationScope::kKey) {
    return {scope, hash::Sha256(AsBytes(of)), "spiffe://eastvale-council.example/gateway",
            "its laptop was stolen"};
  }
  std::string MustRevoke(const std::string& of) {
    const auto one = revocations_->Revoke(Order(of), kDpo);
    EXPECT_THAT(one, testing::IsOk());
    return one ? one->id : std::string();
  }
  Status Reinstate(const std::string& id) {
    COMITY_RETURN_IF_ERROR(log_->Commit([&](store::Transaction& tx, audit::Recorder& recorder) {
      return Status(
          revocations_->Reinstate(tx, recorder, id, kDpo, "found").map([](const auto&) {}));
    }));
    COMITY_RETURN_IF_ERROR(revocations_->Refresh());
    return revocations_->Housekeep();
  }
  std::string Stored() {
    std::string text;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto found, tx.settings().Find(kSetting));
      text = found.value_or("");
      return {};
    }),
                testing::IsOk());
    return text;
  }
  void PutStored(const std::string& text) {
    ASSERT_THAT(Write([&](store::Transaction& tx) { return tx.settings().Put(kSetting, text); }),
                testing::IsOk());
  }
  RevocationOrder OrderOf(const std::string& person,
                          RevocationScope scope = RevocationScope::kKey) {
    return {scope, Find(person).tls_key, "", "its laptop was stolen"};
  }
  Status RevokeKeyOf(const std::string& person, const std::string& by) {
    return revocations_->Revoke(OrderOf(person), policy::PersonId::Parse(by).value())
        .map([](const auto&) {});
  }
  // admin-1 and admin-2 are there already.
  void PutOffice() {
    Put(MakePerson("siro", {identity::Role::kSignatory}));
    Put(MakePerson("dpo", {identity::Role::kDpo}));
    Put(MakePerson("supervisor", {identity::Role::kSupervisor}));
    Put(MakePerson("operator", {identity::Role::kOperator}));
  }
  std::vector<std::string> Standing() {
    std::vector<std::string> ids;
    for (const auto& one : revocations_->List(false)) ids.push_back(one.id);
    return ids;
  }

  const policy::PersonId kDpo = policy::PersonId::Parse("dpo").value();
  std::unique_ptr<CertificateRevocations> revocations_;
};

}  // namespace comity::oversight
