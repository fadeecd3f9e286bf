// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::store {

// Tables whose rows are what two people decided, or what halts a search: nobody who can only write
// into the database can change them unnoticed. What is bound is what still has an effect:
// deployments that are not closed, stops and holds that stand, the restoration with the partners
// reached since. Source: docs/formats/bound_tables.md
enum class BoundTable { kDeployment = 0, kStop = 1, kRetentionHold = 2, kRestoration = 3 };
inline constexpr std::array kBoundTables{BoundTable::kDeployment, BoundTable::kStop,
                                         BoundTable::kRetentionHold, BoundTable::kRestoration};
constexpr std::string_view Name(BoundTable table) {
  constexpr std::array<std::string_view, kBoundTables.size()> kNames{
      "deployment", "stop", "retention_hold", "restoration"};
  return kNames[static_cast<std::size_t>(table)];
}

struct BoundState {
  BoundTable table{};
  std::uint64_t generation = 0;  // how often it was written; 0: never bound
  std::string fault;             // empty: it is as the gateway wrote it last
  std::uint64_t rows = 0;        // that are bound; 0 with a fault
  std::uint64_t durable = 0;     // of `generation`, what is known to be durable: expected, or
                                 // written by this process
};

// What a failover does not take back.
constexpr std::uint64_t Durable(const BoundState& state) {
  return state.durable < state.generation ? state.durable : state.generation;
}

// In a store that was opened without a key nothing is checked or bound: Look() returns nothing.
//
// Threads: see store.h.
class BoundTables {
 public:
  virtual ~BoundTables() = default;
  // One of each table, in the order of kBoundTables.
  virtual Result<std::vector<BoundState>> Look() const = 0;
  // Binds what each table holds now, whatever it is: of a database of an older schema, or of a
  // backup's copy.
  virtual Status Bind() = 0;
  // The authenticator, by the key of the tables, of a text that is kept elsewhere in the database
  // and was written so often. Absent: opened without a key.
  // In: name  of the text; of no table
  virtual std::optional<Digest> Authenticate(std::string_view name, std::uint64_t generation,
                                             std::string_view text) const = 0;
  // From now on a table that was written fewer times counts as an older one that was put back.
  virtual void Expect(BoundTable table, std::uint64_t generation) const = 0;
  // Whether the database says that it is a backup's copy that no gateway has opened yet. Not
  // checked: a copy is bound by whoever opens it, and then waits for two people.
  virtual Result<bool> IsCopy() const = 0;
};

}  // namespace comity::store
