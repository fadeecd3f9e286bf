// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agreement_courier.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
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
  deliveries.back().set_document(file.document);
  for (const std::string& statement : file.statements) {
    if (deliveries.back().statements_size() == kStatementsInOne) deliveries.emplace_back();
    deliveries.back().add_statements(statement);
  }
  return deliveries;
}

}  // namespace

AgreementCourier::AgreementCourier(Ports ports)
    : ports_(std::move(ports)), retry_([this](const std::stop_token& stop) { Run(stop); }) {}

void AgreementCourier::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  do {
    for (const auto& [peer, link] : ports_.peers.all()) {
      for (const auto& file : ports_.agreements.PendingFor(peer)) {
        if (stop.stop_requested()) return;
        Offer(peer, file);
      }
    }
    wake.wait_for(lock, stop, kRetry, [] { return false; });
  } while (!stop.stop_requested());
}

void AgreementCourier::DeliverNow(const policy::AgreementRef& agreement) {
  for (const auto& [peer, link] : ports_.peers.all()) {
    for (const auto& file : ports_.agreements.PendingFor(peer)) {
      if (file.agreement == agreement) Offer(peer, file);
    }
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
  if (has_all) return;
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
  const bool is_news = known_.With([&](const auto& known) {
    const auto found = known.find(key);
    return found == known.end() || found->second.peer_status != status ||
           found->second.faults != answer.receipt.faults_size();
  });
  if (!is_news && !answer.receipt.faults().empty()) return;  // the same refusal again: said once
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
        states[peer] = {std::ranges::includes(found->second.delivered, parts),
                        found->second.peer_status};
      });
    }
  }
  return states;
}

}  // namespace comity::gateway
