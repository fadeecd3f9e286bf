// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/status.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace comity::policy {
namespace {

// A person of the document as statements name one.
using Person = std::pair<AgencyId, std::string>;  // party, post

// The statements about one document, by what they mean; sets and maps, so that neither order nor
// repetition can matter.
struct Sorted {
  std::map<Person, std::tuple<Instant, Digest, AdvicePosition>> advice;  // the latest of each DPO
  std::set<Person> signatures;
  std::set<Digest> terminations;
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
          verified.id, OpenSuspension{verified.id, statement.party, statement.post, statement.at});
      return;
    case StatementKind::kResumption:
      if (statement.lifts) sorted.resumptions[*statement.lifts].insert(person);
      return;
    case StatementKind::kTermination:
      sorted.terminations.insert(verified.id);
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
    } else if (std::get<AdvicePosition>(advice->second) == AdvicePosition::kAgainst) {
      state.against_advice = true;
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

void JudgeSuspensions(const Sorted& sorted, StatementState& state) {
  constexpr std::size_t kPeopleToResume = 2;
  for (const auto& [id, suspension] : sorted.suspensions) {
    const std::size_t resumptions = CountResumptions(sorted, suspension);
    if (resumptions >= kPeopleToResume) continue;
    state.suspensions.push_back(suspension);
    state.missing.push_back("resumption by " + std::to_string(kPeopleToResume - resumptions) +
                            " of the signatories of " + suspension.party.text());
  }
}

}  // namespace

std::string_view Name(AgreementStatus status) {
  switch (status) {
    case AgreementStatus::kDrafted:
      return "drafted";
    case AgreementStatus::kAdvised:
      return "advised";
    case AgreementStatus::kSigned:
      return "signed";
    case AgreementStatus::kInForce:
      return "in-force";
    case AgreementStatus::kSuspended:
      return "suspended";
    case AgreementStatus::kTerminated:
      return "terminated";
    case AgreementStatus::kNotYetValid:
      return "not-yet-valid";
    case AgreementStatus::kExpired:
      return "expired";
    case AgreementStatus::kReviewOverdue:
      return "review-overdue";
    case AgreementStatus::kSuperseded:
      return "superseded";
  }
  return "unknown";
}

StatementState ComputeStatementState(const Agreement& agreement,
                                     std::span<const VerifiedStatement> statements) {
  Sorted sorted;
  const AgreementRef ref = RefOf(agreement);
  for (const VerifiedStatement& verified : statements) {
    if (verified.statement.agreement == ref) Sort(verified, sorted);
  }
  StatementState state;
  JudgeParties(agreement, sorted, state);
  JudgeSuspensions(sorted, state);
  if (!sorted.terminations.empty()) state.termination = *sorted.terminations.begin();
  return state;
}

AgreementStatus StatusAt(const Agreement& agreement, const StatementState& state, Instant now) {
  if (state.termination) return AgreementStatus::kTerminated;
  if (!state.suspensions.empty()) return AgreementStatus::kSuspended;
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
