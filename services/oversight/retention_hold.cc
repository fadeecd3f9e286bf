// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/retention_hold.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "crypto/base/canonical_json.h"
#include "services/audit/events.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"

namespace comity::oversight {
namespace {

using policy::RetentionClass;

constexpr std::size_t kMaxContent = 8 * 1024;
constexpr std::chrono::days kAnswerTime{14};
constexpr identity::RoleSet kKeepers{identity::Role::kDpo, identity::Role::kSupervisor,
                                     identity::Role::kReleaseOfficer};
constexpr identity::RoleSet kEscalation{identity::Role::kDpo, identity::Role::kSignatory,
                                        identity::Role::kAuditor};

constexpr std::array kHoldable{RetentionClass::kAlert,        RetentionClass::kEntry,
                               RetentionClass::kAuditPayload, RetentionClass::kJustification,
                               RetentionClass::kMessage,      RetentionClass::kReceipt,
                               RetentionClass::kDeployment,   RetentionClass::kNotice};

bool CanBeHeld(RetentionClass record_class) {
  return std::ranges::find(kHoldable, record_class) != kHoldable.end();
}

Status Check(const HoldOrder& order) {
  if (!CanBeHeld(order.record_class)) {
    return Fail(ErrorCode::kInvalidArgument,
                "records of the class " + std::string(policy::Name(order.record_class)) +
                    " cannot be held: alert, entry, audit-payload, justification, message, "
                    "receipt, deployment, notice can");
  }
  if (order.review_days == 0 || order.review_days > HoldOrder::kMaxReviewDays) {
    return Fail(ErrorCode::kInvalidArgument, "a hold is reviewed after 1 to 365 days");
  }
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("the reference", order.reference, HoldOrder::kMaxReference));
  return identity::CheckVisibleText("the reason", order.reason, HoldOrder::kMaxReason);
}

template <typename Number>
Result<Number> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return Fail(ErrorCode::kInvalidArgument, "a number is needed");
}

Result<HoldOrder> ParseHold(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(text, kMaxContent, "retention-hold"));
  HoldOrder order;
  COMITY_ASSIGN_OR_RETURN(order.record_class, fields.Parsed("class", policy::ParseRetentionClass));
  COMITY_ASSIGN_OR_RETURN(order.reference, fields.Text("reference"));
  COMITY_ASSIGN_OR_RETURN(order.reason, fields.Text("reason"));
  COMITY_ASSIGN_OR_RETURN(order.review_days,
                          fields.Parsed("review_days", ParseNumber<std::uint32_t>));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(Check(order));
  return order;
}

struct ReleaseOrder {
  std::uint64_t number = 0;
  std::string reason;
};

Result<ReleaseOrder> ParseRelease(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(text, kMaxContent, "retention-release"));
  ReleaseOrder order;
  COMITY_ASSIGN_OR_RETURN(order.number, fields.Parsed("hold", ParseNumber<std::uint64_t>));
  COMITY_ASSIGN_OR_RETURN(order.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("the reason", order.reason, HoldOrder::kMaxReason));
  return order;
}

Result<store::HoldRecord> FindHold(const store::RetentionStore& retention, std::uint64_t number) {
  COMITY_ASSIGN_OR_RETURN(const auto holds, retention.Holds());
  const auto found = std::ranges::find(holds, number, &store::HoldRecord::number);
  if (found != holds.end()) return *found;
  return Fail(ErrorCode::kNotFound,
              "there is no hold " + std::to_string(number) + ", or it was released");
}

std::string WhatOf(std::string_view record_class, std::string_view reference) {
  if (reference == "*") return "every record of the class " + std::string(record_class);
  return std::string(record_class) + " " + std::string(reference);
}

audit::Event HoldEvent(const HoldSetup& setup, std::string_view type,
                       const store::HoldRecord& hold) {
  audit::Event event;
  event.type = type;
  event.time = setup.clock.Now();
  event.parties = {setup.own};
  event.committed = {{"class", hold.record_class}, {"reference", hold.reference}};
  event.counts = {{"hold", static_cast<std::int64_t>(hold.number)}};
  return event;
}

}  // namespace

std::string_view Name(HoldState state) {
  switch (state) {
    case HoldState::kHeld:
      return "held";
    case HoldState::kReviewDue:
      return "review-due";
    case HoldState::kRestricted:
      return "restricted";
  }
  return "restricted";
}

HoldState StateOf(const store::HoldRecord& hold, policy::Instant now) {
  if (now < hold.review_by) return HoldState::kHeld;
  return now < hold.review_by + kAnswerTime ? HoldState::kReviewDue : HoldState::kRestricted;
}

Result<std::string> EncodeHold(const HoldOrder& order) {
  COMITY_RETURN_IF_ERROR(Check(order));
  return TryEncodeCanonicalJson({{"class", policy::Name(order.record_class)},
                                 {"reference", order.reference},
                                 {"reason", order.reason},
                                 {"review_days", std::to_string(order.review_days)}});
}

std::string EncodeRelease(std::uint64_t number, std::string_view reason) {
  return TryEncodeCanonicalJson({{"hold", std::to_string(number)}, {"reason", reason}})
      .value_or("{}");
}

