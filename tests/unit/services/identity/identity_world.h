// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash/sha256.h"
#include "services/identity/approval_decision.h"
#include "services/identity/approvals.h"
#include "services/identity/lone_acts.h"
#include "services/identity/notices.h"
#include "services/identity/people.h"
#include "services/store/setting_store.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::identity {

// An act whose effect is one row in the store: {"entry":"..."} sets the row of that name.
class LedgerAct final : public ActHandler {
 public:
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const PendingAct& act, const policy::PersonId& by) override;
  bool fails = false;  // as if it could not be done any more
  int refreshed = 0;   // how often memory was refreshed after a commit
};
std::string Entry(const std::string& name);

// People, notices and approvals of one agency on its real store and log.
class IdentityWorld : public ::testing::Test {
 protected:
  IdentityWorld();
  void Open();
  void Close();
  void Restart();

  sign::SigningKey& KeyOf(const std::string& id);
  // Active, with keys of their own.
  Person MakePerson(const std::string& id, RoleSet roles);
  Status Put(const Person& person);
  Status PutUnseen(const Person& person);  // memory does not follow
  Status Revoke(const std::string& id);
  Caller CallerOf(const std::string& id) const;
  // Where each act stands by the log alone, which has no names and no content: only salted hashes
  // (here in hexadecimal) and codes. The test fails if a step is not one from where it stood.
  std::map<std::string, std::string> StatesFromLog();
  // Whether the effect of Entry(name) is there.
  bool IsDone(const std::string& name);
  std::string Decide(const PendingAct& act, const std::string& person, DecisionKind kind,
                     const std::string& reason = "seen");
  Result<PendingAct> Propose(Act act, const std::string& entry, const std::string& person) {
    return approvals_->Propose(act, Entry(entry), "entry " + entry, CallerOf(person));
  }
  Result<PendingAct> Approve(const PendingAct& act, const std::string& person) {
    return approvals_->Approve(Decide(act, person, DecisionKind::kApprove), CallerOf(person));
  }
  std::vector<StoredNotice> NoticesFor(Role role, bool open = true) {
    return notices_->List({role}, 0, open, 1000).value();
  }

  testing::AgencyStore agency_;
  sign::SigningKey agency_key_ = sign::SigningKey::Generate(agency_.random);
  std::map<std::string, sign::SigningKey> keys_;
  std::vector<Person> first_;
  std::unique_ptr<People> people_;
  std::unique_ptr<Notices> notices_;
  std::unique_ptr<Approvals> approvals_;
  std::unique_ptr<LoneActs> lone_acts_;
  LedgerAct ledger_;
};

}  // namespace comity::identity
