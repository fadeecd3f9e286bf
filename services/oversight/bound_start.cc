// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/bound_start.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "services/audit/events.h"
#include "services/backup/ledger_line.h"
#include "services/oversight/binding_note.h"
#include "services/store/bound_tables.h"

namespace comity::oversight {
namespace {

using store::BoundState;
using store::BoundTable;
using store::kBoundTables;

// Words of a binding note, which the unit of work that binds writes.
constexpr std::string_view kFirst = "first";   // else it is of a copy
constexpr std::string_view kFault = "fault-";  // and the name of a table that was not as written
constexpr std::string_view kNoteFault = "fault-note";  // the copy's own note was not
// A word of a line of the ledger: how often the note was written.
constexpr std::string_view kWritten = "note";

using identity::Role;

// As those who are told when a table is not to be trusted.
constexpr identity::RoleSet kAudience{Role::kSupervisor,    Role::kDpo,
                                      Role::kSignatory,     Role::kAuditor,
                                      Role::kAdministrator, Role::kKeyAdministrator};

struct Found {
  std::vector<BoundState> states;
  bool is_copy = false;
  std::uint64_t log_size = 0;
  BindingNote note;
};

struct Known {
  bool bound = false;
  std::uint64_t bound_at = 0;  // how long the log was then
  std::uint64_t note = 0;      // how often the binding note was written at least
  std::array<std::uint64_t, kBoundTables.size()> generations{};
};

// "deployment 4 stop 2 ...", which fits a line's 255 octets. Only what is durable: what a failover
// takes back would be missed as long as the ledger stands.
std::string AboutOf(const Found& found) {
  std::string about;
  for (const BoundState& state : found.states) {
    if (!state.fault.empty()) continue;  // what it says is not the gateway's
    about += (about.empty() ? "" : " ") + std::string(Name(state.table)) + " " +
             std::to_string(Durable(state));
  }
  // The note is written by a start alone, before anything of it is marked.
  if (found.note.written > 0) {
    about += (about.empty() ? "" : " ") + std::string(kWritten) + " " +
             std::to_string(found.note.written);
  }
  return about;
}

// The number after a word; 0: none.
std::uint64_t NumberAfter(std::string_view text, std::string word) {
  word += ' ';
  std::size_t at = text.find(word);
  while (at != std::string_view::npos && at > 0 && text[at - 1] != ' ') {
    at = text.find(word, at + 1);
  }
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = text.substr(at + word.size());
  std::uint64_t number = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}
std::uint64_t NumberAfter(std::string_view text, BoundTable table) {
  return NumberAfter(text, std::string(Name(table)));
}

// Marks of before a restoration are of a database that is lost.
Result<Known> KnownOf(const ErasureLedger& ledger) {
  Known known;
  COMITY_RETURN_IF_ERROR(
      ledger.Visit([&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
        if (line.kind == backup::line_kind::kBound && !known.bound) {
          known.bound = true;
          known.bound_at = line.log_size;
        }
        if (line.kind == backup::line_kind::kRestored) known.generations = {};
        const bool is_mark = line.kind == backup::line_kind::kMark;
        // Of a database that is lost, too: a copy's note is written anew, and counts on from it.
        if (is_mark || line.kind == backup::line_kind::kBound) {
          known.note = std::max(known.note, NumberAfter(line.about, std::string(kWritten)));
        }
        if (!is_mark) return {};
        for (const BoundTable table : kBoundTables) {
          std::uint64_t& newest = known.generations.at(static_cast<std::size_t>(table));
          newest = std::max(newest, NumberAfter(line.about, table));
        }
        return {};
      }));
  return known;
}

Result<Found> FoundIn(const store::Store& store) {
  Found found;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(found.states, tx.bound_tables().Look());
    COMITY_ASSIGN_OR_RETURN(found.is_copy, tx.bound_tables().IsCopy());
    COMITY_ASSIGN_OR_RETURN(found.log_size, tx.audit().Size());
    COMITY_ASSIGN_OR_RETURN(found.note, ReadBindingNote(tx, 0));
    return {};
  }));
  return found;
}

// Whether a table of a copy is not what the gateway had written when the backup was made. One
// without authenticator may be of before they were; whether the node was restored, the copy itself
// was made to say.
bool IsFaultyInCopy(const BoundState& state, const Found& found, const Known& known) {
  if (state.fault.empty() || state.table == BoundTable::kRestoration) return false;
  return state.generation > 0 || (known.bound && found.log_size > known.bound_at);
}

