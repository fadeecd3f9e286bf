// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/courier.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/gateway/federation/receipt_check.h"
#include "services/gateway/wire/convert_time.h"
#include "services/oversight/partner_content.h"
#include "services/oversight/receipt.h"

namespace comity::gateway {
namespace {

using std::chrono::milliseconds;
using store::OutboxRecord;

constexpr std::uint32_t kBatch = 32;
constexpr milliseconds kFirstRetry{200};
constexpr milliseconds kLastRetry{5000};
// After something was put, its commit may take a moment: looked for again soon, then seldom.
constexpr milliseconds kFirstLook{2};
constexpr milliseconds kLastLook{1000};
constexpr std::chrono::seconds kRetryRefused{60};
constexpr const char* kInvalidMessage = "invalid-message";  // the whole call was refused so

v1::PartnerMessage ToProto(const OutboxRecord& record) {
  v1::PartnerMessage message;
  message.set_id(record.id);
  message.set_kind(record.kind);
  message.set_content(record.content);
  if (record.due_by) *message.mutable_due_by() = gateway::ToProto(*record.due_by);
  return message;
}

}  // namespace

// The way to one partner and its thread. Threads: the constructor's, then its own.
class Courier::Round {
 public:
  Round(const Ports& ports, policy::AgencyId peer) : ports_(ports), peer_(std::move(peer)) {}

