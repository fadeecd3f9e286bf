// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/approvals.h"
#include "services/identity/lone_acts.h"
#include "services/identity/people.h"

namespace comity::identity {

// What person-add and person-role propose: the whole person as they would be, and the change that
// it was made of, so that two proposals about one person cannot undo each other.
// In:     person  id, post, roles and keys count
std::string EncodePersonProposal(const Person& person, policy::Instant made_of);
// person-revoke-privileged
std::string EncodeRevocation(const policy::PersonId& person, std::string_view reason);

// Adds a person, or lets one back whose access had ended. Threads: thread-safe.
class PersonAdd final : public ActHandler {
 public:
  explicit PersonAdd(People& people) : people_(people) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const PendingAct& act, const policy::PersonId& by) override;

 private:
  People& people_;
};

// Changes an active person's post, roles or keys. Threads: thread-safe.
class PersonRole final : public ActHandler {
 public:
  explicit PersonRole(People& people) : people_(people) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const PendingAct& act, const policy::PersonId& by) override;

 private:
  People& people_;
};

// Ends the access of a person with a privileged role. Threads: thread-safe.
class PersonRevocation final : public ActHandler {
 public:
  explicit PersonRevocation(People& people) : people_(people) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const PendingAct& act, const policy::PersonId& by) override;

 private:
  People& people_;
};

// Ends the access of a person without a privileged role, at once, by one administrator; told to
// those who oversee.
// Errors: kInvalidArgument  no reason; kNotFound; kConflict  ended already, or a privileged role
struct RevocationOrder {
  policy::PersonId person;
  std::string reason;  // 1..1000
  policy::PersonId by;
};
Status RevokeNow(People& people, audit::Journal& journal, const LoneActs& lone_acts,
                 const RevocationOrder& order);

}  // namespace comity::identity
