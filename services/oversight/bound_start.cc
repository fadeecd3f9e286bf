// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/bound_start.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "services/backup/ledger_line.h"
#include "services/store/bound_tables.h"

namespace comity::oversight {
namespace {

using store::BoundState;
using store::BoundTable;
using store::kBoundTables;

struct Known {
  bool bound = false;
  std::array<std::uint64_t, kBoundTables.size()> generations{};
};

// "deployment 4 stop 2 ...", which fits a line's 255 octets.
std::string AboutOf(const std::vector<BoundState>& states) {
  std::string about;
  for (const BoundState& state : states) {
    if (!state.fault.empty()) continue;  // what it says is not the gateway's
    about += (about.empty() ? "" : " ") + std::string(Name(state.table)) + " " +
             std::to_string(state.generation);
  }
  return about;
}

// The number after the table's name; 0: none.
std::uint64_t GenerationIn(std::string_view about, BoundTable table) {
  const std::string name = std::string(Name(table)) + " ";
  const std::size_t at = about.find(name);
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = about.substr(at + name.size());
  std::uint64_t generation = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), generation);
  return generation;
}

// Marks of before a restoration are of a database that is lost.
Result<Known> KnownOf(const ErasureLedger& ledger) {
  Known known;
  COMITY_RETURN_IF_ERROR(
      ledger.Visit([&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
        if (line.kind == backup::line_kind::kBound) known.bound = true;
        if (line.kind == backup::line_kind::kRestored) known.generations = {};
        if (line.kind != backup::line_kind::kMark) return {};
        for (const BoundTable table : kBoundTables) {
          std::uint64_t& newest = known.generations.at(static_cast<std::size_t>(table));
          newest = std::max(newest, GenerationIn(line.about, table));
        }
        return {};
      }));
  return known;
}

struct Found {
  std::vector<BoundState> states;
  bool is_copy = false;
  std::uint64_t log_size = 0;
};

Result<Found> FoundIn(const store::Store& store) {
  Found found;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(found.states, tx.bound_tables().Look());
    COMITY_ASSIGN_OR_RETURN(found.is_copy, tx.bound_tables().IsCopy());
    COMITY_ASSIGN_OR_RETURN(found.log_size, tx.audit().Size());
    return {};
  }));
  return found;
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

Result<bool> BindTables(store::Store& store, ErasureLedger& ledger) {
  COMITY_ASSIGN_OR_RETURN(const Known known, KnownOf(ledger));
  COMITY_ASSIGN_OR_RETURN(const Found found, FoundIn(store));
  if (found.states.empty()) return false;  // opened without a key
  const bool is_unbound = std::ranges::all_of(
      found.states, [](const BoundState& state) { return state.generation == 0; });
  const bool is_first = is_unbound && !known.bound;
  if (is_first || found.is_copy) {
    COMITY_RETURN_IF_ERROR(
        store.Write([](store::Transaction& tx) { return tx.bound_tables().Bind(); }));
  } else {
    COMITY_RETURN_IF_ERROR(Expect(store, known));
  }
  if (!known.bound) {
    COMITY_RETURN_IF_ERROR(ledger.Note(backup::line_kind::kBound, "", found.log_size));
  }
  return is_first;
}

Status ExpectMarked(const store::Store& store, const ErasureLedger& ledger) {
  COMITY_ASSIGN_OR_RETURN(const Known known, KnownOf(ledger));
  return Expect(store, known);
}

Result<std::uint64_t> MarkLedger(const store::Store& store, ErasureLedger& ledger) {
  COMITY_ASSIGN_OR_RETURN(const Found found, FoundIn(store));
  COMITY_RETURN_IF_ERROR(
      ledger.Note(backup::line_kind::kMark, AboutOf(found.states), found.log_size));
  return found.log_size;
}

}  // namespace comity::oversight
