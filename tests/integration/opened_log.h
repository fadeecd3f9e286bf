// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/tlog/entry.h"
#include "services/audit/payload.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// An agency's whole log as the agency itself reads it: each entry with what its payload says, so
// that an event can be told from another one of its type.
//
// Threads: immutable.
class OpenedLog {
 public:
  struct Entry {
    tlog::LogEntry entry;
    audit::CommittedFields fields;  // empty: erased
    std::string Field(const std::string& name) const;
    // A digest of `messages` in hex; empty: none.
    std::string Message(const std::string& name) const;
    std::string Count(const std::string& name) const;
  };
  // From the folder of an agency whose gateway does not run.
  // Errors: those of the store; kCorrupt  an entry and its payload do not belong together
  static Result<OpenedLog> Of(const LiveAgency& agency);

  const std::vector<Entry>& entries() const { return entries_; }
  // What happened: by which an event is told from others of its type. Empty: it is not counted.
  using Identity = std::function<std::string(const Entry&)>;
  // How often each thing of this type happened.
  std::map<std::string, int> Times(std::string_view type, const Identity& identity) const;
  // Fails the test unless exactly these happened, each once.
  void ExpectEachOnce(std::string_view type, const Identity& identity,
                      const std::set<std::string>& expected) const;
  // The same for what erases: a kill between the line in the erasure ledger and the commit leaves
  // the erasure, of which the log says that it was made up for at the start, and not the act.
  void ExpectEachOnceOrReplayed(std::string_view type, const Identity& identity,
                                const std::set<std::string>& expected) const;
  // None of them twice, whatever happened.
  void ExpectNoneTwice(std::string_view type, const Identity& identity) const;

 private:
  std::string agency_;
  std::vector<Entry> entries_;
};

// What is queued here reached there once and was acknowledged once; nothing waits any more.
void ExpectMessagesArrivedOnce(const OpenedLog& sender, const OpenedLog& receiver);

}  // namespace comity::testing
