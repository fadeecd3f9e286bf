// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/stops.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"

namespace comity::oversight {
namespace {

using identity::Role;

// Everybody who must know at once that matching was halted, or goes on.
constexpr identity::RoleSet kAudience{Role::kSupervisor, Role::kDpo, Role::kSignatory};

std::string NewStopId(RandomSource& random) {
  std::array<std::uint8_t, 16> octets;
  random.Fill(octets);
  return "stop-" + EncodeHex(octets);
}

Stop NewStop(const StopOrder& order, std::string_view by, policy::Instant now,
             RandomSource& random) {
  Stop stop;
  stop.id = NewStopId(random);
  stop.scope = order.scope;
  stop.reference = order.reference;
  stop.set_by = by;
  stop.reason = order.reason;
  stop.order = order.order;
  stop.set_at = now;
  return stop;
}

tl::unexpected<Error> Wrong(std::string_view rule) {
  return Fail(ErrorCode::kInvalidArgument, "stop: " + std::string(rule));
}

Status CheckOrder(const StopOrder& order) {
  if (!policy::IsWellFormedId(order.reference)) {
    return Wrong("the reference is an id of 1 to 64 characters a-z, 0-9 and '-'");
  }
  if (order.reason.empty() || order.reason.size() > StopOrder::kMaxReason) {
    return Wrong("a reason of 1 to 1000 octets is needed");
  }
  if (order.order.size() > StopOrder::kMaxOrder) {
    return Wrong("the reference of an order has at most 128 octets");
  }
  return {};
}

std::string WhatOf(const Stop& stop) {
  return std::string(Name(stop.scope)) + " " + stop.reference;
}

audit::Event EventOf(const Stop& stop, const policy::AgencyId& own, bool lifted) {
  audit::Event event;
  event.type = lifted ? audit::kStopLifted : audit::kStopSet;
  event.time = lifted ? stop.lifted_at : stop.set_at;
  event.parties = {own};
  event.decision_code = std::string(Name(stop.scope));
  event.committed = {{"stop", stop.id},
                     {"reference", stop.reference},
                     {"reason", lifted ? stop.lift_reason : stop.reason},
                     {"operator", lifted ? stop.lifted_by->text() : stop.set_by}};
  if (!lifted && !stop.order.empty()) event.committed["order"] = stop.order;
  return event;
}

}  // namespace

Result<std::unique_ptr<Stops>> Stops::Open(Setup setup) {
  std::unique_ptr<Stops> stops(new Stops(std::move(setup)));
  const Status read = stops->Refresh();
  // Nobody can tell what is stopped, so everything is; whoever looks learns why.
  if (!read && read.error().code != ErrorCode::kCorrupt) return Fail(read.error());
  return stops;
}

std::shared_ptr<const StandingStops> Stops::Standing() const {
  return standing_.With([](const auto& standing) { return standing; });
}

Status Stops::Refresh() {
  const std::lock_guard lock(refresh_mutex_);
  std::vector<Stop> standing;
  Status read = setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(standing, transaction.stops().Standing());
    return {};
  });
  const auto now = std::make_shared<const StandingStops>(read ? StandingStops(standing)
                                                              : StandingStops::Unreadable());
  standing_.With([&](auto& held) { held = now; });
  if (read && setup_.on_change) setup_.on_change(*now);
  return read;
}

Status Stops::Housekeep() {
  return Standing()->unreadable() ? Refresh() : Status();
}

Result<Stop> Stops::Set(const StopOrder& order, const policy::PersonId& by) {
  COMITY_RETURN_IF_ERROR(CheckOrder(order));
  const Stop stop = NewStop(order, by.text(), setup_.clock.Now(), setup_.random);
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto standing, transaction.stops().Standing());
    if (standing.size() >= kMaxStanding) {
      return Fail(ErrorCode::kExhausted, "1000 stops stand; lift one first");
    }
    for (const Stop& other : standing) {
      if (other.scope != stop.scope || other.reference != stop.reference) continue;
      if (other.set_by == stop.set_by) {
        return Fail(ErrorCode::kConflict, "you have stopped it already: " + other.id);
      }
    }
    return Add(transaction, recorder, stop);
  };
  COMITY_RETURN_IF_ERROR(setup_.journal.Commit(work));
  COMITY_RETURN_IF_ERROR(Refresh());
  if (setup_.drain) setup_.drain();
  setup_.notices.Announce();
  return stop;
}

