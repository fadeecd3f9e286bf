// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/status.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace comity::policy {
namespace {

constexpr std::array<std::pair<AgreementStatus, std::string_view>, 11> kStatuses = {{
    {AgreementStatus::kDrafted, "drafted"},
    {AgreementStatus::kAdvised, "advised"},
    {AgreementStatus::kSigned, "signed"},
    {AgreementStatus::kInForce, "in-force"},
    {AgreementStatus::kSuspended, "suspended"},
    {AgreementStatus::kTerminated, "terminated"},
    {AgreementStatus::kRejected, "rejected"},
    {AgreementStatus::kNotYetValid, "not-yet-valid"},
    {AgreementStatus::kExpired, "expired"},
    {AgreementStatus::kReviewOverdue, "review-overdue"},
    {AgreementStatus::kSuperseded, "superseded"},
}};

// How many different signatories of one side it takes to lift its suspension or to terminate.
constexpr std::size_t kPeopleOfOneSide = 2;

// A person of the document as statements name one.
using Person = std::pair<AgencyId, std::string>;  // party, post

// The statements about one document, by what they mean; sets and maps, so that neither order nor
// repetition can matter.
struct Sorted {
  std::map<Person, std::tuple<Instant, Digest, AdvicePosition>> advice;  // the latest of each DPO
  std::set<Person> signatures;
  std::set<Digest> rejections;
  std::map<Person, std::pair<Instant, Digest>> terminations;  // the earliest of each person
  std::set<Person> reviews;
  std::map<Digest, OpenSuspension> suspensions;
  std::map<Digest, std::set<Person>> resumptions;  // by the suspension they name
};

void Sort(const VerifiedStatement& verified, Sorted& sorted) {
  const Statement& statement = verified.statement;
  const Person person(statement.party, statement.post);
  switch (statement.kind) {
    case StatementKind::kSignature:
      sorted.signatures.insert(person);
      return;
    case StatementKind::kAdvice: {
      if (!statement.position) return;
      const std::tuple advice(statement.at, verified.id, *statement.position);
      const auto [known, added] = sorted.advice.emplace(person, advice);
      if (!added) known->second = std::max(known->second, advice);
      return;
    }
    case StatementKind::kSuspension:
      sorted.suspensions.emplace(
          verified.id, OpenSuspension{verified.id, statement.party, statement.post, statement.at,
                                      statement.agreement.version});
      return;
    case StatementKind::kResumption:
      if (statement.lifts) sorted.resumptions[*statement.lifts].insert(person);
      return;
    case StatementKind::kTermination: {
      const std::pair said(statement.at, verified.id);
      const auto [known, added] = sorted.terminations.emplace(person, said);
      if (!added) known->second = std::min(known->second, said);
      return;
    }
    case StatementKind::kRejection:
      sorted.rejections.insert(verified.id);
      return;
    case StatementKind::kReview:
      sorted.reviews.insert(person);
      return;
  }
}

// How many different signatories of `side` ask to lift the suspension.
std::size_t CountResumptions(const Sorted& sorted, const OpenSuspension& suspension) {
  const auto found = sorted.resumptions.find(suspension.id);
  if (found == sorted.resumptions.end()) return 0;
  return static_cast<std::size_t>(
      std::count_if(found->second.begin(), found->second.end(),
                    [&](const Person& person) { return person.first == suspension.party; }));
}

std::string Words(std::string_view what, const AgencyId& party, const std::string& post) {
  return std::string(what) + " " + party.text() + ", " + post;
}

void JudgeParties(const Agreement& agreement, const Sorted& sorted, StatementState& state) {
  bool advised = true;
  bool signed_by_all = true;
  for (const Party& party : agreement.parties) {
    const auto advice = sorted.advice.find({party.agency, party.dpo.post});
    if (advice == sorted.advice.end()) {
      advised = false;
      state.missing.push_back(Words("advice of", party.agency, party.dpo.post));
    } else {
      const auto position = std::get<AdvicePosition>(advice->second);
      if (position == AdvicePosition::kAgainst) state.against_advice = true;
      if (position == AdvicePosition::kConditional) state.conditional_advice = true;
    }
    for (const Signatory& signatory : party.signatories) {
      if (sorted.signatures.contains({party.agency, signatory.post})) {
        state.any_signature = true;
        continue;
      }
      signed_by_all = false;
      state.missing.push_back(Words("signature of", party.agency, signatory.post));
    }
    // A party without signatories has agreed to nothing.
    signed_by_all = signed_by_all && !party.signatories.empty();
  }
  state.advised = advised && !agreement.parties.empty();
  state.complete = state.advised && signed_by_all;
}

// When a party's own two signatories had both said it; nothing if they have not.
std::optional<std::pair<Instant, Digest>> SecondTermination(const Sorted& sorted,
                                                            const Party& party) {
  std::vector<std::pair<Instant, Digest>> said;
  for (const auto& [person, statement] : sorted.terminations) {
    if (person.first == party.agency) said.push_back(statement);
  }
  if (said.size() < kPeopleOfOneSide) return std::nullopt;
  std::sort(said.begin(), said.end());
  return said[kPeopleOfOneSide - 1];
}

// The sum, or the last instant there is.
Instant Plus(Instant instant, std::chrono::seconds duration) {
  return instant > Instant::max() - duration ? Instant::max() : instant + duration;
}

// When the version ends for each party that has terminated it, by its own people or by all.
using Ends = std::map<AgencyId, Instant>;

Ends JudgeTermination(const Agreement& agreement, const Sorted& sorted, StatementState& state) {
  Ends ends;
  std::optional<Termination> first;  // of one party, with notice
  std::optional<Termination> last;   // of every party, at once
  bool by_all = !agreement.parties.empty();
  for (const Party& party : agreement.parties) {
    const auto second = SecondTermination(sorted, party);
    by_all = by_all && second.has_value();
    if (!second) continue;
    const Termination alone{second->second, Plus(second->first, agreement.termination.notice)};
    ends.emplace(party.agency, alone.effective_at);
    if (!first || alone.effective_at < first->effective_at) first = alone;
    if (!last || second->first > last->effective_at) last = {second->second, second->first};
  }
  state.termination = first;
  if (!by_all) return ends;
  if (last->effective_at < first->effective_at) state.termination = last;
  for (auto& [party, end] : ends) end = std::min(end, last->effective_at);
  return ends;
}

void JudgeReviews(const Agreement& agreement, const Sorted& sorted, StatementState& state) {
  for (const Party& party : agreement.parties) {
    if (!sorted.reviews.contains({party.agency, party.dpo.post})) {
      state.missing_reviews.push_back(Words("review of", party.agency, party.dpo.post));
    }
    const bool signatory = std::any_of(
        party.signatories.begin(), party.signatories.end(),
        [&](const Signatory& each) { return sorted.reviews.contains({party.agency, each.post}); });
    if (!signatory) {
      state.missing_reviews.push_back(Words("review of", party.agency, "a signatory"));
    }
  }
  state.reviewed = state.missing_reviews.empty() && !agreement.parties.empty();
}

// In: ends  when the version ends for each party: whoever ends it keeps nothing stopped by it
void JudgeSuspensions(const Sorted& sorted, const Ends& ends, StatementState& state) {
  for (const auto& [id, suspension] : sorted.suspensions) {
    const std::size_t resumptions = CountResumptions(sorted, suspension);
    if (resumptions >= kPeopleOfOneSide) continue;
    OpenSuspension& open = state.suspensions.emplace_back(suspension);
    open.lacks = kPeopleOfOneSide - resumptions;
    const auto end = ends.find(open.party);
    if (end != ends.end()) open.until = end->second;
    state.missing.push_back(MissingResumptions(open));
  }
}

}  // namespace

