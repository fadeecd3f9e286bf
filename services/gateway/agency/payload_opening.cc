// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/payload_opening.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/quote.h"
#include "crypto/tlog/entry.h"
#include "services/audit/events.h"
#include "services/gateway/wire/convert_time.h"
#include "services/identity/approval_content.h"
#include "services/identity/approval_decision.h"
#include "services/identity/approval_vouch.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"

namespace comity::gateway {
namespace {

using identity::Act;

constexpr std::size_t kMaxContent = 16 * 1024;
constexpr std::size_t kMaxOrder = 120;  // with "order " before it, the subject of an act
constexpr std::size_t kMaxReason = 1000;

Result<std::uint64_t> ParseIndex(std::string_view text) {
  std::uint64_t index = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (fault == std::errc() && end == text.data() + text.size() && std::to_string(index) == text) {
    return index;
  }
  return Fail(ErrorCode::kInvalidArgument, "entries: " + Quote(text) + " is no index of an entry");
}

Result<policy::Instant> BeginOfDay(const std::string& day) {
  const auto begin = policy::ParseInstant(day + "T00:00:00Z");
  if (begin && policy::UtcDay(*begin) == day) return *begin;
  return Fail(ErrorCode::kInvalidArgument, "days: " + Quote(day) + " is no day like 2026-11-25");
}

Status CheckOrder(const OpeningOrder& order) {
  const auto rises = [](const auto& values) {
    return std::ranges::adjacent_find(values, std::greater_equal()) == values.end();
  };
  if (order.entries.empty() || order.entries.size() > PayloadOpening::kMaxEntries ||
      !rises(order.entries)) {
    return Fail(ErrorCode::kInvalidArgument, "entries: 1 to 64 different ones, in rising order");
  }
  if (order.days.size() > PayloadOpening::kMaxDays || !rises(order.days)) {
    return Fail(ErrorCode::kInvalidArgument, "days: at most 31 different ones, in rising order");
  }
  for (const std::string& day : order.days) COMITY_RETURN_IF_ERROR(BeginOfDay(day));
  COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("order", order.order, kMaxOrder));
  return identity::CheckVisibleText("reason", order.reason, kMaxReason);
}

std::string Encode(const OpeningOrder& order) {
  auto entries = nlohmann::json::array();
  for (const std::uint64_t index : order.entries) entries.push_back(std::to_string(index));
  return TryEncodeCanonicalJson({{"entries", std::move(entries)},
                                 {"days", order.days},
                                 {"order", order.order},
                                 {"reason", order.reason}})
      .value_or("{}");
}

Result<OpeningOrder> Parse(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(content, kMaxContent, "audit-open"));
  OpeningOrder order;
  COMITY_ASSIGN_OR_RETURN(const auto entries, fields.Texts("entries"));
  for (const std::string& text : entries) {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t index, ParseIndex(text));
    order.entries.push_back(index);
  }
  COMITY_ASSIGN_OR_RETURN(order.days, fields.Texts("days"));
  COMITY_ASSIGN_OR_RETURN(order.order, fields.Text("order"));
  COMITY_ASSIGN_OR_RETURN(order.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(CheckOrder(order));
  return order;
}

// "2026-11-24 2026-11-25": at most kMaxDays of 11 octets.
std::string Join(const std::vector<std::string>& days) {
  std::string joined;
  for (const std::string& day : days) joined += (joined.empty() ? "" : " ") + day;
  return joined;
}

std::string OctetsOf(const Digest& digest) {
  return std::string(AsText(digest.view()));
}

void Fill(const char* kind, const std::string& day, const matching::Commitment& commitment,
          v1::OpenedCommitment& proto) {
  proto.set_kind(kind);
  proto.set_day(day);
  proto.set_key(OctetsOf(commitment.key));
  proto.set_value(OctetsOf(commitment.value));
}

