// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/services/identity/identity_world.h"

#include "crypto/base/encoding.h"
#include "crypto/tlog/entry.h"
#include "services/audit/events.h"
#include "services/identity/json_fields.h"

namespace comity::identity {

std::string Entry(const std::string& name) {
  return R"({"entry":")" + name + R"("})";
}

Result<std::string> LedgerAct::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(auto fields, JsonFields::Parse(content, 1000, "ledger"));
  COMITY_ASSIGN_OR_RETURN(const std::string name, fields.Text("entry"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  return "Write the entry " + name + ".\n";
}

Result<ActHandler::AfterCommit> LedgerAct::Carry(store::Transaction& transaction,
                                                 audit::Recorder& /*recorder*/,
                                                 const PendingAct& act,
                                                 const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(auto fields, JsonFields::Parse(act.content, 1000, "ledger"));
  COMITY_ASSIGN_OR_RETURN(const std::string name, fields.Text("entry"));
  COMITY_RETURN_IF_ERROR(transaction.settings().Put("entry " + name, by.text()));
  if (fails) return Fail(ErrorCode::kConflict, "it cannot be done any more");
  return AfterCommit([this] { ++refreshed; });
}

IdentityWorld::IdentityWorld() {
  first_ = {MakePerson("admin-1", {Role::kAdministrator}),
            MakePerson("admin-2", {Role::kAdministrator})};
  Open();
  for (const auto& [id, roles] :
       std::map<std::string, RoleSet>{{"operator-1", {Role::kOperator}},
                                      {"supervisor-1", {Role::kSupervisor}},
                                      {"supervisor-2", {Role::kSupervisor}},
                                      {"dpo", {Role::kDpo}},
                                      {"auditor", {Role::kAuditor}},
                                      {"keys-1", {Role::kKeyAdministrator}}}) {
    EXPECT_THAT(Put(MakePerson(id, roles)), testing::IsOk());
  }
}

void IdentityWorld::Open() {
  auto people = People::Open(
      {agency_.store(), agency_.journal(), agency_.own, agency_key_, agency_.clock}, first_);
  ASSERT_THAT(people, testing::IsOk());
  people_ = *std::move(people);
  notices_ = std::make_unique<Notices>(
      Notices::Setup{agency_.store(), agency_.journal(), agency_.own, agency_.clock});
  approvals_ = std::make_unique<Approvals>(
      Approvals::Setup{agency_.store(), agency_.journal(), *people_, *notices_, agency_.own,
                       agency_.clock, agency_.random, agency_.kek()});
  lone_acts_ = std::make_unique<LoneActs>(
      LoneActs::Setup{*notices_, agency_.store(), agency_.journal(), agency_.clock});
  approvals_->Handle(Act::kDeploymentStart, ledger_);
  approvals_->Handle(Act::kThresholdLower, ledger_);
  approvals_->Handle(Act::kStopLift, ledger_);
}

void IdentityWorld::Close() {
  lone_acts_.reset();
  approvals_.reset();
  notices_.reset();
  people_.reset();
  agency_.Close();
}

void IdentityWorld::Restart() {
  Close();
  agency_.Reopen();
  Open();
}

sign::SigningKey& IdentityWorld::KeyOf(const std::string& id) {
  const auto known = keys_.find(id);
  if (known != keys_.end()) return known->second;
  return keys_.emplace(id, sign::SigningKey::Generate(agency_.random)).first->second;
}

Person IdentityWorld::MakePerson(const std::string& id, RoleSet roles) {
  Person person;
  person.id = policy::PersonId::Parse(id).value();
  person.post = "Post of " + id;
  person.roles = roles;
  person.tls_key = hash::Sha256(AsBytes("certificate of " + id));
  person.signing_key = KeyOf(id).public_key();
  person.active = true;
  person.added_at = agency_.clock.Now();
  return person;
}

Status IdentityWorld::PutUnseen(const Person& person) {
  return agency_.journal().Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
    return people_->Put(transaction, recorder, person, {"admin-1", "test"});
  });
}

Status IdentityWorld::Put(const Person& person) {
  COMITY_RETURN_IF_ERROR(PutUnseen(person));
  return people_->Refresh();
}

Status IdentityWorld::Revoke(const std::string& id) {
  COMITY_ASSIGN_OR_RETURN(Person person, people_->Find(policy::PersonId::Parse(id).value()));
  person.active = false;
  return Put(person);
}

Caller IdentityWorld::CallerOf(const std::string& id) const {
  const Person person = people_->Find(policy::PersonId::Parse(id).value()).value();
  return {person.id, person.roles};
}

std::map<std::string, std::string> IdentityWorld::StatesFromLog() {
  std::map<std::string, std::string> states;
  const Status read = agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto records, transaction.audit().Read(0, 1'000'000));
    for (const store::AuditEntryRecord& record : records) {
      COMITY_ASSIGN_OR_RETURN(const tlog::LogEntry entry, tlog::ParseEntry(AsText(record.entry)));
      if (!entry.type.starts_with("approval-")) continue;
      std::string& state = states[EncodeHex(entry.messages.at("content").view())];
      const bool reviewed = entry.type == audit::kApprovalReviewed;
      const bool proposed = entry.type == audit::kApprovalProposed;
      EXPECT_EQ(state, proposed ? "" : reviewed ? "urgent" : "pending") << entry.type;
      state = reviewed ? "reviewed" : entry.decision->code;
    }
    return {};
  });
  EXPECT_THAT(read, testing::IsOk());
  return states;
}

bool IdentityWorld::IsDone(const std::string& name) {
  std::optional<std::string> value;
  const Status read = agency_.store().Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(value, transaction.settings().Find("entry " + name));
    return {};
  });
  EXPECT_THAT(read, testing::IsOk());
  return value.has_value();
}

std::string IdentityWorld::Decide(const PendingAct& act, const std::string& person,
                                  DecisionKind kind, const std::string& reason) {
  Decision decision{act.id,
                    act.act,
                    act.sha256,
                    kind,
                    policy::PersonId::Parse(person).value(),
                    agency_.clock.Now(),
                    reason};
  return SignDecision(KeyOf(person), decision).value();
}

}  // namespace comity::identity
