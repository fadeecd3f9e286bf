// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_fetcher.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/watchlists/sealed_payload.h"

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause{30'000};         // between two rounds without a hurry
constexpr std::chrono::milliseconds kPauseWithout{10'000};  // the same, while a list is not there
constexpr std::chrono::seconds kLook{1};                    // for holders that are new
constexpr std::chrono::milliseconds kLeastPause{50};        // from the beginning of a round
constexpr std::chrono::milliseconds kLongestHurry{2'000};   // when hurrying has changed nothing
constexpr std::chrono::milliseconds kFirstRetry{1'000};
// For a list that the holder is sealing; less if it has several, so that none holds up another.
constexpr std::chrono::milliseconds kPatience{2'000};
constexpr std::chrono::milliseconds kPatienceForEach{200};
constexpr std::size_t kMostOffers = 16;
// Within which a link ends a session over a list that may not be searched any more.
constexpr std::chrono::seconds kSessionsEnd{10};

bool IsSealedFor(const policy::SearchPermission& permission, const policy::AgencyId& requester) {
  return permission.mode == policy::SearchMode::kSealed && permission.requester == requester;
}

Result<Digest> ParseDigest(const std::string& octets) {
  if (octets.size() != Digest::kSize) {
    return Fail(ErrorCode::kInvalidArgument, "a digest has 32 octets");
  }
  Digest digest;
  std::ranges::copy(AsBytes(octets), digest.bytes.begin());
  return digest;
}

std::string ToOctets(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

}  // namespace

SealedFetcher::SealedFetcher(Ports ports)
    : ports_(std::move(ports)), thread_([this](const std::stop_token& stop) { Watch(stop); }) {}

SealedFetcher::~SealedFetcher() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  std::map<policy::AgencyId, std::unique_ptr<Worker>> workers;
  workers_.With([&](auto& all) { all.swap(workers); });
  for (auto& [holder, worker] : workers) worker->thread.request_stop();
}

SealedFetcher::Worker& SealedFetcher::WorkerOf(const policy::AgencyId& holder) {
  return *workers_.With([&](auto& workers) {
    std::unique_ptr<Worker>& worker = workers[holder];
    if (!worker) worker = std::make_unique<Worker>();
    return worker.get();
  });
}

void SealedFetcher::Watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  std::set<policy::AgencyId> begun;
  std::shared_ptr<const policy::AgreementSet> seen;
  do {
    const auto set = ports_.agreements();
    const policy::Instant now = ports_.clock.Now();
    for (const policy::AgreementId& id : set->ids()) {
      for (const auto& permission : set->FindCurrent(id, now)->agreement.permissions) {
        if (!IsSealedFor(permission, ports_.self) || !begun.insert(permission.holder).second) {
          continue;
        }
        Worker& worker = WorkerOf(permission.holder);
        worker.thread =
            std::jthread([this, holder = permission.holder, &worker](const std::stop_token& ended) {
              Serve(holder, worker, ended);
            });
      }
    }
    if (set != seen) {  // an agreement has come into force, or another version of one
      for (const policy::AgencyId& holder : begun) Hurry(holder);
      seen = set;
    }
    Erase();
    wake.wait_for(lock, stop, kLook, [] { return false; });
  } while (!stop.stop_requested());
}

void SealedFetcher::Hurry(const policy::AgencyId& holder) {
  WorkerOf(holder).turn.With([](Turn& turn) { turn.hurried = true; });
}

std::uint64_t SealedFetcher::News(const policy::AgencyId& holder) {
  return std::as_const(WorkerOf(holder).turn).With([](const Turn& turn) { return turn.news; });
}

void SealedFetcher::Await(const policy::AgencyId& holder, std::uint64_t seen, SteadyTime until,
                          const std::stop_token& stop) {
  WorkerOf(holder).turn.WaitUntil(
      stop, until, [&](const Turn& turn) { return turn.news != seen; }, [](Turn&) {});
}

SealedFetcher::Counts SealedFetcher::counts() const {
  return counts_.With([](const Counts& counts) { return counts; });
}

void SealedFetcher::Serve(const policy::AgencyId& holder, Worker& worker,
                          const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  std::chrono::milliseconds least = kLeastPause;
  std::chrono::milliseconds retry = kFirstRetry;
  bool is_preparing = false;
  while (!stop.stop_requested()) {
    const auto begun = steady_clock::now();
    const bool was_hurried =
        worker.turn.With([](Turn& turn) { return std::exchange(turn.hurried, false); });
    const Outcome outcome = AskAll(holder, was_hurried || is_preparing, worker, stop);
    is_preparing = outcome.preparing;
    retry = outcome.done ? kFirstRetry : std::min(2 * retry, kPause);
    counts_.With([&](Counts& counts) {
      ++counts.rounds;
      if (!outcome.done) ++counts.failures;
    });
    if (!outcome.done && !stop.stop_requested()) {
      ports_.logger.Warn("sealed-list-not-fetched", {{"peer", holder.text()},
                                                     {"code", Name(outcome.done.error().code)},
                                                     {"reason", outcome.done.error().detail}});
    }
    worker.turn.With([](Turn& turn) { ++turn.news; });
    // Who hurries in vain is served less and less often, and so is a holder that is never ready.
    const bool is_quick =
        is_preparing ? was_hurried && outcome.changed : outcome.changed || !was_hurried;
    const auto longest = was_hurried ? kLongestHurry : kPauseWithout;
    least = is_quick ? kLeastPause : std::min(2 * least, longest);
    wake.wait_until(lock, stop, begun + std::min(least, kLongestHurry), [] { return false; });
    const auto pause = !outcome.done ? retry : outcome.lacking ? kPauseWithout : kPause;
    const auto next = outcome.done && is_preparing ? begun + least : steady_clock::now() + pause;
    worker.turn.WaitUntil(stop, next, [](const Turn& turn) { return turn.hurried; }, [](Turn&) {});
  }
}

SealedFetcher::Outcome SealedFetcher::AskAll(const policy::AgencyId& holder, bool hurried,
                                             Worker& worker, const std::stop_token& stop) {
  Outcome all;
  const std::vector<Wish> wishes = WishesFor(holder);
  for (const Wish& wish : wishes) {
    Outcome one;
    // Also when nobody hurries yet: a first list is fetched as soon as it is sealed.
    const bool waits = hurried || CopiesFor(holder, wish).empty();
    const auto patience = wishes.size() > 1 ? kPatienceForEach : kPatience;
    Ask(holder, wish, waits ? patience : std::chrono::milliseconds(0), one, stop);
    if (one.changed) worker.turn.With([](Turn& turn) { ++turn.news; });
    all.changed = all.changed || one.changed;
    all.preparing = all.preparing || one.preparing;
    all.lacking = all.lacking || one.lacking;
    if (!one.done) all.done = std::move(one.done);
  }
  return all;
}

// One for each agreement, purpose and engine, whatever the number of permissions.
std::vector<SealedFetcher::Wish> SealedFetcher::WishesFor(const policy::AgencyId& holder) const {
  std::vector<Wish> wishes;
  const auto set = ports_.agreements();
  const policy::Instant now = ports_.clock.Now();
  for (const policy::AgreementId& id : set->FindBetween(ports_.self, holder)) {
    const policy::AgreementVersion* version = set->FindCurrent(id, now);
    if (version == nullptr || set->StatusOf(*version, now) != policy::AgreementStatus::kInForce) {
      continue;
    }
    for (const auto& permission : version->agreement.permissions) {
      if (!IsSealedFor(permission, ports_.self) || permission.holder != holder) continue;
      for (const policy::PurposeCode& purpose : permission.purposes) {
        const bool is_there = std::ranges::any_of(wishes, [&](const Wish& wish) {
          return wish.agreement == version->ref && wish.purpose == purpose &&
                 wish.engine == permission.engine;
        });
        if (!is_there) wishes.push_back({version->ref, purpose, permission.engine});
      }
    }
  }
  return wishes;
}

SealedLists SealedFetcher::CopiesFor(const policy::AgencyId& holder, const Wish& wish) const {
  return ports_.copies.Find(holder, wish.agreement, wish.purpose, wish.engine, ports_.clock.Now());
}

void SealedFetcher::Ask(const policy::AgencyId& holder, const Wish& wish,
                        std::chrono::milliseconds patience, Outcome& outcome,
                        const std::stop_token& stop) {
  v1::ListSealedRequest request;
  *request.mutable_agreement() = ToProto(wish.agreement);
  request.set_purpose(wish.purpose.text());
  *request.mutable_engine() = ToProto(wish.engine);
  request.set_wait_ms(static_cast<std::uint32_t>(patience.count()));
  for (const auto& copy : CopiesFor(holder, wish)) SetRef(*copy, *request.add_held());
  const auto reply = ports_.peers.ListSealed(holder, std::move(request), stop);
  if (!reply) {
    outcome.done = Fail(reply.error());
    return;
  }
  // What is refused is said at the search.
  if (!FromProto(reply->decision()).permitted()) return;
  outcome.preparing = reply->preparing();
  outcome.lacking = reply->lists().empty();
  if (static_cast<std::size_t>(reply->lists_size()) > kMostOffers) {
    outcome.done = Fail(ErrorCode::kInvalidArgument, "more than 16 sealed lists are offered");
    return;
  }
  for (const v1::SealedListOffer& offer : reply->lists()) {
    const auto brought = Bring(holder, wish, offer, stop);
    if (brought) {
      outcome.changed = outcome.changed || *brought;
    } else {
      outcome.done = Fail(brought.error());
    }
  }
  NoteWithdrawn(CopiesFor(holder, wish), *reply);
}

// What its holder lists no more (closed, shredded, over) can never be searched again.
void SealedFetcher::NoteWithdrawn(const SealedLists& copies, const v1::ListSealedReply& reply) {
  for (const auto& copy : copies) {
    const bool is_listed = std::ranges::any_of(reply.lists(), [&](const auto& offer) {
      return offer.list() == ToOctets(copy->header_digest());
    });
    withdrawn_.With([&](auto& headers) {
      if (is_listed) {
        headers.erase(copy->header_digest());
      } else {
        headers.insert(copy->header_digest());
      }
    });
  }
}

Result<bool> SealedFetcher::Bring(const policy::AgencyId& holder, const Wish& wish,
                                  const v1::SealedListOffer& offer, const std::stop_token& stop) {
  COMITY_ASSIGN_OR_RETURN(const Digest list, ParseDigest(offer.list()));
  COMITY_ASSIGN_OR_RETURN(const Digest state, ParseDigest(offer.state()));
  for (const auto& copy : CopiesFor(holder, wish)) {
    if (copy->header_digest() == list && copy->state_digest() == state) return false;
  }
  if (offer.header().size() > watchlists::kMaxSealedHeaderEnvelope || offer.sequence() == 0) {
    return Fail(ErrorCode::kInvalidArgument, "an offer of a sealed list is out of bounds");
  }
  v1::FetchSealedRequest request;
  request.set_list(ToOctets(list));
  request.set_state_sequence(offer.sequence());
  std::string envelope;
  COMITY_RETURN_IF_ERROR(
      ports_.peers.FetchSealed(holder, std::move(request), stop, [&](ByteView octets) -> Status {
        if (octets.size() > watchlists::kMaxSealedStateEnvelope - envelope.size()) {
          return Fail(ErrorCode::kInvalidArgument, "the state of a sealed list is too large");
        }
        envelope += AsText(octets);
        return {};
      }));
  COMITY_ASSIGN_OR_RETURN(const auto offered,
                          ports_.copies.Check(holder, offer.header(), envelope));
  if (offered.header != list) {
    return Fail(ErrorCode::kInvalidArgument, "another list than was offered");
  }
  for (const sealed::ListedBlock& block : offered.wanted) {
    COMITY_RETURN_IF_ERROR(FetchBlock(holder, offered, block, stop));
  }
  COMITY_RETURN_IF_ERROR(ports_.copies.Complete(holder, offer.header(), envelope));
  return true;
}

Status SealedFetcher::FetchBlock(const policy::AgencyId& holder,
                                 const watchlists::SealedCopies::Offered& offered,
                                 const sealed::ListedBlock& block, const std::stop_token& stop) {
  std::uint64_t offset = ports_.copies.Resume(offered.header, block);
  v1::FetchSealedRequest request;
  request.set_list(ToOctets(offered.header));
  request.set_block(block.number);
  request.set_block_hash(ToOctets(block.hash));
  request.set_offset(offset);
  COMITY_RETURN_IF_ERROR(
      ports_.peers.FetchSealed(holder, std::move(request), stop, [&](ByteView octets) -> Status {
        COMITY_RETURN_IF_ERROR(ports_.copies.Append(offered.header, block, offset, octets));
        offset += octets.size();
        counts_.With([&](Counts& counts) { counts.octets += octets.size(); });
        return {};
      }));
  return ports_.copies.Finish(offered, block);
}

// Of an agreement version that is over for good, or has another one above it.
bool SealedFetcher::HasEnded(const sealed::ListHeader& header, policy::Instant now) const {
  const auto set = ports_.agreements();
  const auto id = policy::AgreementId::Parse(header.agreement);
  if (!id) return true;
  const policy::AgreementVersion* version = set->FindVersion(*id, header.agreement_version);
  if (version == nullptr || version->ref.sha256 != header.agreement_sha256) return true;
  const policy::AgreementStatus status = set->StatusOf(*version, now);
  return status == policy::AgreementStatus::kTerminated ||
         status == policy::AgreementStatus::kRejected ||
         status == policy::AgreementStatus::kExpired ||
         status == policy::AgreementStatus::kSuperseded;
}

// Not before the sessions that search in it have ended: the holder is told that it is gone.
void SealedFetcher::Erase() {
  const policy::Instant now = ports_.clock.Now();
  const auto ended = [&](const sealed::ListHeader& header) {
    const Digest key = sealed::HeaderDigest(header);
    const bool is_withdrawn =
        withdrawn_.With([&](const auto& headers) { return headers.contains(key); });
    if (!is_withdrawn && !HasEnded(header, now)) {
      ended_since_.erase(key);
      return false;
    }
    return now - ended_since_.try_emplace(key, now).first->second >= kSessionsEnd;
  };
  if (const auto erased = ports_.copies.Erase(now - kSessionsEnd, ended); !erased) {
    ports_.logger.Error("sealed-list-not-erased", {{"reason", erased.error().detail}});
  } else if (*erased > 0) {
    ended_since_.clear();
    withdrawn_.With([](auto& headers) { headers.clear(); });  // the next round knows the others
  }
}

}  // namespace comity::gateway
