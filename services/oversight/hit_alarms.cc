// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/hit_alarms.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/store/hit_store.h"

namespace comity::oversight {
namespace {

using identity::Role;

constexpr identity::RoleSet kAudience{Role::kDpo, Role::kSupervisor, Role::kSignatory};

std::string_view NameOf(WatchedSearch::Side side) {
  return side == WatchedSearch::Side::kHolder ? "holder" : "requester";
}

// What every watch of searches under an agreement begins with.
std::string PrefixOf(WatchedSearch::Side side, std::string_view agreement) {
  return std::string(NameOf(side)) + "|" + std::string(agreement) + "|";
}

// The watches that a search counts in, with who each is about.
std::vector<std::pair<std::string, std::string>> WatchesOf(const WatchedSearch& search) {
  const std::string all = PrefixOf(search.side, search.agreement.id.text()) +
                          search.partner.text() + "|" + search.clause;
  const bool asked_here = search.side == WatchedSearch::Side::kRequester;
  std::vector<std::pair<std::string, std::string>> watches = {
      {all, asked_here ? "all searches at " + search.partner.text()
                       : "all searches of " + search.partner.text()}};
  if (!search.officer.empty())
    watches.emplace_back(all + "|officer|" + search.officer, "one officer");
  if (!search.case_ref.empty()) watches.emplace_back(all + "|case|" + search.case_ref, "one case");
  return watches;
}

policy::Alarms Bounded(policy::Alarms bounds) {
  bounds.hit_rate_window = std::min(bounds.hit_rate_window, HitAlarms::kLongestWindow);
  bounds.repeated_hits_window = std::min(bounds.repeated_hits_window, HitAlarms::kLongestWindow);
  return bounds;
}

bool AreEqual(const policy::Alarms& a, const policy::Alarms& b) {
  return a.hit_rate_percent == b.hit_rate_percent && a.hit_rate_window == b.hit_rate_window &&
         a.repeated_hits_of_entry == b.repeated_hits_of_entry &&
         a.repeated_hits_window == b.repeated_hits_window;
}

// What the store holds of one watch, counted again in the order of time.
Status Replay(const store::HitStore& stored, const std::string& key, HitWatch& watch) {
  COMITY_ASSIGN_OR_RETURN(const auto probes, stored.Probes(key));
  COMITY_ASSIGN_OR_RETURN(const auto hits, stored.Hits(key));
  for (const auto& count : probes) watch.AddProbes(count.at, count.probes);
  for (auto hit = hits.begin(); hit != hits.end();) {
    std::vector<Digest> entries = {hit->entry};
    const auto first = hit;
    for (++hit; hit != hits.end() && !hit->first; ++hit) entries.push_back(hit->entry);
    watch.AddHit(first->at, entries);
  }
  return {};
}

}  // namespace

HitAlarms::Watch* HitAlarms::Cached(const std::string& key, const policy::Alarms& bounds) {
  const auto found = watches_.find(key);
  // Under other bounds the windows are others: they are counted again.
  if (found == watches_.end() || !AreEqual(found->second.counts.bounds(), Bounded(bounds))) {
    return nullptr;
  }
  return &found->second;
}

Result<HitAlarms::Watch*> HitAlarms::Find(const std::string& key, const policy::Alarms& bounds,
                                          const store::Transaction& transaction) {
  if (Watch* const cached = Cached(key, bounds)) return cached;
  const auto found = watches_.find(key);
  HitWatch counts(Bounded(bounds));
  COMITY_RETURN_IF_ERROR(Replay(transaction.hits(), key, counts));
  std::uint64_t unsaved = 0;
  if (found != watches_.end()) {
    unsaved = found->second.unsaved;
    counts.AddProbes(found->second.used_at, unsaved);
    watches_.erase(found);
  }
  MakeRoom();
  return &watches_.emplace(key, Watch{std::move(counts), unsaved, false, setup_.clock.Now()})
              .first->second;
}

void HitAlarms::MakeRoom() {
  if (watches_.size() < kMaxWatches) return;
  watches_.erase(std::min_element(
      watches_.begin(), watches_.end(),
      [](const auto& a, const auto& b) { return a.second.used_at < b.second.used_at; }));
}

void HitAlarms::OnMiss(const WatchedSearch& search) {
  const policy::Instant now = setup_.clock.Now();
  const auto keys = WatchesOf(search);
  const std::lock_guard lock(mutex_);
  const bool all_here = std::ranges::all_of(
      keys, [&](const auto& item) { return Cached(item.first, search.bounds) != nullptr; });
  if (!all_here) {
    // What cannot be read misses probes, which makes the rate seem higher, never lower.
    static_cast<void>(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
      for (const auto& [key, whose] : keys) {
        COMITY_RETURN_IF_ERROR(Find(key, search.bounds, transaction));
      }
      return {};
    }));
  }
  for (const auto& [key, whose] : keys) {
    Watch* const watch = Cached(key, search.bounds);
    if (watch == nullptr) continue;
    watch->counts.AddProbes(now, 1);
    ++watch->unsaved;
    watch->touched = true;
    watch->used_at = now;
  }
}

