// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approvals.h"

#include <map>
#include <utility>

#include "crypto/base/random_id.h"
#include "services/audit/events.h"
#include "services/identity/approval_content.h"
#include "services/identity/approval_decision.h"
#include "services/identity/approval_events.h"
#include "services/identity/approval_rejection.h"
#include "services/identity/approval_vouch.h"
#include "services/identity/visible_text.h"

namespace comity::identity {
namespace {

using store::ApprovalState;

constexpr std::size_t kMaxSubject = 128;
constexpr std::uint32_t kDueAtOnce = 100;
// A decision is signed shortly before it is sent; the clocks of people's machines differ a little.
constexpr std::chrono::minutes kDecisionSkew{5};

tl::unexpected<Error> Denied(std::string why) {
  return Fail(ErrorCode::kPermissionDenied, std::move(why));
}

Result<const ActRule*> RuleOf(const PendingAct& act) {
  const auto parsed = ParseAct(act.act);
  if (!parsed) return Fail(ErrorCode::kCorrupt, "a stored act is unknown: " + act.act);
  return &identity::RuleOf(*parsed);
}

std::string Join(RoleSet roles) {
  std::string joined;
  for (const std::string& name : roles.Names()) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

Status CheckPending(const PendingAct& act, policy::Instant now) {
  if (act.state != ApprovalState::kPending) {
    return Fail(ErrorCode::kConflict,
                act.id + " is not pending but " + std::string(Name(act.state)));
  }
  if (now < act.expires_at) return {};
  return Fail(ErrorCode::kConflict, act.id + " expired at " +
                                        policy::EncodeInstant(act.expires_at) +
                                        "; it must be proposed again");
}

Status CheckApprover(const PendingAct& act, const ActRule& rule, const Caller& caller) {
  if (caller.roles.Meets(rule.approvers)) return {};
  return Denied(act.act + " is approved by " + Join(rule.approvers) + "; " + caller.person.text() +
                " is " + Join(caller.roles));
}

// What a decision changes, and whom to tell.
struct Change {
  std::string_view event;
  ApprovalState from{};
  bool carries_out = false;
  Notice (*notice)(const store::ApprovalRecord&, const ActRule&) = nullptr;
};

}  // namespace

struct Approvals::State {
  explicit State(Setup given) : setup(std::move(given)) {}

  struct Case {  // what is judged, within the unit of work: everybody as they stand in it
    const store::Transaction& transaction;
    const ActRule& rule;
    const Decision& decision;
    const Caller& caller;
  };
  using Judge = std::function<Result<Change>(PendingAct&, const Case&)>;
  // The caller as the unit of work sees it, and the decision by that person's key.
  Result<Caller> FindCaller(const store::Transaction& transaction, const policy::PersonId& id,
                            std::string_view envelope, Decision& decision) const;
  Result<PendingAct> Decide(std::string_view envelope, const policy::PersonId& person,
                            const Judge& judge);
  Status CheckProposer(const PendingAct& act, const Case& judged) const;
  Status CheckRoom(const store::Transaction& transaction, const policy::PersonId& proposer) const;
  Status CheckKey(const store::Transaction& transaction, const policy::PersonId& id) const;
  Result<ActHandler::AfterCommit> CarryOut(store::Transaction& transaction,
                                           audit::Recorder& recorder, const PendingAct& act,
                                           const policy::PersonId& by) const;
  Status Record(audit::Recorder& recorder, std::string_view type, const PendingAct& act,
                const Decision& decision) const;
  Status HandleDue(store::Transaction& transaction, audit::Recorder& recorder,
                   PendingAct act) const;

