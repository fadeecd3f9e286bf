// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/identity/act.h"
#include "services/identity/person.h"
#include "services/identity/role.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::identity {

// Who is doing something now: verified by channel, register and roles.
struct Caller {
  policy::PersonId person;
  RoleSet roles;
};

// The agency's people: who may do what. Roles and revocation bite at the next call. The agency key
// vouches for every record, so that a changed database gives nobody a role.
//
// Threads: thread-safe.
class People {
 public:
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    policy::AgencyId own;
    const sign::SigningKey& agency_key;
    const runtime::Clock& clock;
    // Keys of this agency that the present one succeeds: records they vouch for are vouched for
    // anew.
    std::vector<sign::PublicKey> former_keys{};
  };
  // References must outlive the object. `first` are the two administrators of the configuration:
  // added, and logged, when the register knows nobody of their id.
  // Errors: kCorrupt  a record is not vouched for by the agency key; names the person
  static Result<std::unique_ptr<People>> Open(Setup setup, const std::vector<Person>& first);
  ~People();

  // Whether the person behind a verified certificate may do `act` (or propose it).
  // In:     tls_key  of the certificate that the channel verified
  // Errors: kPermissionDenied  unknown, revoked, another certificate's key, or no role that may;
  //                            the detail names act and roles that may
  // Whom Authorise let in may be let out again at any moment: streams ask about every second.
  Result<Caller> Authorise(const policy::PersonId& id, const Digest& tls_key, Act act) const;
  // Errors: kNotFound
  Result<Person> Find(const policy::PersonId& id) const;
  std::vector<Person> List() const;  // by id

  struct Reason {
    std::string by;    // a person's id, "configuration" or "erasure-ledger"
    std::string text;  // may be empty
  };
  // Within a unit of work: vouches for the person, puts and records. `changed_at` is set, and
  // `added_at` where access begins. The person changes for callers once Refresh() was called after
  // the commit. Errors: kInvalidArgument  no post or no role; kConflict  a key is another person's,
  // also of one
  //         who is gone; the last active administrator would go
  Status Put(store::Transaction& transaction, audit::Recorder& recorder, const Person& person,
             const Reason& reason) const;
  // Ends access as Put would, even that of the last administrator: for what was decided before and
  // has only to be done again. Errors: kNotFound; kCorrupt; kConflict  it has ended already
  Status EndAgain(store::Transaction& transaction, audit::Recorder& recorder,
                  const policy::PersonId& id, const Reason& reason) const;
  // The person as the unit of work sees it. Errors: kNotFound; kCorrupt
  Result<Person> FindIn(const store::Transaction& transaction, const policy::PersonId& id) const;
  // Everybody as the unit of work sees them, by id. Errors: kCorrupt
  Result<std::vector<Person>> ListIn(const store::Transaction& transaction) const;
  // Reads the register again. If it cannot be read, nobody is let in until it can.
  Status Refresh();

 private:
  struct State;
  explicit People(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::identity
