// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/identity/people.h"
#include "services/oversight/revocation_table.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::oversight {

// Rejects what the owners of revoked keys proposed and nobody approved yet: it may be somebody
// else's. By commits of their own, after that of the revocation: whoever can write into the
// database, and has it refuse that an act changes, keeps no key from being barred. What is not
// rejected yet is refused to whoever approves it (CertificateRevocations::CheckKey).
//
// Threads: thread-safe.
class RevokedKeyActs {
 public:
  struct Ports {  // all references must outlive the object
    const store::Store& store;
    audit::Journal& journal;
    const identity::People& people;
    identity::Notices& notices;
    policy::AgencyId own;
    const SecretBytes& kek;  // 32 octets; vouches for what waits. Secret
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  explicit RevokedKeyActs(Ports ports) : ports_(std::move(ports)) {}

  // Within a unit of work: what the owner of this key proposed. Whoever has another key by now is
  // not its owner any more.
  // Errors: those of the store, also when it does not let an act change
  Status Reject(store::Transaction& transaction, audit::Recorder& recorder,
                const CertificateRevocation& one) const;
  // Of all revocations of keys that stand. That the database refuses it is told once.
  // Errors: the first of those above; the others are rejected all the same
  Status RejectAll(const RevocationTable& table);

 private:
  static constexpr int kUnavailableRounds = 3;
  Status Tell(const Error& error);

  const Ports ports_;
  std::mutex mutex_;   // one pass at a time
  bool told_ = false;  // under `mutex_`, as is
  int unavailable_ = 0;
};

}  // namespace comity::oversight