Result<std::optional<Stop>> Stops::SetByAlarm(store::Transaction& transaction,
                                              audit::Recorder& recorder,
                                              const StopOrder& order) const {
  std::optional<Stop> none;
  COMITY_RETURN_IF_ERROR(CheckOrder(order));
  COMITY_ASSIGN_OR_RETURN(const auto standing, transaction.stops().Standing());
  for (const Stop& other : standing) {
    if (other.scope == order.scope && other.reference == order.reference &&
        other.set_by == kAlarm) {
      return none;
    }
  }
  Stop stop = NewStop(order, kAlarm, setup_.clock.Now(), setup_.random);
  COMITY_RETURN_IF_ERROR(Add(transaction, recorder, stop));
  return std::optional(std::move(stop));
}

Status Stops::Add(store::Transaction& transaction, audit::Recorder& recorder,
                  const Stop& stop) const {
  COMITY_RETURN_IF_ERROR(transaction.stops().Add(stop));
  COMITY_RETURN_IF_ERROR(recorder.Record(EventOf(stop, setup_.own, false)));
  return Tell(transaction, recorder, stop, false);
}

Result<Stop> Stops::Lift(store::Transaction& transaction, audit::Recorder& recorder,
                         const std::string& id, const policy::PersonId& by,
                         const std::string& reason) const {
  COMITY_RETURN_IF_ERROR(transaction.stops().Lift(id, by, reason, setup_.clock.Now()));
  COMITY_ASSIGN_OR_RETURN(const Stop stop, transaction.stops().Get(id));
  COMITY_RETURN_IF_ERROR(recorder.Record(EventOf(stop, setup_.own, true)));
  COMITY_RETURN_IF_ERROR(Tell(transaction, recorder, stop, true));
  return stop;
}

Status Stops::Tell(store::Transaction& transaction, audit::Recorder& recorder, const Stop& stop,
                   bool lifted) const {
  const std::string what = WhatOf(stop);
  const std::string words = what +
                            (lifted ? " is searched again: " + stop.lift_reason
                                    : " is stopped by " + stop.set_by + ": " + stop.reason) +
                            (stop.order.empty() || lifted ? "" : " (order " + stop.order + ")");
  COMITY_RETURN_IF_ERROR(
      setup_.notices.Post(transaction, recorder,
                          {lifted ? identity::notice::kStopLifted : identity::notice::kStopped,
                           kAudience, stop.id, words}));
  if (stop.scope != StopScope::kPartner) return {};
  COMITY_ASSIGN_OR_RETURN(const policy::AgencyId partner, policy::AgencyId::Parse(stop.reference));
  // The partner learns that it is stopped; the reason is this agency's own.
  return setup_.partners.Tell(
      transaction, recorder, partner,
      lifted ? peer_notice::kResumedByUs : peer_notice::kSuspendedByUs,
      lifted ? "Searches between our agencies are possible again."
             : "Searches between our agencies are stopped for the time being.");
}

Result<Stop> Stops::Get(std::string_view id) const {
  Result<Stop> stop = Fail(ErrorCode::kInternal, "not read");
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    stop = transaction.stops().Get(id);
    return {};
  }));
  return stop;
}

Result<std::vector<Stop>> Stops::List(bool all, std::uint32_t limit) const {
  std::vector<Stop> stops;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    if (all) {
      COMITY_ASSIGN_OR_RETURN(stops, transaction.stops().Newest(limit));
      return {};
    }
    COMITY_ASSIGN_OR_RETURN(stops, transaction.stops().Standing());
    std::reverse(stops.begin(), stops.end());
    if (stops.size() > limit) stops.resize(limit);
    return {};
  }));
  return stops;
}

}  // namespace comity::oversight