audit::Event OpenedEvent(const OpeningOrder& order, std::uint64_t index,
                         const std::string& approval, const identity::Caller& caller) {
  audit::Event event;
  event.type = audit::kPayloadOpened;
  event.committed = {{"operator", caller.person.text()},
                     {"reason", order.reason},
                     {"order", order.order},
                     {"approval", approval}};
  // Of any entry: whose it is, and whether commitments were made of it, is not looked at before.
  if (!order.days.empty()) event.committed["days"] = Join(order.days);
  event.counts = {{"index", static_cast<std::int64_t>(index)}};
  return event;
}

tl::unexpected<Error> NotAgreed(const std::string& why) {
  return Fail(ErrorCode::kConflict, why + "; propose it again: comity audit request-opening");
}

}  // namespace

PayloadOpening::PayloadOpening(Ports ports) : ports_(std::move(ports)), committer_(ports_.kek) {
  ports_.approvals.Handle(Act::kAuditOpen, *this);
}

Result<identity::PendingAct> PayloadOpening::Propose(const OpeningOrder& order,
                                                     const identity::Caller& caller) {
  COMITY_RETURN_IF_ERROR(CheckOrder(order));
  return ports_.approvals.Propose(Act::kAuditOpen, Encode(order), "order " + order.order, caller);
}

// Who asks sees this too: it says no more than the log itself.
Result<std::string> PayloadOpening::WordsOf(std::uint64_t index) const {
  std::string words = "\n  entry " + std::to_string(index) + ": ";
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(index, 1));
    if (entries.size() != 1) {
      return Fail(ErrorCode::kNotFound, "the log has no entry " + std::to_string(index));
    }
    COMITY_ASSIGN_OR_RETURN(const auto entry, tlog::ParseEntry(AsText(entries.front().entry)));
    words += entry.type + " of " + tlog::EncodeEntryTime(entry.time);
    COMITY_ASSIGN_OR_RETURN(const auto payload, transaction.audit().Payload(index));
    if (payload.wrapped_key.empty()) words += ", erased";
    return {};
  }));
  return words;
}

Result<std::string> PayloadOpening::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const OpeningOrder order, Parse(content));
  std::string words = "Opens what the log only commits to, with every field of these entries:";
  for (const std::uint64_t index : order.entries) {
    COMITY_ASSIGN_OR_RETURN(const std::string line, WordsOf(index));
    words += line;
  }
  for (const std::string& day : order.days) {
    words += "\n  and what opens the commitments to its officer and case of " + day;
  }
  return words + "\nOn the lawful request " + order.order + ".\nReason: " + order.reason +
         "\nWho asked for it can fetch it for 24 hours after your approval; each time is logged.";
}

Result<identity::ActHandler::AfterCommit> PayloadOpening::Carry(store::Transaction& /*transaction*/,
                                                                audit::Recorder& /*recorder*/,
                                                                const identity::PendingAct& act,
                                                                const policy::PersonId& /*by*/) {
  COMITY_RETURN_IF_ERROR(Parse(act.content));
  return AfterCommit();  // what is opened is opened when it is fetched
}

// The stored state says nothing by itself: whoever can write into the database can write it. What
// counts is that the gateway vouches for what was proposed and that the approver signed just that.
Status PayloadOpening::CheckAgreed(const identity::PendingAct& act,
                                   const identity::Caller& caller) const {
  if (act.act != Name(Act::kAuditOpen)) {
    return Fail(ErrorCode::kNotFound, "there is no such request to open entries of the log");
  }
  if (act.proposed_by != caller.person) {
    return Fail(ErrorCode::kPermissionDenied, "who asked for it fetches it");
  }
  if (act.state != store::ApprovalState::kApproved || !act.decided_by || act.content.empty()) {
    return Fail(ErrorCode::kConflict, "it is not approved: comity approvals show " + act.id);
  }
  const policy::Instant now = ports_.clock.Now();
  if (now < act.decided_at || now - act.decided_at > kFetchTime) {
    return NotAgreed("it could be fetched for 24 hours after its approval");
  }
  const auto approver = ports_.people.Find(*act.decided_by);
  if (!approver || !approver->active || approver->id == act.proposed_by ||
      !approver->roles.Meets(RuleOf(Act::kAuditOpen).approvers)) {
    return NotAgreed("who approved it could not do so any more");
  }
  if (!ConstantTimeEqual(identity::VouchForAct(ports_.kek, act), act.vouched)) {
    return Fail(ErrorCode::kCorrupt, act.id + ": the stored act is not as it was proposed");
  }
  COMITY_ASSIGN_OR_RETURN(const identity::Decision decision,
                          identity::VerifyDecision(act.decision, approver->signing_key));
  if (decision.approval != act.id || decision.sha256 != act.sha256 ||
      decision.kind != identity::DecisionKind::kApprove || decision.person != approver->id) {
    return Fail(ErrorCode::kCorrupt, act.id + ": the stored decision is about something else");
  }
  if (now - decision.at > kFetchTime) {
    return NotAgreed("it could be fetched for 24 hours after its approver signed");
  }
  return {};
}

