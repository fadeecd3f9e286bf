// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_monitor.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

#include "services/audit/events.h"

namespace comity::gateway {
namespace {

using identity::PeerContact;
using identity::PeerState;
using identity::Role;

// After a change, or at the start, partners that do not answer yet are asked more often for a
// while: both sides enrol each other, or start, within seconds.
constexpr int kEagerRounds = 20;
constexpr std::chrono::milliseconds kEagerPause{1000};

constexpr std::size_t kAskers = 32;  // threads; enough for as many partners that are gone

constexpr identity::RoleSet kTold{Role::kOperator, Role::kSupervisor, Role::kDpo};

std::string Seconds(std::chrono::seconds duration) {
  if (duration < std::chrono::minutes(2)) return std::to_string(duration.count()) + " s";
  const auto minutes = std::chrono::floor<std::chrono::minutes>(duration).count();
  if (minutes < 120) return std::to_string(minutes) + " minutes";
  return std::to_string(minutes / 60) + " hours " + std::to_string(minutes % 60) + " minutes";
}

std::string Second(policy::Instant instant) {
  return policy::EncodeInstant(std::chrono::floor<std::chrono::seconds>(instant));
}

}  // namespace

Result<std::unique_ptr<PeerMonitor>> PeerMonitor::Open(Ports ports) {
  std::unique_ptr<PeerMonitor> monitor(new PeerMonitor(std::move(ports)));
  PeerMonitor& made = *monitor;
  COMITY_RETURN_IF_ERROR(
      made.ports_.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(auto records, transaction.peers().Contacts());
        const auto now = made.ports_.clock.Now();
        made.contacts_.With([&](ContactMap& contacts) {
          for (store::PeerContactRecord& record : records) {
            const policy::AgencyId agency = record.agency;
            contacts.emplace(agency, PeerContact(std::move(record), made.ports_.away_after, now));
          }
        });
        return {};
      }));
  made.thread_ = std::jthread([&made](const std::stop_token& stop) { made.Run(stop); });
  return monitor;
}

PeerMonitor::~PeerMonitor() {
  Halt();
}

void PeerMonitor::Halt() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void PeerMonitor::Run(const std::stop_token& stop) {
  const auto pause = std::chrono::milliseconds(ports_.away_after) / 3;
  auto next = std::chrono::steady_clock::now();
  int eager = kEagerRounds;
  while (!stop.stop_requested()) {
    std::set<policy::AgencyId> tell;
    const auto take = [&](Wake& wake) {
      wake.poked = false;
      tell.swap(wake.tell);
      eager = kEagerRounds;
    };
    wake_.WaitUntil(stop, next, [](const Wake& wake) { return wake.poked; }, take);
    if (stop.stop_requested()) return;
    const auto now = std::chrono::steady_clock::now();
    next = now + (eager > 0 && !HeardAll() ? std::min(pause, kEagerPause) : pause);
    --eager;
    AskAll(std::move(tell));
  }
}

bool PeerMonitor::HeardAll() const {
  const auto links = ports_.links.all();
  return contacts_.With([&](const ContactMap& contacts) {
    return std::ranges::all_of(links, [&](const auto& link) {
      const auto contact = contacts.find(link.first);
      return contact != contacts.end() &&
             contact->second.presence() == PeerContact::Presence::kPresent;
    });
  });
}

// Beside each other: a dead partner costs its own deadline, not the sum of them.
void PeerMonitor::AskAll(std::set<policy::AgencyId> agencies) {
  for (const auto& [agency, link] : ports_.links.all()) agencies.insert(agency);
  const std::vector<policy::AgencyId> all(agencies.begin(), agencies.end());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++) Ask(all[i]);
  };
  std::vector<std::jthread> askers;
  for (std::size_t i = 0; i < std::min(all.size(), kAskers); ++i) askers.emplace_back(work);
}

void PeerMonitor::Ask(const policy::AgencyId& agency) {
  const auto answer = ports_.links.Hello(agency);
  const auto now = ports_.clock.Now();
  if (answer) {
    const identity::PeerWord word{answer->view.state, answer->view.keys, answer->protocol,
                                  answer->software, answer->view.capabilities};
    return Note(agency,
                [&](PeerContact& contact) { return contact.Heard(word, answer->clock_skew, now); });
  }
  Note(agency, [&](PeerContact& contact) { return contact.Silent(now); });
}

void PeerMonitor::Heard(const policy::AgencyId& agency, const identity::PeerWord& word) {
  const auto now = ports_.clock.Now();
  Note(agency,
       [&](PeerContact& contact) { return contact.Heard(word, contact.clock_skew(), now); });
}