  Setup setup;
  std::map<Act, ActHandler*> handlers;
  KeyCheck check_key;
};

Approvals::Approvals(Setup setup) : state_(std::make_unique<State>(std::move(setup))) {}
Approvals::~Approvals() = default;

void Approvals::Handle(Act act, ActHandler& handler) {
  state_->handlers[act] = &handler;
}

void Approvals::CheckKeysBy(KeyCheck check) {
  state_->check_key = std::move(check);
}

Result<PendingAct> Approvals::Propose(Act act, std::string_view content, std::string_view subject,
                                      const Caller& caller) {
  const ActRule& rule = RuleOf(act);
  const auto handler = state_->handlers.find(act);
  if (!rule.needs_two() || handler == state_->handlers.end()) {
    return Fail(ErrorCode::kInternal, std::string(rule.name) + " has no handler for two people");
  }
  if (!caller.roles.Meets(rule.roles)) {
    return Denied(std::string(rule.name) + " is proposed by " + Join(rule.roles));
  }
  COMITY_RETURN_IF_ERROR(CheckVisibleText("the subject of an act", subject, kMaxSubject));
  PendingAct pending;
  COMITY_ASSIGN_OR_RETURN(pending.words, handler->second->Describe(content));
  if (pending.words.empty() || pending.words.size() > kMaxWords) {
    return Fail(ErrorCode::kInvalidArgument, "the act is too large to be shown to an approver");
  }
  COMITY_ASSIGN_OR_RETURN(SaltedContent salted,
                          AddSalt(content, kMaxContent, state_->setup.random));
  pending.id = "p-" + RandomId(state_->setup.random);
  pending.act = rule.name;
  pending.subject = subject;
  pending.content = std::move(salted.content);
  pending.sha256 = salted.sha256;
  pending.unsalted = salted.unsalted;
  pending.proposed_by = caller.person;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    pending.proposed_at = state_->setup.clock.Now();
    pending.expires_at = pending.proposed_at + kDefaultLife;
    pending.vouched = VouchForAct(state_->setup.kek, pending);
    COMITY_RETURN_IF_ERROR(state_->CheckKey(transaction, caller.person));
    COMITY_RETURN_IF_ERROR(state_->CheckRoom(transaction, caller.person));
    const Status added = transaction.approvals().Add(pending);
    if (!added && added.error().code == ErrorCode::kConflict) {
      return Fail(ErrorCode::kConflict, "the same act waits already; see: comity approvals list");
    }
    COMITY_RETURN_IF_ERROR(added);
    audit::Event event = ApprovalEvent(audit::kApprovalProposed, pending, state_->setup.own);
    event.committed["words"] = pending.words;
    event.committed["operator"] = caller.person.text();
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return state_->setup.notices.Post(transaction, recorder, AskedNotice(pending, rule));
  };
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(work));
  state_->setup.notices.Announce();
  return pending;
}

Status Approvals::State::CheckRoom(const store::Transaction& transaction,
                                   const policy::PersonId& proposer) const {
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t waiting, transaction.approvals().CountPending());
  if (waiting >= kMaxPending) {
    return Fail(ErrorCode::kExhausted, "1,000 acts wait for a second person; decide some first");
  }
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t own,
                          transaction.approvals().CountPendingOf(proposer));
  if (own < kMaxPendingOfOne) return {};
  return Fail(ErrorCode::kExhausted,
              proposer.text() + " has 50 acts waiting; have some decided, or reject them, first");
}

// In the unit of work: a call that was let in before the revocation may come after it.
Status Approvals::State::CheckKey(const store::Transaction& transaction,
                                  const policy::PersonId& id) const {
  if (!check_key) return {};
  COMITY_ASSIGN_OR_RETURN(const Person person, setup.people.FindIn(transaction, id));
  return check_key(transaction, person);
}

Result<Caller> Approvals::State::FindCaller(const store::Transaction& transaction,
                                            const policy::PersonId& id, std::string_view envelope,
                                            Decision& decision) const {
  COMITY_ASSIGN_OR_RETURN(const Person person, setup.people.FindIn(transaction, id));
  if (!person.active) return Denied("the access of " + id.text() + " has ended");
  if (check_key) COMITY_RETURN_IF_ERROR(check_key(transaction, person));
  COMITY_ASSIGN_OR_RETURN(decision, VerifyDecision(envelope, person.signing_key));
  if (decision.person != id) {
    return Denied("the decision names another person than the one who sends it");
  }
  if (decision.at > setup.clock.Now() + kDecisionSkew) {
    return Fail(ErrorCode::kInvalidArgument, "the decision is dated in the future");
  }
  return Caller{person.id, person.roles};
}

