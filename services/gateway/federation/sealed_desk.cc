// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_desk.h"

#include <algorithm>
#include <utility>

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;

// The least time between two tries for a search, after a failure.
constexpr std::chrono::seconds kAgain{1};
// After a failure, and the longest that a list is not looked at.
constexpr std::chrono::seconds kRetry{30};
// How long keys may outlive what ends by time alone.
constexpr std::chrono::seconds kSweep{60};
constexpr std::string_view kGateway = "gateway";

matching::SealedListInForce InForceOf(watchlists::SealedEpochPtr epoch) {
  matching::SealedListInForce list{epoch->scope.list, epoch->view, {}};
  list.reference_of = [epoch = std::move(epoch)](std::uint32_t number) {
    return epoch->ReferenceOf(number);
  };
  return list;
}

}  // namespace

SealedDesk::SealedDesk(Ports ports)
    : ports_(std::move(ports)), thread_([this](const std::stop_token& stop) { Keep(stop); }) {}

SealedDesk::~SealedDesk() {
  Halt();
}

void SealedDesk::Halt() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void SealedDesk::Poke() {
  asked_.With([](Asked& asked) { asked.poked = true; });
}

void SealedDesk::Report(std::string_view what, const Error& error) const {
  ports_.logger.Error(what, {{"code", Name(error.code)}, {"reason", error.detail}});
}

void SealedDesk::Withdrawn(const policy::WatchlistId& list,
                           std::span<const std::string> references) {
  const Status withdrawn = ports_.publications.Withdraw(list, references);
  if (!withdrawn) Report("sealed-list-not-withdrawn", withdrawn.error());
  Poke();
}

void SealedDesk::Dropped(const policy::WatchlistId& list) {
  const auto shredded = Shred(list, "list closed", kGateway);
  if (!shredded) Report("sealed-list-not-shredded", shredded.error());
}

Result<std::uint64_t> SealedDesk::Shred(const policy::WatchlistId& list, std::string_view reason,
                                        std::string_view by) {
  auto shredded = ports_.publications.Shred(
      [&](const watchlists::SealedScope& scope) { return scope.list == list; }, reason, by);
  Poke();
  return shredded;
}

bool SealedDesk::IsPreparing(const policy::AgencyId& requester,
                             const policy::AgreementRef& agreement,
                             const policy::PurposeCode& purpose) const {
  if (!IsSettled()) return true;
  const bool is_waiting = due_.With([&](const auto& due) {
    return std::ranges::any_of(due, [&](const auto& item) {
      const watchlists::SealedScope& scope = item.first;
      return item.second.waiting && scope.requester == requester && scope.agreement == agreement &&
             scope.purpose == purpose;
    });
  });
  return is_waiting ||
         std::ranges::any_of(
             ports_.publications.InForce(requester, agreement, purpose, ports_.clock.Now()),
             [&](const auto& epoch) { return ports_.publications.IsStale(epoch->header()); });
}

// Whether what is due is known, as agreements and watchlists stand.
bool SealedDesk::IsSettled() const {
  const bool is_looked_at =
      asked_.With([](const Asked& asked) { return !asked.poked && !asked.looking; });
  return is_looked_at && seen_.With([&](const auto& seen) { return seen == ports_.agreements(); });
}

SealedDesk::Counts SealedDesk::counts() const {
  return due_.With([](const auto& due) {
    Counts counts;
    for (const auto& [scope, one] : due) ++(one.waiting ? counts.waiting : counts.in_force);
    return counts;
  });
}

std::vector<matching::SealedListInForce> SealedDesk::InForce(const policy::AgencyId& requester,
                                                             const policy::AgreementRef& agreement,
                                                             const policy::PurposeCode& purpose,
                                                             policy::Instant now) const {
  std::vector<matching::SealedListInForce> lists;
  for (auto& epoch : ports_.publications.InForce(requester, agreement, purpose, now)) {
    lists.push_back(InForceOf(std::move(epoch)));
  }
  return lists;
}

Result<matching::SealedListInForce> SealedDesk::Find(const Digest& header,
                                                     const policy::AgencyId& requester,
                                                     policy::Instant now) const {
  COMITY_ASSIGN_OR_RETURN(auto epoch, ports_.publications.Find(header, requester, now));
  return InForceOf(std::move(epoch));
}

bool SealedDesk::IsStale(const Digest& header) const {
  return ports_.publications.IsStale(header);
}

Result<sealed::Release> SealedDesk::Look(const Digest& header, std::uint64_t sequence) const {
  return ports_.publications.LookAtRelease(header, sequence);
}

Result<sealed::Release> SealedDesk::Charge(store::Transaction& transaction,
                                           const matching::SealedCharge& charge) {
  return watchlists::SealedPublications::ChargeRelease(
      transaction, {charge.header, charge.sequence, charge.slots, charge.over_cap});
}