  Status NoteBehind() {
    // One look at a time: an older one must not take the place of a newer one.
    const std::lock_guard one_at_a_time(noting_);
    std::optional<policy::Instant> since;
    COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(
          since, transaction.outbox().WaitingSince(peer_, oversight::message_kind::kEntryChange));
      return {};
    }));
    ports_.catch_up.Set(peer_, since);
    return {};
  }
  void Hurry() {
    hurried_.With([](bool& hurried) { hurried = true; });
  }
  void Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

 private:
  void Run(const std::stop_token& stop) {
    milliseconds retry = kFirstRetry;
    milliseconds look = kFirstLook;
    std::uint64_t seen = 0;
    while (!stop.stop_requested()) {
      const std::uint64_t put = ports_.outbox.PutFor(peer_);
      if (put != std::exchange(seen, put)) look = kFirstLook;
      const Status brought = BringAll(stop);
      if (brought) {
        failing_ = {};
        retry = kFirstRetry;
        ports_.outbox.AwaitMore(peer_, seen, std::min(look, UntilRetry()), stop);
        look = std::min(2 * look, kLastLook);
      } else {
        Complain(brought.error());
        if (std::exchange(progressed_, false)) retry = kFirstRetry;
        Sleep(retry, stop);
        retry = std::min(2 * retry, kLastRetry);
      }
    }
  }

  void Sleep(milliseconds time, const std::stop_token& stop) {
    // The next pass clears it: it is for the kinds that wait, too.
    hurried_.WaitUntil(
        stop, std::chrono::steady_clock::now() + time, [](bool hurried) { return hurried; },
        [](bool&) {});
  }

  // A partner that is away is said once, not every five seconds.
  void Complain(const Error& error) {
    if (std::exchange(failing_, error.code) == error.code) return;
    ports_.logger.Warn(
        "partner-not-reached",
        {{"peer", peer_.text()}, {"code", Name(error.code)}, {"reason", error.detail}});
  }

  void BeginPass() {
    pass_began_ = std::chrono::steady_clock::now();
    if (!hurried_.With([](bool& hurried) { return std::exchange(hurried, false); })) return;
    for (auto& [kind, paused] : paused_) paused.until = pass_began_;
  }

  Status BringAll(const std::stop_token& stop) {
    BeginPass();
    std::uint64_t after = 0;
    while (true) {
      std::vector<OutboxRecord> waiting;
      COMITY_RETURN_IF_ERROR(
          ports_.store.Read([&](const store::Transaction& transaction) -> Status {
            COMITY_ASSIGN_OR_RETURN(
                waiting, transaction.outbox().Waiting(peer_, kBatch, after, PausedKinds()));
            return {};
          }));
      COMITY_RETURN_IF_ERROR(NoteBehind());
      for (const OutboxRecord& record : waiting) {
        if (stop.stop_requested()) return {};
        after = record.number;
        if (IsSetAside(record) || IsPaused(record.kind)) continue;
        COMITY_RETURN_IF_ERROR(Bring(record, stop));
      }
      if (waiting.size() < kBatch) return {};
    }
  }

  bool IsSetAside(const OutboxRecord& record) const {
    const auto found = set_aside_.find(record.number);
    return found != set_aside_.end() && std::chrono::steady_clock::now() < found->second;
  }

  // What the partner says of a kind of messages rather than of all: that its budget is used up, or
  // that it takes nothing but changes of entries from an agency that it suspended.
  static bool IsOfKind(const Error& error) {
    return error.code == ErrorCode::kExhausted || error.code == ErrorCode::kPermissionDenied;
  }
  // Messages of this kind wait, in their order; those of others do not wait behind them.
  void Pause(const std::string& kind, const Error& error) {
    const auto [paused, is_new] = paused_.try_emplace(kind);
    if (is_new) {
      ports_.logger.Warn("partner-takes-no-more", {{"peer", peer_.text()},
                                                   {"kind", kind},
                                                   {"code", Name(error.code)},
                                                   {"reason", error.detail}});
    }
    paused->second.until = std::chrono::steady_clock::now() + paused->second.next;
    paused->second.next = std::min(2 * paused->second.next, kLastRetry);
  }
  // The same for the whole pass, however long it takes: a pause that ended within it would let a
  // message of the kind overtake the one that was not taken.
  bool IsPaused(const std::string& kind) const {
    const auto found = paused_.find(kind);
    return found != paused_.end() && pass_began_ < found->second.until;
  }
  std::vector<std::string> PausedKinds() const {
    std::vector<std::string> kinds;
    for (const auto& [kind, paused] : paused_) {
      if (IsPaused(kind) && kinds.size() < store::OutboxStore::kMostKinds) kinds.push_back(kind);
    }
    return kinds;
  }
  // When the next kind is tried again; 0 if its pause ended within the pass.
  milliseconds UntilRetry() const {
    milliseconds left = kLastLook;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& [kind, paused] : paused_) {
      if (paused.until <= pass_began_) continue;  // tried, or nothing of it waits any more
      left = std::min(left, std::chrono::ceil<milliseconds>(paused.until - now));
    }
    return std::max(left, milliseconds{0});
  }

  Status Bring(const OutboxRecord& record, const std::stop_token& stop) {
    const auto delivered = ports_.peers.Deliver(peer_, ToProto(record), stop);
    // One of the two programs is at fault with this message: those behind it must not wait for it.
    if (!delivered && delivered.error().code == ErrorCode::kInvalidArgument) {
      return SetAside(record, kInvalidMessage);
    }
    // The answer alone can be about a kind: what fails here, before or after it, is about all.
    if (!delivered && IsOfKind(delivered.error())) {
      Pause(record.kind, delivered.error());
      return {};
    }
    if (!delivered) return Fail(delivered.error());
    const v1::PartnerReceipt& answer = *delivered;
    COMITY_ASSIGN_OR_RETURN(const auto keys, ports_.keys(peer_));
    COMITY_ASSIGN_OR_RETURN(const PartnerAnswer checked,
                            CheckPartnerReceipt(answer, record, ports_.self, keys));
    if (checked.receipt) {
      COMITY_RETURN_IF_ERROR(Keep(record, answer.receipt(), *checked.receipt));
      set_aside_.erase(record.number);
      paused_.erase(record.kind);
      progressed_ = true;
      return NoteBehind();
    }
    return SetAside(record, checked.refused);
  }

  Status SetAside(const OutboxRecord& record, const std::string& code) {
    set_aside_[record.number] = std::chrono::steady_clock::now() + kRetryRefused;
    return code == record.refused ? Status() : NoteRefused(record, code);
  }

  Status Keep(const OutboxRecord& record, std::string_view envelope,
              const oversight::Receipt& receipt) {
    audit::Event event;
    event.type = audit::kReceiptReceived;
    event.exchange = record.id;
    event.parties = {ports_.self, peer_};
    event.committed = {{"kind", record.kind},
                       {"outcome", oversight::EncodeOutcome(receipt.outcome)}};
    event.messages = {{"receipt", oversight::ReceiptDigest(envelope)}};
    event.counts = {{"number", static_cast<std::int64_t>(record.number)}};
    PartnerMessageHandler* handler = ports_.handlers.Find(record.kind);
    return ports_.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          const Status kept =
              transaction.outbox().Acknowledge(record.number, envelope, ports_.clock.Now());
          // Dropped meanwhile, with its partner.
          if (!kept && kept.error().code == ErrorCode::kNotFound) return {};
          COMITY_RETURN_IF_ERROR(kept);
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
          if (handler == nullptr) return {};
          return handler->Acknowledged(transaction, recorder, record, receipt);
        });
  }

  Status NoteRefused(const OutboxRecord& record, const std::string& code) {
    audit::Event event;
    event.type = audit::kPartnerMessageRefused;
    event.exchange = record.id;
    event.parties = {ports_.self, peer_};
    event.decision_code = code;
    event.committed = {{"kind", record.kind}};
    event.counts = {{"number", static_cast<std::int64_t>(record.number)}};
    const Status noted = ports_.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          const Status written = transaction.outbox().NoteRefused(record.number, code);
          if (!written && written.error().code == ErrorCode::kNotFound) return {};
          COMITY_RETURN_IF_ERROR(written);
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
          return ports_.notices.Post(transaction, recorder, RefusalNotice(record, code));
        });
    if (noted) ports_.notices.Announce();
    return noted;
  }

  const Ports& ports_;
  const policy::AgencyId peer_;
  std::map<std::uint64_t, std::chrono::steady_clock::time_point> set_aside_;
  struct Paused {
    milliseconds next = kFirstRetry;
    std::chrono::steady_clock::time_point until{};
  };
  std::map<std::string, Paused> paused_;  // by kind
  std::chrono::steady_clock::time_point pass_began_{};
  std::optional<ErrorCode> failing_;
  bool progressed_ = false;  // something was acknowledged since the last failure
  runtime::Watched<bool> hurried_;
  std::mutex noting_;
  std::jthread thread_;  // last: stopped before the rest goes
};

