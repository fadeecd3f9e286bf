// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alerts.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/base/quote.h"
#include "policy/model/retention.h"
#include "services/audit/events.h"
#include "services/casework/alert_desk.h"
#include "services/casework/alert_id.h"
#include "services/store/holding_store.h"

namespace comity::casework {
namespace {

constexpr std::size_t kMaxReports = 100;  // an agreement's largest hit cap
constexpr std::uint32_t kDefaultListed = 100;

Alert NewAlert(const HitReport& report, Instant now, RandomSource& random) {
  Alert alert;
  alert.id = MakeAlertId(random);
  alert.deployment = report.deployment;
  alert.holder = report.holder;
  alert.hit = report.hit;
  alert.releases = report.releases;
  alert.threshold = report.threshold;
  alert.engine = report.engine;
  alert.exchange_id = report.frame.exchange_id;
  alert.agreement = report.agreement;
  alert.frames = {report.frame};
  alert.frame_count = 1;
  alert.first_seen = now;
  alert.last_seen = now;
  alert.expires_at = policy::EffectiveEnd(policy::RetentionClass::kAlert, now, std::nullopt,
                                          report.alert_retention)
                         ->due;  // the law sets an end for this class
  return alert;
}

// Whether the hit is one more frame of what `alert` is about. Lists of one holder may use the same
// reference for different people; category, response and capture keep most of them apart.
bool IsSameAppearance(const Alert& alert, const HitReport& report) {
  return alert.hit.category == report.hit.category &&
         alert.hit.response_code == report.hit.response_code &&
         (alert.frames.empty() || alert.frames.back() != report.frame);
}

// A frame under a narrower version of the agreement narrows the whole alert.
void Narrow(const std::vector<policy::Release>& by, std::vector<policy::Release>& releases) {
  for (policy::Release& release : releases) {
    const auto same = std::ranges::find(by, release.item, &policy::Release::item);
    const auto allowed = same == by.end() ? policy::TermSet<policy::ReceiverRole>() : same->roles;
    for (const policy::ReceiverRole role : release.roles.Terms()) {
      if (!allowed.Has(role)) release.roles.Remove(role);
    }
  }
}

void Merge(const HitReport& report, Instant now, Alert& alert) {
  Narrow(report.releases, alert.releases);
  if (alert.frames.size() == Alert::kMaxFrames) alert.frames.erase(alert.frames.begin());
  alert.frames.push_back(report.frame);
  ++alert.frame_count;
  alert.last_seen = std::max(alert.last_seen, now);
  if (report.hit.similarity && alert.hit.similarity) {
    alert.hit.similarity = std::max(*alert.hit.similarity, *report.hit.similarity);
  }
}

// Keeps what opens the frame's probe for as long as the frame.
void KeepOpening(const HitReport& report, const SecretBytes& kek, RandomSource& random,
                 Alert& alert) {
  std::erase_if(alert.openings, [&](const SealedOpening& opening) {
    return std::ranges::count(alert.frames, opening.exchange_id, &Frame::exchange_id) == 0;
  });
  if (!report.opening) return;
  alert.openings.push_back(SealOpening(*report.opening, report.frame.exchange_id, kek, random));
}

audit::Event HitEvent(const AlertDeskSetup& setup, const HitReport& report, const Raised& raised) {
  audit::Event event;
  event.type = audit::kAlertRaised;
  event.time = raised.alert.last_seen;
  event.exchange = report.frame.exchange_id;
  event.parties = {setup.own, report.holder};
  event.agreement = report.agreement;
  event.decision_code = raised.merged ? "merged" : "raised";
  event.clauses = report.clauses;
  event.committed = {{"alert", raised.alert.id},
                     {"deployment", report.deployment.text()},
                     {"reference", report.hit.reference},
                     {"hit", EncodeHit(report.hit)},
                     {"camera", report.frame.camera},
                     {"capture_ref", report.frame.capture_ref},
                     {"captured_at", policy::EncodeInstant(report.frame.captured_at)}};
  event.messages = report.messages;
  event.counts = {{"frames", raised.alert.frame_count}};
  return event;
}

// The hit that becomes no alert.
audit::Event LateHitEvent(const AlertDeskSetup& setup, const HitReport& report, Instant now) {
  audit::Event event;
  event.type = audit::kAlertsChanged;
  event.time = now;
  event.exchange = report.frame.exchange_id;
  event.parties = {setup.own, report.holder};
  event.agreement = report.agreement;
  event.decision_code = "late-hit";
  event.committed = {{"reference", report.hit.reference}};
  event.counts = {{"alerts", 0}};
  return event;
}

audit::Event AcknowledgeEvent(const AlertDeskSetup& setup, const Alert& alert) {
  audit::Event event;
  event.type = audit::kAlertAcknowledged;
  event.time = alert.acknowledgement->at;
  event.exchange = alert.exchange_id;
  event.parties = {setup.own, alert.holder};
  event.agreement = alert.agreement;
  event.committed = {{"alert", alert.id},
                     {"outcome", std::string(Name(alert.acknowledgement->outcome))},
                     {"note", alert.acknowledgement->note},
                     {"operator", alert.acknowledgement->by},
                     {"deployment", alert.deployment.text()},
                     {"reference", alert.hit.reference}};
  event.counts = {{"frames", alert.frame_count}};
  return event;
}

tl::unexpected<Error> NoSuchAlert(std::string_view id) {
  return Fail(ErrorCode::kNotFound, "no open alert " + Quote(id, 28));
}

}  // namespace

Result<std::optional<Alert>> AlertDesk::State::FindOpen(const store::AlertStore& alerts,
                                                        const HitReport& report,
                                                        Instant now) const {
  std::optional<Alert> none;
  if (report.deployment.empty() || report.hit.reference.empty()) return none;
  COMITY_ASSIGN_OR_RETURN(
      const auto latest, alerts.FindLatest(report.deployment, report.holder, report.hit.reference));
  const bool open = latest && latest->state == store::AlertState::kNew &&
                    now < latest->expires_at && now - latest->last_seen <= setup.merge_window &&
                    !latest->wrapped_key.empty();
  if (!open) return none;
  COMITY_ASSIGN_OR_RETURN(Alert alert, OpenAlert(*latest, setup.kek));
  return IsSameAppearance(alert, report) ? std::optional(std::move(alert)) : none;
}

Result<bool> AlertDesk::State::IsWithdrawn(const store::Transaction& transaction,
                                           const HitReport& report) const {
  const std::string& subject =
      report.hit.reference.empty() ? report.frame.exchange_id : report.hit.reference;
  COMITY_ASSIGN_OR_RETURN(const auto at,
                          transaction.holdings().WithdrawnAt(report.holder, subject));
  return at && report.answered_at <= *at;
}

Result<Raised> AlertDesk::State::RaiseOne(store::AlertStore& alerts, const HitReport& report,
                                          Instant now) {
  COMITY_ASSIGN_OR_RETURN(std::optional<Alert> open, FindOpen(alerts, report, now));
  Raised raised{.alert = open ? std::move(*open) : NewAlert(report, now, setup.random),
                .merged = open.has_value(),
                .withdrawn = false};
  if (raised.merged) Merge(report, now, raised.alert);
  KeepOpening(report, setup.kek, setup.random, raised.alert);
  COMITY_RETURN_IF_ERROR(Save(alerts, raised.alert));
  return raised;
}

Result<Alert> AlertDesk::State::GetOpen(const store::AlertStore& alerts, const std::string& id,
                                        Instant now) const {
  COMITY_ASSIGN_OR_RETURN(const auto record, alerts.Get(id));
  const bool open = now < record.expires_at && !record.wrapped_key.empty() &&
                    record.state != store::AlertState::kWithdrawn;
  if (!open) return NoSuchAlert(id);
  return OpenAlert(record, setup.kek);
}

Result<bool> AlertDesk::State::Decide(const AcknowledgeOrder& order, Instant now,
                                      Alert& alert) const {
  if (!alert.acknowledgement) {
    alert.state = store::AlertState::kAcknowledged;
    alert.acknowledgement = Acknowledgement{order.outcome, order.note, order.by, now};
    return true;
  }
  if (alert.acknowledgement->outcome == order.outcome) return false;
  return Fail(ErrorCode::kConflict, "alert " + alert.id + " has the outcome " +
                                        std::string(Name(alert.acknowledgement->outcome)) +
                                        " already; the first outcome stands");
}

AlertDesk::AlertDesk(AlertDeskSetup setup) : state_(std::make_unique<State>(std::move(setup))) {}
AlertDesk::~AlertDesk() = default;

Result<std::vector<Raised>> AlertDesk::RaiseAll(std::span<const HitReport> reports,
                                                const audit::Journal::Work& also) {
  if (reports.size() > kMaxReports) {
    return Fail(ErrorCode::kInvalidArgument, "more than 100 hits of one probe");
  }
  for (const HitReport& report : reports) COMITY_RETURN_IF_ERROR(CheckHitReport(report));
  std::vector<Raised> raised;
  if (reports.empty()) return raised;
  Turn turn(state_->feed);
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    turn.Take();
    raised.clear();
    const Instant now = state_->setup.clock.Now();
    for (const HitReport& report : reports) {
      COMITY_ASSIGN_OR_RETURN(const bool withdrawn, state_->IsWithdrawn(transaction, report));
      if (withdrawn) {
        COMITY_RETURN_IF_ERROR(recorder.Record(LateHitEvent(state_->setup, report, now)));
        raised.push_back({.alert = {}, .merged = false, .withdrawn = true});
        continue;
      }
      COMITY_ASSIGN_OR_RETURN(Raised one, state_->RaiseOne(transaction.alerts(), report, now));
      COMITY_RETURN_IF_ERROR(recorder.Record(HitEvent(state_->setup, report, one)));
      raised.push_back(std::move(one));
    }
    return also ? also(transaction, recorder) : Status();
  };
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(work));
  std::vector<Alert> changes;
  for (const Raised& one : raised) {
    if (!one.withdrawn) changes.push_back(one.alert);
  }
  turn.Finish(std::move(changes));
  return raised;
}

