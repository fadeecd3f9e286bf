// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

#include "policy/model/retention.h"
#include "services/audit/events.h"
#include "services/casework/alert_desk.h"
#include "services/store/holding_store.h"
#include "services/store/retention_store.h"

// What becomes of alerts after the hit: the holder changes the entry, or the agreement ends.
namespace comity::casework {
namespace {

using store::AlertRecord;

bool EndsAlerts(std::string_view change) {
  return change == "withdrawn" || change == "expired";
}
// Hits that were answered before it are not raised any more.
bool StopsHits(std::string_view change) {
  return EndsAlerts(change) || change == "restricted";
}

// What readers see of an alert whose content is gone.
Alert Shell(const AlertRecord& record) {
  Alert alert;
  alert.id = record.id;
  alert.state = record.state;
  alert.deployment = record.deployment;
  alert.holder = record.holder;
  alert.hit.reference = record.reference;
  alert.agreement.id = record.agreement;
  alert.agreement.version = record.version;
  alert.frame_count = record.frames;
  alert.first_seen = record.first_seen;
  alert.last_seen = record.last_seen;
  alert.expires_at = record.expires_at;
  alert.entry_note = EntryNote{record.change, record.changed_at};
  return alert;
}

void Correct(const HolderChange& change, Alert& alert) {
  alert.entry_note = EntryNote{change.change, change.at};
  if (change.category && alert.hit.category) alert.hit.category = change.category;
  if (!change.response_code.empty() && !alert.hit.response_code.empty()) {
    alert.hit.response_code = change.response_code;
  }
}

audit::Event ChangeEvent(const AlertDeskSetup& setup, const HolderChange& change,
                         const ChangedAlerts& changed, std::string alerts) {
  audit::Event event;
  event.type = audit::kAlertsChanged;
  event.parties = {setup.own, change.holder};
  event.decision_code = change.change;
  event.committed = {{"reference", change.reference},
                     {"change", change.change},
                     {"at", policy::EncodeInstant(change.at)},
                     {"alerts", std::move(alerts)}};
  event.counts = {{"alerts", static_cast<std::int64_t>(changed.alerts)},
                  {"acknowledged", static_cast<std::int64_t>(changed.acknowledged)}};
  return event;
}

// A partner's order needs no end of the agreement: what is its own is its own to take back.
std::string ReasonOf(const EndedAgreement& ended) {
  const std::string agreement = "agreement " + ended.agreement.text();
  return ended.holder ? agreement + ": ordered by " + ended.holder->text() : agreement + " ended";
}

// Hands `changes` to the readers when it is called, and gives the turn back if it never is.
std::function<void()> Publisher(std::shared_ptr<Turn> turn, std::vector<Alert> changes) {
  return [turn = std::move(turn), changes = std::move(changes)]() { turn->Finish(changes); };
}

}  // namespace

Result<AlertDesk::State::ReadAlerts> AlertDesk::State::ReadOldUnnamed(
    const store::AlertStore& alerts, std::span<const HolderChange> changes) const {
  ReadAlerts old;
  std::set<policy::AgencyId> holders;
  for (const HolderChange& change : changes) {
    if (change.reference.empty()) holders.insert(change.holder);
  }
  for (const policy::AgencyId& holder : holders) {
    COMITY_ASSIGN_OR_RETURN(auto records, alerts.OfAnswer(holder, {}));
    for (AlertRecord& record : records) {
      // One that nobody can read keeps no other from ending; it goes with its time.
      const auto alert = OpenAlert(record, setup.kek);
      if (!alert) continue;
      old[{holder.text(), "answer", alert->exchange_id}].push_back(std::move(record));
    }
  }
  return old;
}

Result<std::vector<const AlertRecord*>> AlertDesk::State::Concerned(const store::AlertStore& alerts,
                                                                    const HolderChange& change,
                                                                    ReadAlerts& old,
                                                                    ReadAlerts& read) {
  std::vector<const AlertRecord*> concerned;
  const auto add = [&](const std::vector<std::string>& key, const auto& look) -> Status {
    auto known = read.find(key);
    if (known == read.end()) {
      COMITY_ASSIGN_OR_RETURN(auto records, look());
      const auto unnamed = old.find(key);
      if (unnamed != old.end()) std::ranges::move(unnamed->second, std::back_inserter(records));
      known = read.emplace(key, std::move(records)).first;
    }
    for (const AlertRecord& record : known->second) concerned.push_back(&record);
    return {};
  };
  if (!change.reference.empty()) {
    COMITY_RETURN_IF_ERROR(add({change.holder.text(), "reference", change.reference}, [&] {
      return alerts.OfReference(change.holder, change.reference);
    }));
  }
  for (const std::string& answer : change.answers) {
    COMITY_RETURN_IF_ERROR(add({change.holder.text(), "answer", answer},
                               [&] { return alerts.OfAnswer(change.holder, answer); }));
  }
  return concerned;
}

Result<AlertRecord> AlertDesk::State::End(store::Transaction& transaction,
                                          const AlertRecord& record, const EntryNote& note) const {
  COMITY_ASSIGN_OR_RETURN(
      const bool held, transaction.retention().IsHeld(policy::RetentionClass::kAlert, record.id));
  AlertRecord ended = Erased(record, note);
  if (held) {
    COMITY_ASSIGN_OR_RETURN(Alert alert, OpenAlert(record, setup.kek));
    alert.state = store::AlertState::kWithdrawn;
    alert.entry_note = note;
    // Its own end has come: it goes as soon as nothing holds it.
    alert.expires_at = std::min(alert.expires_at, setup.clock.Now());
    ended = SealAlert(alert, setup.kek, setup.random);
  }
  COMITY_RETURN_IF_ERROR(transaction.alerts().Put(ended));
  return ended;
}

Result<bool> AlertDesk::State::ApplyTo(store::Transaction& transaction, const AlertRecord& record,
                                       const HolderChange& change, TouchedAlerts& touched) const {
  const auto known = touched.find(record.id);
  if (record.state == store::AlertState::kWithdrawn) return false;
  if (known != touched.end() && known->second.erased) return false;
  if (EndsAlerts(change.change)) {
    COMITY_ASSIGN_OR_RETURN(const AlertRecord ended,
                            End(transaction, record, {change.change, change.at}));
    touched.insert_or_assign(record.id, Touched{Shell(ended), true});
    return true;
  }
  if (known != touched.end()) {
    if (known->second.alert.entry_note->at >= change.at) return false;
    Correct(change, known->second.alert);
    return true;
  }
  if (record.changed_at >= change.at) return false;
  COMITY_ASSIGN_OR_RETURN(Alert alert, OpenAlert(record, setup.kek));
  Correct(change, alert);
  touched.emplace(record.id, Touched{std::move(alert), false});
  return true;
}

Result<ChangedAlerts> AlertDesk::Apply(store::Transaction& transaction, audit::Recorder& recorder,
                                       std::span<const HolderChange> changes) {
  const auto turn = std::make_shared<Turn>(state_->feed);
  turn->Take();
  ChangedAlerts total;
  State::TouchedAlerts touched;
  State::ReadAlerts read;
  COMITY_ASSIGN_OR_RETURN(auto old, state_->ReadOldUnnamed(transaction.alerts(), changes));
  for (const HolderChange& change : changes) {
    if (StopsHits(change.change)) {
      COMITY_RETURN_IF_ERROR(NoteStopped(transaction, change));
    }
    COMITY_ASSIGN_OR_RETURN(const auto records,
                            State::Concerned(transaction.alerts(), change, old, read));
    ChangedAlerts changed;
    std::string ids;
    for (const AlertRecord* const one : records) {
      const AlertRecord& record = *one;
      COMITY_ASSIGN_OR_RETURN(const bool applied,
                              state_->ApplyTo(transaction, record, change, touched));
      if (!applied) continue;
      ++changed.alerts;
      if (record.state == store::AlertState::kAcknowledged) ++changed.acknowledged;
      ids += (ids.empty() ? "" : " ") + record.id;
    }
    if (changed.alerts == 0) continue;
    COMITY_RETURN_IF_ERROR(
        recorder.Record(ChangeEvent(state_->setup, change, changed, std::move(ids))));
    total.alerts += changed.alerts;
    total.acknowledged += changed.acknowledged;
  }
  std::vector<Alert> seen;
  for (auto& [id, one] : touched) {
    if (!one.erased) COMITY_RETURN_IF_ERROR(state_->Save(transaction.alerts(), one.alert));
    seen.push_back(std::move(one.alert));
  }
  total.publish = Publisher(turn, std::move(seen));
  return total;
}

Status AlertDesk::NoteStopped(store::Transaction& transaction, const HolderChange& change) const {
  store::PartnerWithdrawal withdrawal{change.holder, change.reference, change.at,
                                      state_->setup.clock.Now()};
  if (!change.reference.empty()) return transaction.holdings().NoteWithdrawn(withdrawal);
  for (const std::string& answer : change.answers) {
    withdrawal.subject = answer;
    COMITY_RETURN_IF_ERROR(transaction.holdings().NoteWithdrawn(withdrawal));
  }
  return {};
}

Result<ChangedAlerts> AlertDesk::EraseUnder(store::Transaction& transaction,
                                            audit::Recorder& recorder,
                                            const EndedAgreement& ended) {
  const auto turn = std::make_shared<Turn>(state_->feed);
  turn->Take();
  const Instant now = state_->setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(const auto records, transaction.alerts().OfAgreement(ended.agreement));
  ChangedAlerts changed;
  std::vector<Alert> seen;
  for (AlertRecord record : records) {
    if (record.agreement.empty()) {
      const auto alert = OpenAlert(record, state_->setup.kek);
      if (!alert) continue;
      record.agreement = alert->agreement.id;
      record.version = alert->agreement.version;
    }
    const bool concerned = record.state != store::AlertState::kWithdrawn &&
                           record.agreement == ended.agreement && record.version <= ended.version &&
                           (!ended.holder || record.holder == *ended.holder);
    if (!concerned) continue;
    ++changed.alerts;
    if (record.state == store::AlertState::kAcknowledged) ++changed.acknowledged;
    COMITY_ASSIGN_OR_RETURN(const AlertRecord gone,
                            state_->End(transaction, record, {"agreement-ended", now}));
    if (!gone.sealed.empty()) ++changed.held;
    seen.push_back(Shell(gone));
  }
  if (changed.alerts > changed.held) {
    audit::Event event;
    event.type = audit::kAlertsErased;
    event.time = now;
    event.parties = {state_->setup.own};
    event.committed = {{"reason", ReasonOf(ended)}};
    event.counts = {{"alerts", static_cast<std::int64_t>(changed.alerts - changed.held)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
  }
  changed.publish = Publisher(turn, std::move(seen));
  return changed;
}

}  // namespace comity::casework