Status Bind(store::Store& store, const Found& found, const Known& known, bool is_first) {
  return store.Write([&](store::Transaction& tx) -> Status {
    // Of a start that died after it had bound the same copy.
    COMITY_ASSIGN_OR_RETURN(const BindingNote untold, ReadBindingNote(tx, 0));
    COMITY_RETURN_IF_ERROR(tx.bound_tables().Bind());
    COMITY_ASSIGN_OR_RETURN(const auto bound, tx.bound_tables().Look());
    std::string text(is_first ? kFirst : "");
    std::uint64_t rows = 0;
    for (const BoundState& state : bound) {
      text += " " + std::string(Name(state.table)) + " " + std::to_string(state.rows);
      rows += state.rows;
    }
    for (const BoundState& state : found.states) {
      const std::string fault = std::string(kFault) + std::string(Name(state.table));
      const bool is_known = NumberAfter(untold.text, fault) > 0;
      if (is_first || !(is_known || IsFaultyInCopy(state, found, known))) continue;
      text += " " + fault + " 1";
    }
    if (!untold.fault.empty() || NumberAfter(untold.text, std::string(kNoteFault)) > 0) {
      text += " " + std::string(kNoteFault) + " 1";
    }
    // A new node has nothing to tell of.
    if (is_first && found.log_size == 0 && rows == 0) text.clear();
    return WriteBindingNote(tx, std::max(untold.written, known.note), text);
  });
}

