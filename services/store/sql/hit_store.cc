// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/hit_store.h"

#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {

Status SqlHitStore::AddHit(const HitRecord& hit) {
  return GuardedStep(connection_, "count the hit", [&]() -> Status {
    Query(connection_, "INSERT INTO watched_hit (watch, entry, at, is_first) VALUES (?, ?, ?, ?)",
          hit.watch, hit.entry.view(), hit.at, std::int64_t{hit.first})
        .Run();
    return {};
  });
}

Status SqlHitStore::AddProbes(const ProbeCountRecord& count) {
  return GuardedStep(connection_, "count the probes", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto probes, ToStored(count.probes));
    Query(connection_, "INSERT INTO watched_probes (watch, at, probes) VALUES (?, ?, ?)",
          count.watch, count.at, probes)
        .Run();
    return {};
  });
}

Result<std::vector<HitRecord>> SqlHitStore::Hits(std::string_view watch) const {
  using Hits = std::vector<HitRecord>;
  return GuardedStep(connection_, "read the counted hits", [&]() -> Result<Hits> {
    Hits hits;
    Query row(connection_,
              "SELECT entry, at, is_first FROM watched_hit WHERE watch = ? ORDER BY position",
              watch);
    while (row.Next()) {
      HitRecord& hit = hits.emplace_back();
      hit.watch = watch;
      COMITY_ASSIGN_OR_RETURN(hit.entry, ReadDigest(row, 0));
      hit.at = row.Time(1);
      hit.first = row.Integer(2) != 0;
    }
    return hits;
  });
}

Result<std::vector<ProbeCountRecord>> SqlHitStore::Probes(std::string_view watch) const {
  using Counts = std::vector<ProbeCountRecord>;
  return GuardedStep(connection_, "read the counted probes", [&]() -> Result<Counts> {
    Counts counts;
    Query row(connection_,
              "SELECT at, probes FROM watched_probes WHERE watch = ? ORDER BY position", watch);
    while (row.Next()) counts.push_back({std::string(watch), row.Time(0), row.Unsigned(1)});
    return counts;
  });
}

Status SqlHitStore::Restart(std::string_view prefix) {
  return GuardedStep(connection_, "restart the counting of hits", [&]() -> Status {
    Query(connection_,
          "DELETE FROM watched_hit"
          " WHERE substr(watch, 1, length(CAST(? AS TEXT))) = CAST(? AS TEXT)",
          prefix, prefix)
        .Run();
    Query(connection_,
          "DELETE FROM watched_probes"
          " WHERE substr(watch, 1, length(CAST(? AS TEXT))) = CAST(? AS TEXT)",
          prefix, prefix)
        .Run();
    return {};
  });
}

Status SqlHitStore::Forget(std::string_view watch, policy::Instant before) {
  return GuardedStep(connection_, "forget old hits", [&]() -> Status {
    if (watch.empty()) {
      Query(connection_, "DELETE FROM watched_hit WHERE at < ?", before).Run();
      Query(connection_, "DELETE FROM watched_probes WHERE at < ?", before).Run();
      return {};
    }
    Query(connection_, "DELETE FROM watched_hit WHERE watch = ? AND at < ?", watch, before).Run();
    Query(connection_, "DELETE FROM watched_probes WHERE watch = ? AND at < ?", watch, before)
        .Run();
    return {};
  });
}

}  // namespace comity::store