Courier::Courier(Ports ports) : ports_(std::move(ports)) {}
Courier::~Courier() {
  rounds_.With([](Rounds& rounds) { rounds.clear(); });
}

Status Courier::Serve(const std::vector<policy::AgencyId>& partners) {
  Rounds gone;  // their threads end after the lock is free
  const Status served = rounds_.With([&](Rounds& rounds) -> Status {
    for (auto round = rounds.begin(); round != rounds.end();) {
      const bool stays = std::ranges::count(partners, round->first) > 0;
      if (stays) {
        ++round;
      } else {
        gone.insert(rounds.extract(round++));
      }
    }
    for (const policy::AgencyId& partner : partners) {
      if (rounds.contains(partner)) continue;
      auto round = std::make_unique<Round>(ports_, partner);
      COMITY_RETURN_IF_ERROR(round->NoteBehind());
      round->Start();
      rounds.emplace(partner, std::move(round));
    }
    return {};
  });
  for (auto& [partner, round] : gone) {
    round.reset();  // waits for its thread, which sets it, too
    ports_.catch_up.Set(partner, std::nullopt);
  }
  return served;
}

void Courier::Hurry(const policy::AgencyId& partner) {
  rounds_.With([&](Rounds& rounds) {
    const auto round = rounds.find(partner);
    if (round != rounds.end()) round->second->Hurry();
  });
}

Status Courier::NoteBehind() {
  return rounds_.With([](Rounds& rounds) -> Status {
    for (auto& [partner, round] : rounds) COMITY_RETURN_IF_ERROR(round->NoteBehind());
    return {};
  });
}

Status Courier::Drop(const policy::AgencyId& partner) {
  return ports_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_ASSIGN_OR_RETURN(const std::uint64_t dropped, transaction.outbox().Discard(partner));
        if (dropped == 0) return {};
        audit::Event event;
        event.type = audit::kPartnerMessagesDropped;
        event.parties = {ports_.self, partner};
        event.committed = {{"reason", "the partner was removed"}};
        event.counts = {{"messages", static_cast<std::int64_t>(dropped)}};
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return {};
      });
}

}  // namespace comity::gateway