Result<std::string> PlaceHold::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const HoldOrder order, ParseHold(content));
  const std::string name(policy::Name(order.record_class));
  const Status free = setup_.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto holds, tx.retention().Holds());
    for (const store::HoldRecord& hold : holds) {
      const bool same = hold.record_class == name && hold.reference == order.reference;
      if (same && StateOf(hold, setup_.clock.Now()) == HoldState::kHeld) {
        return Fail(ErrorCode::kConflict,
                    "it is held already, by hold " + std::to_string(hold.number));
      }
    }
    return {};
  });
  if (!free) return Fail(free.error());
  return "Keeps " + WhatOf(name, order.reference) +
         " beyond its period: it is not erased while the hold stands, and used for this reason "
         "only.\nThe hold is reviewed after " +
         std::to_string(order.review_days) + " days.\nReason: " + order.reason;
}

Result<identity::ActHandler::AfterCommit> PlaceHold::Carry(store::Transaction& transaction,
                                                           audit::Recorder& recorder,
                                                           const identity::PendingAct& act,
                                                           const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const HoldOrder order, ParseHold(act.content));
  const policy::Instant now = setup_.clock.Now();
  store::HoldRecord hold;
  hold.record_class = policy::Name(order.record_class);
  hold.reference = order.reference;
  hold.reason = order.reason;
  hold.held_by = act.proposed_by;
  hold.approved_by = by;
  hold.held_at = now;
  hold.review_by = now + std::chrono::days(order.review_days);
  // One whose review is due is held anew: the old hold ends with the new one.
  COMITY_ASSIGN_OR_RETURN(const auto holds, transaction.retention().Holds());
  for (store::HoldRecord old : holds) {
    if (old.record_class != hold.record_class || old.reference != hold.reference) continue;
    if (StateOf(old, now) == HoldState::kHeld) {
      return Fail(ErrorCode::kConflict, "it is held already");
    }
    old.released_at = now;
    COMITY_RETURN_IF_ERROR(transaction.retention().ChangeHold(old));
  }
  COMITY_ASSIGN_OR_RETURN(hold.number, transaction.retention().AddHold(hold));
  audit::Event event = HoldEvent(setup_, audit::kRetentionHeld, hold);
  event.committed["reason"] = hold.reason;
  event.committed["operator"] = by.text();
  event.committed["proposer"] = act.proposed_by.text();
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return AfterCommit();
}

Result<std::string> ReleaseHold::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const ReleaseOrder order, ParseRelease(content));
  std::string words;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto hold, FindHold(tx.retention(), order.number));
    words = "Releases hold " + std::to_string(hold.number) + " of " +
            WhatOf(hold.record_class, hold.reference) + ", held since " +
            policy::EncodeInstant(hold.held_at) + ": " + hold.reason +
            "\nWhat is past its period is erased within a minute.\nReason: " + order.reason;
    return {};
  }));
  return words;
}

Result<identity::ActHandler::AfterCommit> ReleaseHold::Carry(store::Transaction& transaction,
                                                             audit::Recorder& recorder,
                                                             const identity::PendingAct& act,
                                                             const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const ReleaseOrder order, ParseRelease(act.content));
  COMITY_ASSIGN_OR_RETURN(store::HoldRecord hold, FindHold(transaction.retention(), order.number));
  hold.released_at = setup_.clock.Now();
  COMITY_RETURN_IF_ERROR(transaction.retention().ChangeHold(hold));
  audit::Event event = HoldEvent(setup_, audit::kRetentionReleased, hold);
  event.committed["reason"] = order.reason;
  event.committed["operator"] = by.text();
  event.committed["proposer"] = act.proposed_by.text();
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return AfterCommit();
}

Result<std::uint64_t> TellOfHolds(const store::Store& store, audit::Journal& journal,
                                  identity::Notices& notices, policy::Instant now) {
  std::vector<store::HoldRecord> due;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(due, tx.retention().Holds());
    return {};
  }));
  std::erase_if(due, [&](const store::HoldRecord& hold) {
    return static_cast<int>(StateOf(hold, now)) <= hold.told;
  });
  if (due.empty()) return 0;
  COMITY_RETURN_IF_ERROR(
      journal.Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
        for (store::HoldRecord hold : due) {
          hold.told = static_cast<int>(StateOf(hold, now));
          COMITY_RETURN_IF_ERROR(tx.retention().ChangeHold(hold));
          const bool late = hold.told == static_cast<int>(HoldState::kRestricted);
          COMITY_RETURN_IF_ERROR(notices.Post(
              tx, recorder,
              {identity::notice::kHoldReview, late ? kEscalation : kKeepers,
               "hold " + std::to_string(hold.number),
               late ? "Nobody has reviewed this hold for two weeks: what it keeps is restricted, "
                      "and must not be used. Hold it anew or release it."
                    : "This hold is to be reviewed: hold it anew, or release it so that what it "
                      "keeps is erased."}));
        }
        return {};
      }));
  notices.Announce();
  return due.size();
}

}  // namespace comity::oversight