Status Approvals::State::CheckProposer(const PendingAct& act, const Case& judged) const {
  const auto proposer = setup.people.FindIn(judged.transaction, act.proposed_by);
  if (!proposer && proposer.error().code != ErrorCode::kNotFound) return Fail(proposer.error());
  if (!proposer || !proposer->active || !proposer->roles.Meets(judged.rule.roles)) {
    return Denied("who proposed " + act.id + " may not do so any more; reject it");
  }
  // What somebody proposed with a former key may be of whoever stole it.
  if (proposer->changed_at > act.proposed_at) {
    return Denied("who proposed " + act.id + " was changed since; have it proposed again");
  }
  return check_key ? check_key(judged.transaction, *proposer) : Status();
}

Result<ActHandler::AfterCommit> Approvals::State::CarryOut(store::Transaction& transaction,
                                                           audit::Recorder& recorder,
                                                           const PendingAct& act,
                                                           const policy::PersonId& by) const {
  COMITY_ASSIGN_OR_RETURN(const Act parsed, ParseAct(act.act));
  const auto handler = handlers.find(parsed);
  if (handler == handlers.end()) {
    return Fail(ErrorCode::kInternal, act.act + " has no handler for two people");
  }
  PendingAct plain = act;
  COMITY_ASSIGN_OR_RETURN(plain.content, WithoutSalt(act.content));
  return handler->second->Carry(transaction, recorder, plain, by);
}