// Any partner can ask for this, as often as it likes: what nothing can come of wakes nobody.
void SealedDesk::Renew(const Digest& header) {
  const auto scope = ports_.publications.NewestOf(header);
  if (!scope) return;
  const policy::Instant now = ports_.clock.Now();
  const bool has_failed = due_.With([&](const auto& due) {
    const auto found = due.find(*scope);
    return found != due.end() && now < found->second.again;
  });
  if (!has_failed) asked_.With([](Asked& asked) { asked.stale = true; });
}

void SealedDesk::Keep(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Asked asked;
    asked.poked = false;
    asked_.WaitUntil(
        stop, steady_clock::now() + ports_.tick,
        [](const Asked& now) { return now.poked || now.stale; },
        [&](Asked& now) {
          const bool was_poked = now.poked;
          asked = std::exchange(now, Asked{false, false, was_poked});
        });
    if (!stop.stop_requested()) Look(stop, asked);
    asked_.With([](Asked& now) { now.looking = false; });
  }
}

void SealedDesk::Look(const std::stop_token& stop, const Asked& asked) {
  const policy::Instant now = ports_.clock.Now();
  auto agreements = ports_.agreements();
  const auto seen = seen_.With([](const auto& set) { return set; });
  const bool all = asked.poked || agreements != seen;
  const bool is_due = due_.With([&](const auto& due) {
    return std::ranges::any_of(due, [&](const auto& item) { return item.second.at <= now; });
  });
  if (!all && !is_due && !asked.stale && now < sweep_at_) return;
  const auto lists = ports_.lists.StatusOf(std::nullopt, now);
  if (!lists) return Report("sealed-lists-not-kept", lists.error());
  sweep_at_ = now + (Sweep(*agreements, *lists, now) ? kSweep : kRetry);
  std::vector<WantedSealed> wanted = WantedSealedLists(*agreements, ports_.self, *lists, now);
  const auto stale = Expect(wanted, now);
  seen_.With([&](auto& set) { set = agreements; });
  asked_.With([](Asked& state) { state.looking = false; });
  // Searches wait for blocks without release left: those first.
  std::ranges::partition(wanted,
                         [&](const WantedSealed& one) { return stale.contains(one.scope); });
  for (const WantedSealed& one : wanted) {
    if (stop.stop_requested()) return;
    const bool due = due_.With([&](const auto& map) { return map.at(one.scope).at <= now; });
    if (all || due || (stale.contains(one.scope) && !SealAgain(one, now))) Bring(one, now);
  }
}

std::set<watchlists::SealedScope> SealedDesk::Expect(std::span<const WantedSealed> wanted,
                                                     policy::Instant now) {
  std::set<watchlists::SealedScope> rested;
  due_.With([&](auto& due) {
    std::erase_if(due, [&](const auto& item) {
      return std::ranges::none_of(wanted,
                                  [&](const WantedSealed& one) { return one.scope == item.first; });
    });
    for (const WantedSealed& one : wanted) {
      if (due.try_emplace(one.scope).first->second.again <= now) rested.insert(one.scope);
    }
  });
  std::erase_if(rested, [&](const watchlists::SealedScope& scope) {
    return !ports_.publications.NeedsBring(scope);
  });
  return rested;
}

bool SealedDesk::Sweep(const policy::AgreementSet& agreements,
                       std::span<const watchlists::ListStatus> lists, policy::Instant now) {
  const auto is_gone = [&](const watchlists::SealedScope& scope) {
    return std::ranges::none_of(lists, [&](const watchlists::ListStatus& list) {
      return list.list == scope.list && list.state == store::ListState::kApproved;
    });
  };
  const auto over = ports_.publications.Shred(
      [&](const watchlists::SealedScope& scope) {
        return IsOver(agreements, scope.agreement, now);
      },
      "agreement over", kGateway);
  const auto gone = ports_.publications.Shred(is_gone, "list closed", kGateway);
  for (const Result<std::uint64_t>& shredded : {over, gone}) {
    if (!shredded) Report("sealed-list-not-shredded", shredded.error());
  }
  const Status kept = ports_.publications.Housekeep(now);
  if (!kept) Report("sealed-lists-not-kept", kept.error());
  return over && gone && kept;
}

// False: the list needs to be looked at as a whole.
bool SealedDesk::SealAgain(const WantedSealed& wanted, policy::Instant now) {
  const auto done = ports_.publications.SealAgain(wanted.scope, wanted.terms, now);
  if (!done) NoteFailure(wanted.scope, done.error(), now);
  if (!done || !*done) return !done;
  due_.With([&](auto& due) { due[wanted.scope].waiting = false; });
  return true;
}

void SealedDesk::Bring(const WantedSealed& wanted, policy::Instant now) {
  const auto brought = ports_.publications.Bring(wanted.scope, wanted.terms, now);
  if (!brought) return NoteFailure(wanted.scope, brought.error(), now);
  due_.With(
      [&](auto& due) { due[wanted.scope] = {std::max(brought->next, now + kAgain), now, false}; });
}

void SealedDesk::NoteFailure(const watchlists::SealedScope& scope, const Error& error,
                             policy::Instant now) {
  Report("sealed-list-not-sealed", error);
  due_.With([&](auto& due) { due[scope] = {now + kRetry, now + kAgain, true}; });
}

}  // namespace comity::gateway