Result<OpeningOrder> PayloadOpening::Begin(const std::string& approval,
                                           const identity::Caller& caller) {
  COMITY_ASSIGN_OR_RETURN(const identity::PendingAct act, ports_.approvals.Get(approval));
  COMITY_RETURN_IF_ERROR(CheckAgreed(act, caller));
  COMITY_ASSIGN_OR_RETURN(const std::string content, identity::WithoutSalt(act.content));
  COMITY_ASSIGN_OR_RETURN(OpeningOrder order, Parse(content));
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(
      [&](store::Transaction& /*transaction*/, audit::Recorder& recorder) -> Status {
        for (const std::uint64_t index : order.entries) {
          audit::Event event = OpenedEvent(order, index, act.id, caller);
          event.time = ports_.clock.Now();
          event.parties = {ports_.own};
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
        }
        return {};
      }));
  return order;
}

Status PayloadOpening::AddDays(const audit::OpenedPayload& opened,
                               const std::vector<std::string>& days, v1::OpenedEntry& entry) const {
  COMITY_ASSIGN_OR_RETURN(const auto logged, tlog::ParseEntry(AsText(opened.entry)));
  const auto officer = opened.fields.find("operator");
  const auto case_ref = opened.fields.find("case_ref");
  // Only of a search of this agency were commitments made.
  if (!logged.agreement || !opened.fields.contains("operator_key")) return {};
  COMITY_ASSIGN_OR_RETURN(const auto agreement, policy::AgreementId::Parse(logged.agreement->id));
  for (const std::string& day : days) {
    COMITY_ASSIGN_OR_RETURN(const policy::Instant at, BeginOfDay(day));
    if (officer != opened.fields.end()) {
      Fill("officer", day, committer_.Officer(agreement, at, officer->second),
           *entry.add_commitments());
    }
    if (case_ref != opened.fields.end()) {
      Fill("case", day, committer_.Case(agreement, at, case_ref->second), *entry.add_commitments());
    }
  }
  return {};
}

Result<v1::OpenedEntry> PayloadOpening::Open(std::uint64_t index,
                                             const std::vector<std::string>& days) const {
  COMITY_ASSIGN_OR_RETURN(const audit::OpenedPayload opened,
                          audit::OpenPayload(ports_.store, ports_.kek, index));
  v1::OpenedEntry entry;
  entry.set_index(index);
  entry.set_entry(std::string(AsText(opened.entry)));
  entry.set_erased(opened.erased);
  if (opened.erased) {
    if (opened.erase_at) *entry.mutable_period_ended() = ToProto(*opened.erase_at);
    return entry;
  }
  entry.set_record_key(std::string(AsText(opened.record_key.Expose())));
  for (const auto& [name, octets] : opened.fields) {
    v1::OpenedField& field = *entry.add_fields();
    field.set_name(name);
    field.set_octets(octets);
  }
  COMITY_RETURN_IF_ERROR(AddDays(opened, days, entry));
  return entry;
}

}  // namespace comity::gateway