Status Approvals::State::Record(audit::Recorder& recorder, std::string_view type,
                                const PendingAct& act, const Decision& decision) const {
  audit::Event event = ApprovalEvent(type, act, setup.own);
  event.committed["operator"] = decision.person.text();
  event.committed["reason"] = decision.reason;
  event.committed["decision"] = type == audit::kApprovalReviewed ? act.verdict : act.decision;
  if (type == audit::kApprovalReviewed) {
    event.decision_code = decision.kind == DecisionKind::kUphold ? "upheld" : "overturned";
  }
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

Result<PendingAct> Approvals::State::Decide(std::string_view envelope,
                                            const policy::PersonId& person, const Judge& judge) {
  PendingAct act;
  ActHandler::AfterCommit after;
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    after = nullptr;
    Decision decision;
    COMITY_ASSIGN_OR_RETURN(const Caller caller,
                            FindCaller(transaction, person, envelope, decision));
    COMITY_ASSIGN_OR_RETURN(act, transaction.approvals().Get(decision.approval));
    COMITY_RETURN_IF_ERROR(CheckVouched(setup.kek, act));
    if (act.sha256 != decision.sha256 || act.act != decision.act) {
      return Fail(ErrorCode::kConflict, "the decision is about another content than " + act.id);
    }
    if (decision.at < act.proposed_at - kDecisionSkew) {
      return Fail(ErrorCode::kConflict, "the decision is older than what it decides");
    }
    COMITY_ASSIGN_OR_RETURN(const ActRule* rule, RuleOf(act));
    COMITY_ASSIGN_OR_RETURN(const Change change,
                            judge(act, Case{transaction, *rule, decision, caller}));
    COMITY_RETURN_IF_ERROR(transaction.approvals().Change(act, change.from));
    COMITY_RETURN_IF_ERROR(Record(recorder, change.event, act, decision));
    if (change.carries_out) {
      COMITY_ASSIGN_OR_RETURN(after, CarryOut(transaction, recorder, act, caller.person));
    }
    return setup.notices.Post(transaction, recorder, change.notice(act, *rule));
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  if (after) after();
  setup.notices.Announce();
  return act;
}

namespace {

void Decided(PendingAct& act, ApprovalState state, const Decision& decision,
             std::string_view envelope, policy::Instant now) {
  act.state = state;
  act.decided_by = decision.person;
  act.decided_at = now;
  act.reason = decision.reason;
  act.decision = envelope;
}

}  // namespace

Result<PendingAct> Approvals::Approve(std::string_view envelope, const Caller& caller) {
  return state_->Decide(
      envelope, caller.person, [&](PendingAct& act, const State::Case& judged) -> Result<Change> {
        const Decision& decision = judged.decision;
        const Caller& by = judged.caller;
        const policy::Instant now = state_->setup.clock.Now();
        COMITY_RETURN_IF_ERROR(CheckKind(decision, DecisionKind::kApprove));
        COMITY_RETURN_IF_ERROR(CheckPending(act, now));
        if (act.proposed_by == by.person) {
          return Denied("who proposed an act does not approve it");
        }
        COMITY_RETURN_IF_ERROR(CheckApprover(act, judged.rule, judged.caller));
        COMITY_RETURN_IF_ERROR(state_->CheckProposer(act, judged));
        Decided(act, ApprovalState::kApproved, decision, envelope, now);
        return Change{audit::kApprovalDecided, ApprovalState::kPending, true, DecidedNotice};
      });
}

Result<PendingAct> Approvals::Reject(std::string_view envelope, const Caller& caller) {
  return state_->Decide(
      envelope, caller.person, [&](PendingAct& act, const State::Case& judged) -> Result<Change> {
        const Decision& decision = judged.decision;
        const Caller& by = judged.caller;
        const policy::Instant now = state_->setup.clock.Now();
        COMITY_RETURN_IF_ERROR(CheckKind(decision, DecisionKind::kReject));
        COMITY_RETURN_IF_ERROR(CheckPending(act, now));
        if (act.proposed_by != by.person) {
          COMITY_RETURN_IF_ERROR(CheckApprover(act, judged.rule, judged.caller));
        }
        Decided(act, ApprovalState::kRejected, decision, envelope, now);
        return Change{audit::kApprovalDecided, ApprovalState::kPending, false, DecidedNotice};
      });
}

Result<PendingAct> Approvals::CarryUrgently(std::string_view envelope, const Caller& caller) {
  return state_->Decide(
      envelope, caller.person, [&](PendingAct& act, const State::Case& judged) -> Result<Change> {
        const Decision& decision = judged.decision;
        const Caller& by = judged.caller;
        const policy::Instant now = state_->setup.clock.Now();
        COMITY_RETURN_IF_ERROR(CheckKind(decision, DecisionKind::kUrgent));
        COMITY_RETURN_IF_ERROR(CheckPending(act, now));
        if (!judged.rule.urgent) {
          return Denied(act.act + " always needs two people, also in an emergency");
        }
        if (act.proposed_by != by.person) {
          return Denied("only who proposed an act carries it out alone; approve it instead");
        }
        COMITY_RETURN_IF_ERROR(CheckApprover(act, judged.rule, judged.caller));
        COMITY_RETURN_IF_ERROR(state_->CheckProposer(act, judged));
        Decided(act, ApprovalState::kUrgent, decision, envelope, now);
        act.review_by = now + kReviewTime;
        return Change{audit::kApprovalDecided, ApprovalState::kPending, true, UrgentNotice};
      });
}

Result<PendingAct> Approvals::Review(std::string_view envelope, const Caller& caller) {
  return state_->Decide(
      envelope, caller.person, [&](PendingAct& act, const State::Case& judged) -> Result<Change> {
        const Decision& decision = judged.decision;
        const Caller& by = judged.caller;
        if (decision.kind != DecisionKind::kUphold) {
          COMITY_RETURN_IF_ERROR(CheckKind(decision, DecisionKind::kOverturn));
        }
        if (act.state != ApprovalState::kUrgent) {
          return Fail(ErrorCode::kConflict,
                      act.id + " waits for no review; it is " + std::string(Name(act.state)));
        }
        // Who carried it out alone is who proposed it, which is vouched for.
        if (act.proposed_by == by.person) return Denied("nobody reviews their own act");
        if (!by.roles.Meets(identity::RuleOf(Act::kUrgentReview).roles)) {
          return Denied("an act of one person is reviewed by " +
                        Join(identity::RuleOf(Act::kUrgentReview).roles));
        }
        act.state = ApprovalState::kReviewed;
        act.reviewed_by = by.person;
        act.reviewed_at = state_->setup.clock.Now();
        act.review = std::string(decision.kind == DecisionKind::kUphold ? "upheld" : "overturned") +
                     ": " + decision.reason;
        act.verdict = envelope;
        return Change{audit::kApprovalReviewed, ApprovalState::kUrgent, false, ReviewedNotice};
      });
}

Result<PendingAct> Approvals::Get(std::string_view id) const {
  Result<PendingAct> act = Fail(ErrorCode::kInternal, "not read");
  COMITY_RETURN_IF_ERROR(state_->setup.store.Read([&](const store::Transaction& t) -> Status {
    act = t.approvals().Get(id);
    return {};
  }));
  if (act) COMITY_RETURN_IF_ERROR(CheckVouched(state_->setup.kek, *act));
  return act;
}

Result<std::string> Approvals::Details(const PendingAct& act, const Caller& reader) const {
  const bool open = act.state == ApprovalState::kPending || act.state == ApprovalState::kUrgent;
  if (!open || !reader.roles.Meets(identity::RuleOf(Act::kEntryRead).roles)) return std::string();
  COMITY_ASSIGN_OR_RETURN(const Act parsed, ParseAct(act.act));
  const auto handler = state_->handlers.find(parsed);
  if (handler == state_->handlers.end()) return std::string();
  COMITY_ASSIGN_OR_RETURN(const std::string content, WithoutSalt(act.content));
  return handler->second->Details(content, {act.id, reader.person});
}

Result<std::vector<PendingAct>> Approvals::List(bool open, std::uint32_t limit) const {
  std::vector<PendingAct> acts;
  COMITY_RETURN_IF_ERROR(state_->setup.store.Read([&](const store::Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(acts, t.approvals().List(open, std::min(limit, kMaxListed)));
    return {};
  }));
  for (PendingAct& act : acts) {
    const Status vouched = CheckVouched(state_->setup.kek, act);
    if (!vouched) act.words = vouched.error().detail + "\n";
  }
  return acts;
}

Status Approvals::State::HandleDue(store::Transaction& transaction, audit::Recorder& recorder,
                                   PendingAct act) const {
  COMITY_ASSIGN_OR_RETURN(const ActRule* rule, RuleOf(act));
  if (act.state == ApprovalState::kUrgent) {
    act.overdue_told = true;
    COMITY_RETURN_IF_ERROR(transaction.approvals().Change(act, ApprovalState::kUrgent));
    return setup.notices.Post(transaction, recorder, OverdueNotice(act, *rule));
  }
  act.state = ApprovalState::kExpired;
  COMITY_RETURN_IF_ERROR(transaction.approvals().Change(act, ApprovalState::kPending));
  COMITY_RETURN_IF_ERROR(recorder.Record(ApprovalEvent(audit::kApprovalExpired, act, setup.own)));
  return setup.notices.Post(transaction, recorder, DecidedNotice(act, *rule));
}

Status Approvals::Housekeep() {
  const auto due = [&](const store::Transaction& transaction) {
    return transaction.approvals().Due(state_->setup.clock.Now(), kDueAtOnce);
  };
  std::size_t handled = 0;
  // A look first: nothing is written, and no commit is made, when nothing is due.
  COMITY_RETURN_IF_ERROR(state_->setup.store.Read([&](const store::Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto acts, due(t));
    handled = acts.size();
    return {};
  }));
  if (handled == 0) return {};
  std::size_t corrupt = 0;
  // What is not as it was proposed comes by itself, after the others: a row that the database does
  // not let be changed keeps none of them from its end.
  for (const bool sound : {true, false}) {
    if (!sound && corrupt == 0) break;
    COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          corrupt = 0;
          COMITY_ASSIGN_OR_RETURN(const auto acts, due(transaction));
          for (const PendingAct& act : acts) {
            const bool is_sound = RuleOf(act) && CheckVouched(state_->setup.kek, act);
            if (!is_sound) ++corrupt;
            if (is_sound != sound) continue;
            COMITY_RETURN_IF_ERROR(sound ? state_->HandleDue(transaction, recorder, act)
                                         : EndCorrupt(transaction, act));
          }
          if (sound || corrupt == 0) return {};
          return state_->setup.notices.Post(transaction, recorder, CorruptNotice(corrupt));
        }));
  }
  state_->setup.notices.Announce();
  if (corrupt == 0) return {};
  return Fail(ErrorCode::kCorrupt,
              "acts that were not as they were proposed were ended: " + std::to_string(corrupt));
}

}  // namespace comity::identity
