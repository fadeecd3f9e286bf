// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "crypto/base/result.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/identity/peers.h"
#include "services/identity/people.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::oversight {

// Keeps revoked people and removed partners out of a database that was put back: the erasure ledger
// lists each enrolment that ended (docs/formats/erasure_log.md, "Bars"). It lists them after the
// fact, so that nobody's revocation waits for a ledger, or fails because of one.
//
// A bar names an enrolment, not a person or partner: an enrolment that ended and was listed is over
// for ever, in every copy of the database, and who is enrolled anew by two people is not barred.
// The ids of people are listed besides, for the one way in that one person opens: the
// configuration. What is not listed: an enrolment that is followed by another one before the ledger
// can be written.
//
// Threads: thread-safe.
class Bars {
 public:
  // So long somebody may be unlisted before people are told.
  static constexpr std::chrono::seconds kGrace{60};

  // References must outlive the object; `journal` writes to `store`.
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    identity::People& people;
    identity::Peers& peers;
    identity::Notices& notices;
    ErasureLedger& ledger;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // Reads which bars the ledger has. Errors: kCorrupt  the ledger was changed meanwhile
  static Result<std::unique_ptr<Bars>> Open(Setup setup);
  ~Bars();

  // Leaves out those under whose id access was ever revoked: nobody comes back through the first
  // people of the configuration, whatever the database has forgotten. Errors: as Open
  static Result<std::vector<identity::Person>> WithoutBarred(const ErasureLedger& ledger,
                                                             std::vector<identity::Person> people);

  struct Upheld {
    std::uint64_t people = 0;
    std::uint64_t partners = 0;
  };
  // Ends again, in one unit of work, every enrolment in force that the ledger bars, and tells
  // people; even that of the last administrator, since new administrators that the configuration
  // names are added at the start. Before anything is served. Finds nothing
  // the second time. Errors: those of journal and registers; nothing has changed then
  Result<Upheld> Uphold();

  // Lists every enrolment that has ended and is not listed yet; durable in every copy on return.
  // After a failure the next call goes on. People are told once of what is not listed after kGrace.
  // Errors: kUnavailable  a copy of the ledger cannot be written
  Status List();

 private:
  struct State;
  explicit Bars(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::oversight
