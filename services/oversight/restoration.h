// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/identity/approvals.h"
#include "services/identity/notices.h"
#include "services/oversight/erasure_ledger.h"
#include "services/oversight/erasure_replay.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/store/retention_store.h"
#include "services/store/store.h"

namespace comity::oversight {

using Restoration = store::RestorationRecord;
using store::RestorationState;

std::string_view Name(RestorationState state);  // never, restored, confirmed

// What a gateway does with a database that is a backup's copy, once its erasures were replayed and
// before its log is opened: the stored log is compared with the checkpoint that came with it, the
// published files of the lost log are put aside, and the log gets a new name. Under the old name
// nothing is signed any more: that log had perhaps grown, and a second history of it would be a
// fork.
struct AdoptSetup {
  store::Store& store;
  ErasureLedger& ledger;
  std::filesystem::path data_directory;
  std::string first_origin;  // of the agency's log that was never restored
  const sign::SigningKey& log_key;
  const Replayed& replayed;
  const runtime::Clock& clock;
  RandomSource& random;
};
// Does nothing to a database that is no copy. Returns where it stands.
// Errors: kCorrupt      the entries do not have the root that was signed, or the log's files are
//                       not there
//         kUnavailable  store, ledger or folder cannot be written
Result<Restoration> AdoptCopy(const AdoptSetup& setup);

// Whether the stored log is as long as the ledger has seen it since it began under its name. If
// not, an older state of the data directory was put back: what was erased, withdrawn, stopped,
// counted and published since is not known, and a log that goes on from there is a fork. The
// ledger's second copy is what knows it, if there is one.
//
// Errors: kConflict  says both sizes and what to do; those of store and ledger
Status CheckNotRolledBack(const store::Store& store, const ErasureLedger& ledger);

// What a gateway learnt of a database before it closed it to open it anew: where its erasures, its
// log and its restoration stand.
struct Standing {
  store::LedgerHead ledger;
  std::uint64_t log_size = 0;
  Restoration restoration;
};
Result<Standing> StandingOf(const store::Store& store);
// Whether the database is still as it was: else it is another one (a replica that lags, one that
// was put back) or somebody wrote to it, and what was found out about it is not true.
// Errors: kConflict  it is not; those of the store
Status CheckStillStands(const store::Store& store, const Standing& before);

// Where the log goes on: `first_origin`, or the name it got when the node was restored.
std::string OriginOf(const Restoration& restoration, const std::string& first_origin);

// Canonical JSON of the act restore-confirm: {"backup":..,"origin":..,"reason":..}.
std::string EncodeRestoreConfirm(const Restoration& restoration, std::string_view reason);

// Lets a restored node work again when the second person has approved.
//
// Threads: thread-safe.
class RestoreConfirm final : public identity::ActHandler {
 public:
  struct Setup {
    const store::Store& store;
    identity::Notices& notices;
    policy::AgencyId own;
    const runtime::Clock& clock;
    std::function<void()> confirmed;  // called after the commit; must not block
  };
  explicit RestoreConfirm(Setup setup) : setup_(std::move(setup)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Setup setup_;
};

// Which partners a restored node trusts itself to search with: those it was reached by since, for
// only they could tell it what it may have forgotten (a suspension, a termination, a withdrawal).
//
// Threads: thread-safe.
class Reunion {
 public:
  // Everybody, if the node was never restored.
  static Result<std::unique_ptr<Reunion>> Open(store::Store& store, const Restoration& restoration);

  bool IsReunited(const policy::AgencyId& peer) const;
  // The partner offered everything it has for this agency. Durable on return; cheap the second
  // time.
  Status NoteReached(const policy::AgencyId& peer);
  bool everybody() const { return everybody_; }
  std::vector<policy::AgencyId> Waiting(const std::vector<policy::AgencyId>& peers) const;

 private:
  Reunion(store::Store& store, bool everybody) : store_(store), everybody_(everybody) {}
  store::Store& store_;
  const bool everybody_;
  runtime::Guarded<std::set<policy::AgencyId>> reached_;
};

}  // namespace comity::oversight
