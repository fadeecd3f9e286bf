// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/agreement_courier.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

// What one file consists of, by content: whatever changes is offered again.
std::set<Digest> PartsOf(const agreements::AgreementFile& file) {
  std::set<Digest> parts{file.agreement.sha256};
  for (const std::string& statement : file.statements) {
    parts.insert(hash::Sha256(AsBytes(statement)));
  }
  return parts;
}

// Half of what a delivery may hold, so that the largest document and statements fit its octets too.
constexpr int kStatementsInOne = static_cast<int>(transport::limits::kMaxStatementsPerDelivery) / 2;

std::vector<v1::AgreementDelivery> ToDeliveries(const agreements::AgreementFile& file) {
  std::vector<v1::AgreementDelivery> deliveries(1);
  *deliveries.back().mutable_agreement() = ToProto(file.agreement);
  deliveries.back().set_status(file.status);
  deliveries.back().set_document(file.document);
  for (const std::string& statement : file.statements) {
    if (deliveries.back().statements_size() == kStatementsInOne) {
      v1::AgreementDelivery& next = deliveries.emplace_back();
      *next.mutable_agreement() = ToProto(file.agreement);
      next.set_status(file.status);
    }
    deliveries.back().add_statements(statement);
  }
  return deliveries;
}

}  // namespace

AgreementCourier::AgreementCourier(Ports ports)
    : ports_(std::move(ports)), retry_([this](const std::stop_token& stop) { Run(stop); }) {}

// One peer's turn, on a thread of its own: a slow peer holds up no other.
struct AgreementCourier::Round {
  std::atomic<bool> done = false;
  std::jthread thread;  // last: joined before the flag goes
};

void AgreementCourier::Run(const std::stop_token& stop) {
  std::map<policy::AgencyId, Round> rounds;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  do {
    std::erase_if(rounds, [](const auto& round) { return round.second.done.load(); });
    for (const auto& [peer, link] : ports_.peers.all()) {
      const auto [round, is_new] = rounds.try_emplace(peer);
      if (is_new) Begin(round->first, round->second);  // else still at work since the last time
    }
    wake.wait_for(lock, stop, kRetry, [] { return false; });
  } while (!stop.stop_requested());
}

void AgreementCourier::Begin(const policy::AgencyId& peer, Round& round) {
  round.thread = std::jthread([this, &peer, &round](const std::stop_token& stop) {
    for (const auto& file : ports_.agreements.PendingFor(peer)) {
      if (stop.stop_requested()) break;
      Offer(peer, file);
    }
    round.done.store(true);
  });
}

void AgreementCourier::DeliverNow(const policy::AgreementRef& agreement) {
  const auto peers = ports_.peers.all();
  std::vector<std::jthread> offers;  // one for each party
  for (const auto& peer : peers) {
    offers.emplace_back([this, &peer, &agreement] {
      for (const auto& file : ports_.agreements.PendingFor(peer.first)) {
        if (file.agreement == agreement) Offer(peer.first, file);
      }
    });
  }
}

void AgreementCourier::Offer(const policy::AgencyId& peer, const agreements::AgreementFile& file) {
  const Key key{peer, file.agreement};
  const std::set<Digest> parts = PartsOf(file);
  const bool has_all = known_.With([&](const auto& known) {
    const auto found = known.find(key);
    return found != known.end() && !found->second.ask_again &&
           std::ranges::includes(found->second.delivered, parts);
  });
  if (has_all && !ports_.agreements.DiffersFrom(peer, file.agreement)) return;
  std::optional<PeerLinks::Delivered> whole;
  for (v1::AgreementDelivery& delivery : ToDeliveries(file)) {
    auto answer = ports_.peers.DeliverAgreement(peer, std::move(delivery));
    if (!answer) {
      ports_.logger.Warn("agreement-not-delivered", {{"peer", peer.text()},
                                                     {"agreement", file.agreement.id.text()},
                                                     {"code", Name(answer.error().code)},
                                                     {"reason", answer.error().detail}});
      return;
    }
    if (whole) answer->receipt.mutable_faults()->MergeFrom(whole->receipt.faults());
    whole = *std::move(answer);
  }
  Learn(key, parts, *whole);
}

void AgreementCourier::Learn(const Key& key, const std::set<Digest>& offered,
                             const PeerLinks::Delivered& answer) {
  for (const auto& fault : answer.receipt.faults()) {
    ports_.logger.Warn("agreement-part-refused",
                       {{"peer", key.first.text()},
                        {"agreement", key.second.id.text()},
                        {"statement", EncodeHex(AsBytes(fault.statement().substr(0, 32)))},
                        {"code", fault.code()}});
  }
  const std::string status = answer.receipt.status().substr(0, 32);
  // Without a status the peer refused everything.
  if (!status.empty()) {
    const Status learned = ports_.agreements.LearnPeerStatus(key.first, key.second, status);
    if (!learned) {
      ports_.logger.Error("agreement-status-not-learned", {{"reason", learned.error().detail}});
    }
  }
  // What was refused or asked again, with the same answer, is said once.
  const bool is_news = known_.With([&](auto& known) {
    const auto found = known.find(key);
    if (found == known.end() || found->second.peer_status != status ||
        found->second.faults != answer.receipt.faults_size()) {
      return true;
    }
    if (!answer.receipt.faults().empty()) return false;
    if (!std::ranges::includes(found->second.delivered, offered)) return true;
    found->second.ask_again = false;
    return false;
  });
  if (!is_news) return;
  audit::Event event;
  event.type = audit::kAgreementDelivered;
  event.time = ports_.clock.Now();
  event.exchange = answer.exchange;
  event.parties = {ports_.self, key.first};
  event.agreement = key.second;
  event.committed = {{"status", status}};
  event.messages = {{"request", answer.request}, {"reply", answer.reply}};
  event.counts = {{"statements", static_cast<std::int64_t>(offered.size()) - 1},
                  {"faults", answer.receipt.faults_size()}};
  if (const Status recorded = ports_.journal.Record(event); !recorded) {
    ports_.logger.Error("audit-write-failed", {{"reason", recorded.error().detail}});
    return;  // offered again, and recorded then
  }
  known_.With([&](auto& known) {
    known[key].peer_status = status;
    known[key].faults = answer.receipt.faults_size();
    known[key].ask_again = false;
    if (answer.receipt.faults().empty()) known[key].delivered = offered;
  });
}

void AgreementCourier::Refresh(const policy::AgencyId& peer,
                               const policy::AgreementRef& agreement) {
  known_.With([&](auto& known) {
    const auto found = known.find({peer, agreement});
    if (found != known.end()) found->second.ask_again = true;
  });
}

std::map<policy::AgencyId, DeliveryState> AgreementCourier::StateOf(
    const policy::AgreementRef& agreement) const {
  std::map<policy::AgencyId, DeliveryState> states;
  for (const auto& [peer, link] : ports_.peers.all()) {
    for (const auto& file : ports_.agreements.PendingFor(peer)) {
      if (file.agreement != agreement) continue;
      const std::set<Digest> parts = PartsOf(file);
      known_.With([&](const auto& known) {
        const auto found = known.find({peer, agreement});
        if (found == known.end()) {
          states[peer] = {};
          return;
        }
        states[peer].delivered = std::ranges::includes(found->second.delivered, parts);
        states[peer].heard = true;
      });
      states[peer].peer_status = ports_.agreements.PeerSays(peer, agreement);
      states[peer].status_differs = ports_.agreements.DiffersFrom(peer, agreement);
    }
  }
  return states;
}

}  // namespace comity::gateway