Result<Raised> AlertDesk::Raise(const HitReport& report) {
  COMITY_ASSIGN_OR_RETURN(auto raised, RaiseAll(std::span(&report, 1)));
  return std::move(raised.front());
}

Result<std::vector<Alert>> AlertDesk::List(Instant now, std::uint32_t limit) const {
  const std::uint32_t wanted = limit == 0 ? kDefaultListed : std::min(limit, kMaxListed);
  std::vector<store::AlertRecord> records;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(records, transaction.alerts().Open(now, wanted));
        return {};
      }));
  std::vector<Alert> alerts;
  for (const store::AlertRecord& record : records) {
    COMITY_ASSIGN_OR_RETURN(Alert alert, OpenAlert(record, state_->setup.kek));
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Result<Alert> AlertDesk::Acknowledge(const AcknowledgeOrder& order) {
  COMITY_RETURN_IF_ERROR(CheckText("the note", order.note, kMaxNote));
  COMITY_RETURN_IF_ERROR(CheckText("who acknowledges", order.by, 256));
  Turn turn(state_->feed);
  OutcomeObserver* const outcomes = state_->setup.outcomes;
  std::optional<Alert> changed;
  Alert alert;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    turn.Take();
    changed.reset();
    const Instant now = state_->setup.clock.Now();
    COMITY_ASSIGN_OR_RETURN(alert, state_->GetOpen(transaction.alerts(), order.id, now));
    COMITY_ASSIGN_OR_RETURN(const bool is_first, state_->Decide(order, now, alert));
    if (!is_first) return {};
    COMITY_RETURN_IF_ERROR(state_->Save(transaction.alerts(), alert));
    COMITY_RETURN_IF_ERROR(recorder.Record(AcknowledgeEvent(state_->setup, alert)));
    if (outcomes != nullptr) {
      COMITY_RETURN_IF_ERROR(outcomes->OnOutcome(transaction, recorder, alert));
    }
    changed = alert;
    return {};
  };
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(work));
  if (changed && outcomes != nullptr) outcomes->AfterOutcome(alert);
  if (changed) turn.Finish({*changed});
  return alert;
}

std::unique_ptr<Subscription> AlertDesk::Subscribe() {
  return state_->feed.Subscribe();
}

Result<std::uint64_t> AlertDesk::EraseExpired(Instant now) {
  std::uint64_t all = 0;
  std::uint64_t erased = 0;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(erased, transaction.alerts().EraseExpired(now));
    if (erased == 0) return {};
    audit::Event event;
    event.type = audit::kAlertsErased;
    event.time = now;
    event.parties = {state_->setup.own};
    event.committed = {{"reason", "expired"}};
    event.counts = {{"alerts", static_cast<std::int64_t>(erased)}};
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  };
  // Few at a time: other commits go in between.
  do {
    COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(work));
    all += erased;
  } while (erased == store::AlertStore::kMostErased);
  return all;
}

}  // namespace comity::casework