std::string_view Name(AgreementStatus status) {
  for (const auto& [known, name] : kStatuses) {
    if (known == status) return name;
  }
  return "unknown";
}

std::optional<AgreementStatus> ParseAgreementStatus(std::string_view text) {
  for (const auto& [status, name] : kStatuses) {
    if (name == text) return status;
  }
  return std::nullopt;
}

bool StopsSharing(AgreementStatus status) {
  return status == AgreementStatus::kSuspended || status == AgreementStatus::kTerminated ||
         status == AgreementStatus::kRejected;
}

std::string MissingResumptions(const OpenSuspension& suspension) {
  return "resumption by " + std::to_string(suspension.lacks) + " of the signatories of " +
         suspension.party.text();
}

StatementState ComputeStatementState(const Agreement& agreement,
                                     std::span<const VerifiedStatement> statements) {
  Sorted sorted;
  const AgreementRef ref = RefOf(agreement);
  for (const VerifiedStatement& verified : statements) {
    if (verified.statement.agreement == ref) Sort(verified, sorted);
  }
  StatementState state;
  if (!sorted.rejections.empty()) state.rejection = *sorted.rejections.begin();
  JudgeParties(agreement, sorted, state);
  JudgeSuspensions(sorted, JudgeTermination(agreement, sorted, state), state);
  JudgeReviews(agreement, sorted, state);
  return state;
}

AgreementStatus StatusAt(const Agreement& agreement, const StatementState& state, Instant now) {
  if (state.termination && now >= state.termination->effective_at) {
    return AgreementStatus::kTerminated;
  }
  if (state.rejection) return AgreementStatus::kRejected;
  const bool suspended =
      std::any_of(state.suspensions.begin(), state.suspensions.end(),
                  [&](const OpenSuspension& suspension) { return now < suspension.until; });
  if (suspended) return AgreementStatus::kSuspended;
  if (!state.complete) {
    if (!state.advised) return AgreementStatus::kDrafted;
    return state.any_signature ? AgreementStatus::kSigned : AgreementStatus::kAdvised;
  }
  if (now < agreement.effective_from) return AgreementStatus::kNotYetValid;
  if (now >= agreement.effective_until) return AgreementStatus::kExpired;
  if (now >= agreement.review_by) return AgreementStatus::kReviewOverdue;
  return AgreementStatus::kInForce;
}

StatusReport ComputeStatus(const Agreement& agreement,
                           std::span<const VerifiedStatement> statements, Instant now) {
  StatementState state = ComputeStatementState(agreement, statements);
  return {StatusAt(agreement, state, now), state.against_advice, std::move(state.missing),
          std::move(state.suspensions)};
}

}  // namespace comity::policy
