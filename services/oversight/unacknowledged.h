// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "crypto/base/result.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::oversight {

// Tells people of messages that a partner does not acknowledge: changes of entries after a minute
// and again at their deadline, deletion orders at their deadline. Once for each partner and batch:
// which messages people know of is kept with the messages.
//
// Threads: thread-safe; Look() by one thread at a time.
class Unacknowledged {
 public:
  static constexpr std::chrono::seconds kChangePatience{60};

  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    const runtime::Clock& clock;
  };
  explicit Unacknowledged(Setup setup) : setup_(setup) {}

  // To be called every few seconds. Errors: those of store, log and notices; tried again next time
  Status Look() const;

 private:
  Setup setup_;
};

}  // namespace comity::oversight