Result<bool> HitAlarms::OnHits(store::Transaction& transaction, audit::Recorder& recorder,
                               const WatchedSearch& search,
                               std::span<const std::string> references) {
  const policy::Instant now = setup_.clock.Now();
  std::vector<Digest> entries;
  for (const std::string& reference : references) {
    entries.push_back(hash::Sha256(AsBytes(reference)));
  }
  std::optional<Raised> raised;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, whose] : WatchesOf(search)) {
      COMITY_ASSIGN_OR_RETURN(Watch* const watch, Find(key, search.bounds, transaction));
      watch->counts.AddProbes(now, 1);
      watch->counts.AddHit(now, entries);
      watch->touched = true;
      watch->used_at = now;
      const std::uint64_t unsaved = std::exchange(watch->unsaved, 0) + 1;
      COMITY_RETURN_IF_ERROR(transaction.hits().AddProbes({key, now, unsaved}));
      for (std::size_t i = 0; i < entries.size(); ++i) {
        COMITY_RETURN_IF_ERROR(transaction.hits().AddHit({key, entries[i], now, i == 0}));
      }
      const auto alarm = watch->counts.Check(now, entries);
      if (alarm && !raised) raised = Raised{whose, *alarm};
    }
  }
  if (!raised) return false;
  return Raise(transaction, recorder, search, *raised);
}

Result<bool> HitAlarms::OnOverCap(store::Transaction& transaction, audit::Recorder& recorder,
                                  const WatchedSearch& search) {
  return Raise(transaction, recorder, search,
               {WatchesOf(search).front().second,
                {.kind = HitAlarm::Kind::kOverCap, .hits = 0, .probes = 1}});
}

Result<bool> HitAlarms::Raise(store::Transaction& transaction, audit::Recorder& recorder,
                              const WatchedSearch& search, const Raised& raised) {
  const std::string agreement = search.agreement.id.text();
  const std::string what =
      "alarm " + std::string(Name(raised.alarm.kind)) + ": " + Describe(raised.alarm);
  COMITY_ASSIGN_OR_RETURN(
      const std::optional<Stop> stop,
      setup_.stops.SetByAlarm(transaction, recorder,
                              {StopScope::kAgreement, agreement, what + ", " + raised.whose, {}}));
  {
    const std::lock_guard lock(mutex_);
    raised_.insert(agreement);
  }
  if (!stop) return true;  // another probe has raised it
  audit::Event event;
  event.type = audit::kAlarmRaised;
  event.time = setup_.clock.Now();
  event.parties = {setup_.own, search.partner};
  event.agreement = search.agreement;
  event.decision_code = std::string(Name(raised.alarm.kind));
  event.clauses = {search.clause, search.clause + ".alarms"};
  event.committed = {{"whose", raised.whose},
                     {"officer", search.officer},
                     {"case_ref", search.case_ref},
                     {"reason", what},
                     {"stop", stop->id}};
  event.counts = {{"hits", static_cast<std::int64_t>(raised.alarm.hits)},
                  {"probes", static_cast<std::int64_t>(raised.alarm.probes)}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  const std::string words = "Searches under agreement " + agreement + " are stopped by an " + what +
                            " (" + raised.whose + "). Two people lift the stop " + stop->id + ".";
  COMITY_RETURN_IF_ERROR(setup_.notices.Post(
      transaction, recorder, {identity::notice::kAlarm, kAudience, stop->id, words}));
  COMITY_RETURN_IF_ERROR(setup_.partners.Tell(
      transaction, recorder, search.partner, peer_notice::kAlarm,
      "Searches under agreement " + agreement + " are stopped by an " + what + "."));
  return true;
}

void HitAlarms::AfterHits() {
  {
    const std::lock_guard lock(mutex_);
    if (raised_.empty()) return;
  }
  // Stops that cannot be read stop everything.
  static_cast<void>(setup_.stops.Refresh());
  const auto standing = setup_.stops.Standing();
  {
    // What another thread raises and has not committed yet is looked for again, after its commit.
    const std::lock_guard lock(mutex_);
    std::erase_if(raised_, [&](const std::string& agreement) {
      return standing->unreadable() || standing->Find(StopScope::kAgreement, agreement);
    });
  }
  setup_.notices.Announce();
}

Status HitAlarms::OnLift(store::Transaction& transaction, const Stop& stop) {
  if (stop.scope != StopScope::kAgreement || stop.set_by != Stops::kAlarm) return {};
  const std::lock_guard lock(mutex_);
  for (const auto side : {WatchedSearch::Side::kHolder, WatchedSearch::Side::kRequester}) {
    const std::string prefix = PrefixOf(side, stop.reference);
    COMITY_RETURN_IF_ERROR(transaction.hits().Restart(prefix));
    std::erase_if(watches_, [&](const auto& item) { return item.first.starts_with(prefix); });
  }
  return {};
}

Status HitAlarms::Save() {
  const policy::Instant now = setup_.clock.Now();
  return setup_.journal.Commit([&](store::Transaction& transaction, audit::Recorder&) -> Status {
    const std::lock_guard lock(mutex_);
    for (auto& [key, watch] : watches_) {
      if (!std::exchange(watch.touched, false)) continue;
      // Twice the window: slices reach back a little further than it.
      const policy::Alarms& bounds = watch.counts.bounds();
      COMITY_RETURN_IF_ERROR(transaction.hits().Forget(
          key, now - 2 * std::max(bounds.hit_rate_window, bounds.repeated_hits_window)));
      if (watch.unsaved == 0) continue;
      COMITY_RETURN_IF_ERROR(
          transaction.hits().AddProbes({key, watch.used_at, std::exchange(watch.unsaved, 0)}));
    }
    return transaction.hits().Forget({}, now - 2 * kLongestWindow);
  });
}

}  // namespace comity::oversight
