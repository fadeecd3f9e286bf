// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "services/audit/journal.h"
#include "services/identity/act.h"
#include "services/identity/notices.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::identity {

// What one person did alone to somebody's liberty, to a list, to evidence, or with the data.
struct LoneAct {
  Act act{};
  std::string on;    // what it was done to, 1..100 octets: "list lantern"
  std::string what;  // 1..1000 octets: "entry w-17 of list lantern was withdrawn"
  std::string by;    // the person's id
};

// Tells those who oversee of acts that one person does alone: supervisors, data protection officer
// and auditors; of what is no matter of a list or a search, whom it concerns (lone_acts.cc).
//
// The first such act of a person on something is told at once, in the commit of the act. What the
// same person does of the same kind to the same thing within kGathered is counted, in the commit of
// each act, and told as one number by Housekeep: a thousand withdrawals are two notices. The count
// is durable; a restart loses nothing.
//
// Threads: thread-safe.
class LoneActs {
 public:
  static constexpr std::chrono::minutes kGathered{10};
  // Persons, acts and things that are counted at a time; of more than that each act is told singly.
  static constexpr std::size_t kMaxGathered = 256;

  struct Setup {  // all references must outlive the object
    Notices& notices;
    const store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
  };
  explicit LoneActs(Setup setup) : setup_(setup) {}

  // Within the unit of work of the act. Call Announce() once the commit is durable.
  // Errors: kInternal  a text outside its bounds; those of the store
  Status Tell(store::Transaction& transaction, audit::Recorder& recorder, const LoneAct& act) const;
  // Its own unit of work, announced: for an act that is no unit of work itself.
  Status Tell(const LoneAct& act) const;
  void Announce() const { setup_.notices.Announce(); }
  // Tells what was gathered for kGathered.
  Status Housekeep();

 private:
  Setup setup_;
};

}  // namespace comity::identity