void PeerMonitor::Leaving(const policy::AgencyId& agency) {
  const auto now = ports_.clock.Now();
  Note(agency, [&](PeerContact& contact) { return contact.Leaving(now); });
}

template <typename Happening>
void PeerMonitor::Note(const policy::AgencyId& agency, Happening happening) {
  Change change = Change::kNone;
  bool first = false;
  {
    // Kept in the order in which it happened. Only what changes something waits for the store.
    const std::lock_guard one_at_a_time(noting_);
    const PeerContact contact = contacts_.With([&](ContactMap& contacts) {
      auto known = contacts.find(agency);
      if (known == contacts.end()) {
        store::PeerContactRecord record;
        record.agency = agency;
        PeerContact made(std::move(record), ports_.away_after, ports_.clock.Now());
        known = contacts.emplace(agency, std::move(made)).first;
      }
      const bool unheard = !known->second.record().last_seen;
      change = happening(known->second);
      first = unheard && known->second.record().last_seen.has_value();
      return known->second;
    });
    if (change == Change::kNone) return;
    if (const Status kept = Keep(change, contact); !kept) {
      ports_.logger.Error("peer-contact-not-kept",
                          {{"peer", agency.text()}, {"reason", kept.error().detail}});
    }
  }
  ports_.notices.Announce();
  if (ports_.on_return && (change == Change::kReturned || first)) ports_.on_return(agency);
}

Status PeerMonitor::Keep(Change change, const PeerContact& contact) {
  const store::PeerContactRecord& record = contact.record();
  if (change == Change::kLearnt) {
    return ports_.store.Write(
        [&](store::Transaction& transaction) { return transaction.peers().PutContact(record); });
  }
  audit::Event event;
  event.time = ports_.clock.Now();
  event.parties = {ports_.self, record.agency};
  if (change == Change::kAway) {
    event.type = audit::kPeerAway;
    event.committed["planned"] = record.planned ? "yes" : "no";
  } else {
    event.type = audit::kPeerReturned;
    event.committed["software"] = record.software;
    event.counts["away_seconds"] = contact.away_for().count();
  }
  ports_.logger.Warn(event.type, {{"peer", record.agency.text()}});
  return ports_.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(transaction.peers().PutContact(record));
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
        return ports_.notices.Post(transaction, recorder, NoticeOf(change, contact));
      });
}

identity::Notice PeerMonitor::NoticeOf(Change change, const PeerContact& contact) const {
  const store::PeerContactRecord& record = contact.record();
  const std::string& agency = record.agency.text();
  identity::Notice notice;
  notice.audience = kTold;
  notice.subject = agency;
  if (change == Change::kReturned) {
    notice.kind = identity::notice::kPeerReturned;
    notice.words = agency + " answers again, after " + Seconds(contact.away_for()) +
                   ". Searches of its lists work again.";
    return notice;
  }
  notice.kind = identity::notice::kPeerOutage;
  notice.words = record.planned
                     ? agency + " said at " + Second(*record.away_since) + " that it stops now."
                     : agency + " has not answered since " + Second(*record.away_since) + ".";
  notice.words +=
      " Until it answers again, searches of its lists find nothing and withdrawals do "
      "not reach it. Use the channel that was agreed for outages.";
  return notice;
}

void PeerMonitor::Poke() {
  wake_.With([](Wake& wake) { wake.poked = true; });
}

void PeerMonitor::Tell(const policy::AgencyId& agency) {
  wake_.With([&](Wake& wake) {
    wake.poked = true;
    wake.tell.insert(agency);
  });
}

void PeerMonitor::SayGoodbye() {
  thread_.request_stop();
  std::vector<std::future<void>> told;
  for (const auto& [agency, link] : ports_.links.all()) {
    told.push_back(std::async(std::launch::async, [this, id = agency] {
      const auto heard = ports_.links.Hello(id, true);
      if (heard) return;
      ports_.logger.Info("goodbye-unheard",
                         {{"peer", id.text()}, {"reason", heard.error().detail}});
    }));
  }
}

std::map<policy::AgencyId, PeerMonitor::Contact> PeerMonitor::Contacts() const {
  std::map<policy::AgencyId, Contact> all;
  contacts_.With([&](const ContactMap& contacts) {
    for (const auto& [agency, contact] : contacts) {
      all.emplace(agency, Contact{contact.presence(), contact.clock_skew(), contact.record()});
    }
  });
  return all;
}

}  // namespace comity::gateway
