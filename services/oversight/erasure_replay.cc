// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/erasure_replay.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policy/model/retention.h"
#include "services/store/retention_store.h"

namespace comity::oversight {
namespace {

using backup::LedgerLine;
using backup::LedgerPosition;
using policy::RetentionClass;

constexpr std::string_view kReplayed = "replayed";
// These name what may stand again by now under the same reference, and rightly: an entry that says
// something else, an import that was made anew.
const std::set<std::string_view> kMayComeAgain = {"corrected", "not-taken"};
constexpr std::size_t kBatch = 500;

struct Found {
  store::LedgerHead head;  // up to which every line has its effect
  bool is_copy = false;
  store::LedgerHead copied;  // a copy: the ledger's last line when it was made
};

Result<Found> Look(const store::Store& store) {
  Found found;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(found.head, tx.retention().Head());
    COMITY_ASSIGN_OR_RETURN(const auto restoration, tx.retention().Restoration());
    found.is_copy = restoration.state == store::RestorationState::kCopy;
    if (found.is_copy) found.copied = restoration.ledger;
    return {};
  }));
  return found;
}

// What the lines after the database's head name, by class.
struct Missing {
  std::map<std::string, std::set<Digest>> ids;
  std::map<std::uint64_t, std::vector<std::pair<std::string, Digest>>> by_line;
  std::set<std::uint64_t> voids;
  bool holds_head = false;
  bool holds_copied = false;
};

void Collect(const LedgerLine& line, const Found& found, Missing& missing) {
  if (line.kind == backup::line_kind::kVoid) missing.voids.insert(std::stoull("0" + line.about));
  if (line.kind != backup::line_kind::kErased) return;
  auto& named = missing.by_line[line.sequence];
  for (const backup::LedgerGroup& group : line.groups) {
    // After a crash what was corrected stands as it was before, and what a broken import left goes
    // by the mark on its list. In a copy of before the line it is what must not come back.
    const bool before_line = found.is_copy && found.copied.sequence < line.sequence;
    if (kMayComeAgain.contains(group.reason) && !before_line) continue;
    for (const Digest& id : group.ids) named.emplace_back(group.record_class, id);
  }
}

Result<Missing> MissingLines(ErasureLedger& ledger, const Found& found) {
  Missing missing;
  missing.holds_head = found.head.sequence == 0;
  missing.holds_copied = found.copied.sequence == 0;
  COMITY_RETURN_IF_ERROR(ledger.Visit([&](const LedgerLine& line, const LedgerPosition& at) {
    if (at.sequence == found.head.sequence) missing.holds_head = at.hash == found.head.hash;
    if (at.sequence == found.copied.sequence) missing.holds_copied = at.hash == found.copied.hash;
    if (at.sequence > found.head.sequence) Collect(line, found, missing);
    return Status();
  }));
  for (const std::uint64_t line : missing.voids) missing.by_line.erase(line);
  for (const auto& [line, named] : missing.by_line) {
    for (const auto& [record_class, id] : named) missing.ids[record_class].insert(id);
  }
  return missing;
}

Result<std::vector<std::string>> Match(const store::Store& store, const ErasureLedger& ledger,
                                       RetentionClass record_class, const std::set<Digest>& ids) {
  std::vector<std::string> references;
  const std::string_view name = policy::Name(record_class);
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) {
    return tx.retention().VisitKept(record_class, [&](std::string_view reference) -> Status {
      if (ids.contains(ledger.Commit(name, reference))) references.emplace_back(reference);
      return {};
    });
  }));
  return references;
}

Status EraseBatch(store::Transaction& tx, RetentionClass record_class,
                  std::span<const std::string> references, const store::ErasureRecord& row) {
  for (const std::string& reference : references) {
    const store::ErasedRecord record{row.record_class, reference, std::string(kReplayed), {}};
    COMITY_RETURN_IF_ERROR(tx.retention().Erase(record_class, record, row.at));
  }
  return tx.retention().AddErasure(row);
}

Status EraseAgain(store::Store& store, RetentionClass record_class,
                  const std::vector<std::string>& references, store::ErasureRecord row) {
  std::span<const std::string> rest(references);
  while (!rest.empty()) {
    const auto batch = rest.first(std::min(rest.size(), kBatch));
    row.records = batch.size();
    COMITY_RETURN_IF_ERROR(store.Write(
        [&](store::Transaction& tx) { return EraseBatch(tx, record_class, batch, row); }));
    rest = rest.subspan(batch.size());
  }
  return {};
}

tl::unexpected<Error> LedgerIsOlder(const ErasureLedger& ledger, const Found& found) {
  const std::uint64_t line = std::max(found.head.sequence, found.copied.sequence);
  return Fail(ErrorCode::kCorrupt,
              "the erasure ledger in " + ledger.folders().front().string() +
                  " does not hold line " + std::to_string(line) +
                  " as the database names it: it is older than the database, or another node's. "
                  "Bring back the newest copy of the ledger (data.erasure_ledger)");
}

}  // namespace

Result<Replayed> ReplayErasures(store::Store& store, ErasureLedger& ledger,
                                const runtime::Clock& clock) {
  COMITY_ASSIGN_OR_RETURN(const Found found, Look(store));
  COMITY_ASSIGN_OR_RETURN(const Missing missing, MissingLines(ledger, found));
  if (!missing.holds_head || !missing.holds_copied) return LedgerIsOlder(ledger, found);
  ledger.SetFollowed(found.head.sequence);
  Replayed replayed;
  replayed.lines = missing.by_line.size();
  if (replayed.lines == 0) return replayed;
  const store::LedgerHead head = ledger.Look().head;
  for (const auto& [name, ids] : missing.ids) {
    COMITY_ASSIGN_OR_RETURN(const RetentionClass record_class, policy::ParseRetentionClass(name));
    COMITY_ASSIGN_OR_RETURN(const auto references, Match(store, ledger, record_class, ids));
    COMITY_RETURN_IF_ERROR(
        EraseAgain(store, record_class, references,
                   {clock.Now(), name, std::string(kReplayed), 0, head.sequence, 0}));
    replayed.records += references.size();
  }
  // Last: after a crash in between everything is looked at again.
  COMITY_RETURN_IF_ERROR(
      store.Write([&](store::Transaction& tx) { return tx.retention().SetHead(head); }));
  ledger.SetFollowed(head.sequence);
  return replayed;
}

}  // namespace comity::oversight