Status TellOfFault(const BindingPorts& ports, store::Transaction& tx, audit::Recorder& recorder,
                   BoundTable table) {
  const std::string name(Name(table));
  const std::string reason = "in the backup's copy it was not as this gateway wrote it last";
  ports.logger.Error("tamper-found", {{"table", name}, {"reason", reason}});
  audit::Event event;
  event.type = audit::kTamperFound;
  event.time = ports.clock.Now();
  event.parties = {ports.own};
  event.decision_code = name;
  event.committed = {{"reason", reason}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return ports.notices.Post(
      tx, recorder,
      {identity::notice::kTamperFound, kAudience, "table " + name,
       "The table " + name +
           " of the database that this node was put back from was changed, before the backup was "
           "made or in the copy: a row may have been added, changed or taken away. It is used as "
           "it was found. Before two people confirm the node, compare it with the log, or restore "
           "an older backup."});
}

constexpr std::uint64_t kLargestCount = (std::uint64_t{1} << 53) - 1;  // that an entry can hold

Status TellOfNote(const BindingPorts& ports, store::Transaction& tx, audit::Recorder& recorder,
                  const std::string& fault) {
  ports.logger.Error("tamper-found", {{"table", kBindingNote}, {"reason", fault}});
  audit::Event event;
  event.type = audit::kTamperFound;
  event.time = ports.clock.Now();
  event.parties = {ports.own};
  event.decision_code = std::string(kBindingNote);
  event.committed = {{"reason", fault}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return ports.notices.Post(
      tx, recorder,
      {identity::notice::kTamperFound, kAudience, "setting " + std::string(kBindingNote),
       "What this gateway keeps to tell of a binding of its tables, the setting " +
           std::string(kBindingNote) + " of the database, is not to be trusted: " + fault +
           ". If a start that did not get far bound tables, what they held then is not told. Find "
           "out who writes to the database, and compare what comity deployment list, comity stop "
           "list and comity retention holds show with the log."});
}

// Nothing but numbers is taken from the text: one of a former version has no authenticator.
Status Tell(const BindingPorts& ports, store::Transaction& tx, audit::Recorder& recorder,
            std::string_view text) {
  const bool is_first = text.starts_with(kFirst);
  audit::Event event;
  event.type = audit::kTablesBound;
  event.time = ports.clock.Now();
  event.parties = {ports.own};
  event.decision_code = is_first ? kFirst : "copy";
  std::string rows;
  bool is_empty = true;
  for (const BoundTable table : kBoundTables) {
    const std::string name(Name(table));
    const std::uint64_t number = std::min(NumberAfter(text, table), kLargestCount);
    event.counts.emplace(name, static_cast<std::int64_t>(number));
    is_empty = is_empty && number == 0;
    rows += (rows.empty() ? "" : ", ") + name + " " + std::to_string(number);
  }
  ports.logger.Info("tables-bound", {{"rows", rows}});
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  for (const BoundTable table : kBoundTables) {
    if (NumberAfter(text, std::string(kFault) + std::string(Name(table))) == 0) continue;
    COMITY_RETURN_IF_ERROR(TellOfFault(ports, tx, recorder, table));
  }
  if (NumberAfter(text, std::string(kNoteFault)) > 0) {
    COMITY_RETURN_IF_ERROR(TellOfNote(ports, tx, recorder, "in the backup's copy it was changed"));
  }
  // Of a copy, people are told that the node was put back; of a new database there is nothing to
  // tell.
  if (!is_first || is_empty) return {};
  return ports.notices.Post(
      tx, recorder,
      {identity::notice::kTablesBound, kAudience, "bound tables",
       "Tables of the database were bound to the key-encryption key for the first time, as they "
       "were found. Rows that have an effect: " +
           rows +
           ". What somebody else wrote into them before counts as this gateway's: compare "
           "with comity deployment list, comity stop list and comity retention holds."});
}

Status Expect(const store::Store& store, const Known& known) {
  return store.Read([&](const store::Transaction& tx) -> Status {
    for (const BoundTable table : kBoundTables) {
      tx.bound_tables().Expect(table, known.generations.at(static_cast<std::size_t>(table)));
    }
    return {};
  });
}

}  // namespace

Status BindTables(store::Store& store, ErasureLedger& ledger) {
  COMITY_ASSIGN_OR_RETURN(const Known known, KnownOf(ledger));
  COMITY_ASSIGN_OR_RETURN(const Found found, FoundIn(store));
  if (found.states.empty()) return {};  // opened without a key
  const bool is_unbound = std::ranges::all_of(
      found.states, [](const BoundState& state) { return state.generation == 0; });
  const bool is_first = is_unbound && !known.bound;
  if (is_first || found.is_copy) {
    COMITY_RETURN_IF_ERROR(Bind(store, found, known, is_first));
  } else {
    COMITY_RETURN_IF_ERROR(Expect(store, known));
  }
  if (known.bound) return {};
  COMITY_ASSIGN_OR_RETURN(Found bound, FoundIn(store));
  bound.states.clear();  // their generations are for a mark
  COMITY_RETURN_IF_ERROR(ledger.Note(backup::line_kind::kBound, AboutOf(bound), found.log_size));
  return {};
}

Status TellOfBinding(const BindingPorts& ports) {
  COMITY_ASSIGN_OR_RETURN(const Known known, KnownOf(ports.ledger));
  COMITY_ASSIGN_OR_RETURN(const Found found, FoundIn(ports.store));
  if (found.states.empty()) return {};  // opened without a key
  BindingNote note;
  const auto read = [&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(note, ReadBindingNote(tx, known.note));
    return {};
  };
  COMITY_RETURN_IF_ERROR(ports.store.Read(read));
  // One of a former version is written anew, so that from now on none of it is taken any more.
  if (note.fault.empty() && note.text.empty() && note.written > 0) return {};
  COMITY_RETURN_IF_ERROR(
      ports.journal.Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(read(tx));
        if (!note.fault.empty()) {
          COMITY_RETURN_IF_ERROR(TellOfNote(ports, tx, recorder, note.fault));
        } else if (!note.text.empty()) {
          COMITY_RETURN_IF_ERROR(Tell(ports, tx, recorder, note.text));
        }
        return WriteBindingNote(tx, std::max(note.written, known.note), "");
      }));
  ports.notices.Announce();
  return MarkLedger(ports.store, ports.ledger).map([](std::uint64_t) {});
}

Status ExpectMarked(const store::Store& store, const ErasureLedger& ledger) {
  COMITY_ASSIGN_OR_RETURN(Known known, KnownOf(ledger));
  COMITY_RETURN_IF_ERROR(Expect(store, known));
  COMITY_ASSIGN_OR_RETURN(const Found found, FoundIn(store));
  for (const BoundState& state : found.states) {
    if (!state.fault.empty()) continue;  // what it says is not the gateway's
    known.generations.at(static_cast<std::size_t>(state.table)) = state.generation;
  }
  return Expect(store, known);
}

Result<std::uint64_t> MarkLedger(const store::Store& store, ErasureLedger& ledger) {
  COMITY_ASSIGN_OR_RETURN(const Found found, FoundIn(store));
  COMITY_RETURN_IF_ERROR(ledger.Note(backup::line_kind::kMark, AboutOf(found), found.log_size));
  return found.log_size;
}

}  // namespace comity::oversight
