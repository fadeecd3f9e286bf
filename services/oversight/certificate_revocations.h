// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/identity/people.h"
#include "services/oversight/erasure_ledger.h"
#include "services/oversight/revocation_table.h"
#include "services/oversight/revoked_key_acts.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::oversight {

// What is to be revoked, and why.
struct RevocationOrder {
  static constexpr std::size_t kMaxReason = 1000;
  static constexpr std::size_t kMaxSubject = 300;
  RevocationScope scope{};
  Digest sha256;
  std::string subject;  // SPIFFE id, as far as it is known: 0..300
  std::string reason;   // 1..1000
};

// The agency's own revocations: certificates and keys that this gateway bars by one person's act,
// whatever the list of their authority says, until two people lift it. They survive restarts; the
// erasure ledger lists them, so that they also survive a database that was put back or lost a row.
// A table that is changed in the database of the running gateway changes nothing: what was read
// last stays in force and is what the next change is made to; the log and people learn of it.
//
// Threads: thread-safe.
class CertificateRevocations {
 public:
  using Listener = std::function<void(const RevocationTable&)>;

  // References must outlive the object; `journal` writes to `store`.
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    const identity::People& people;
    identity::Notices& notices;
    ErasureLedger& ledger;
    policy::AgencyId own;
    const SecretBytes& kek;  // 32 octets; vouches for the table
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
  };
  // Reads what stands, and sets again what the ledger lists and the table has lost; tells people
  // of it. Errors: kCorrupt  the table is not as it was written, or the ledger is damaged
  static Result<std::unique_ptr<CertificateRevocations>> Open(Setup setup);

  // Calls `listener` with the table, now and after each change, one at a time; it must not wait.
  // From its return on the change is in effect. Then `settle`, by the thread that changed: it waits
  // until what began before is over, and keeps no other change from taking effect meanwhile; the
  // change is over when it returns. None of this may be called, nor the table changed, by a thread
  // that holds a ticket of an answer that `settle` waits for.
  using Settle = std::function<void()>;
  void OnChange(Listener listener, Settle settle = {});

  // Durable and in effect on return. What the owner of a revoked key proposed and nobody approved
  // yet is rejected then, by a commit of its own: it may be somebody else's. If the database
  // refuses that, the revocation stands, such an act is refused by CheckKey(), people are told, and
  // Housekeep() tries again. Errors: kInvalidArgument  a bound; kConflict  it is revoked already,
  // or nobody could lift it
  //         (lockout.h); kExhausted  1000 stand, or 100 of this person; those of the journal
  Result<CertificateRevocation> Revoke(const RevocationOrder& order, const policy::PersonId& by);
  // Within a unit of work: whether the key of this person's certificate is taken. Calls that were
  // let in before a revocation ask here, before anything of them takes effect.
  // Errors: kPermissionDenied  it is revoked; names the revocation
  Status CheckKey(const store::Transaction& transaction, const identity::Person& person) const;
  // Within a unit of work; in effect once Refresh() was called after the commit. What waits of the
  // owner of a key is rejected first: nothing of before the revocation becomes good by its end.
  // In:     by  who approved
  // Errors: kNotFound; kConflict  lifted already
  Result<CertificateRevocation> Reinstate(store::Transaction& transaction,
                                          audit::Recorder& recorder, const std::string& id,
                                          const policy::PersonId& by,
                                          const std::string& reason) const;
  // Takes over what the store holds. What cannot be read leaves in force what was.
  Status Refresh();
  // Puts the table that is in force back where somebody changed the database's, and lists in the
  // ledger what is not listed yet, and rejects what waits of the owners of revoked keys; about
  // every ten seconds.
  Status Housekeep();

  // Errors: kNotFound
  Result<CertificateRevocation> Get(std::string_view id) const;
  // Newest first; `all`: those that were lifted too.
  std::vector<CertificateRevocation> List(bool all) const;

 private:
  explicit CertificateRevocations(Setup setup);
  Result<RevocationTable> ReadFrom(const store::Transaction& transaction) const;
  // What is in force, as the unit of work sees it. The database's, or, if that was changed, the
  // one in memory, which is told of: within the unit of work, and at once in the program's log.
  Result<RevocationTable> ReadInForce(store::Transaction& transaction,
                                      audit::Recorder& recorder) const;
  Status Uphold();
  Status UpholdAtStart();
  Status PutBack();
  Status ListUnlisted();
  Status Write(store::Transaction& transaction, RevocationTable& table) const;
  Status Note(store::Transaction& transaction, audit::Recorder& recorder,
              const CertificateRevocation& one) const;
  Status Recover();
  Status ListIn(std::vector<std::string> unlisted);
  void Adopt(RevocationTable table);
  void AwaitSettled();
  std::shared_ptr<const RevocationTable> Table() const {
    return table_.With([](const auto& held) { return held; });
  }

  const Setup setup_;
  RevokedKeyActs waiting_;
  std::mutex writing_;   // one change at a time, from its unit of work to its Adopt()
  std::mutex changing_;  // one Adopt() at a time
  Listener listener_;    // under `changing_`
  Settle settle_;        // under `changing_`; called without it
  runtime::Guarded<std::shared_ptr<const RevocationTable>> table_{
      std::make_shared<const RevocationTable>()};
  std::mutex listing_;            // one pass over the ledger at a time
  std::set<std::string> listed_;  // `about` of each line of ours in the ledger; under `listing_`
};

}  // namespace comity::oversight
