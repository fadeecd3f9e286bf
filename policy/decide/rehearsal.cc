// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/rehearsal.h"

#include <utility>

namespace comity::policy {
namespace {

VerifiedStatement Supposed(StatementKind kind, const Agreement& draft, const Party& party,
                           const std::string& post) {
  VerifiedStatement supposed;
  supposed.statement.kind = kind;
  supposed.statement.agreement = RefOf(draft);
  supposed.statement.party = party.agency;
  supposed.statement.post = post;
  if (kind == StatementKind::kAdvice) supposed.statement.position = AdvicePosition::kFor;
  return supposed;
}

bool IsAsExpected(const ExampleRequest& example, const Decision& decision) {
  if (decision.code != example.expected) return false;
  if (!example.expected_clause) return decision.clauses.empty();
  return !decision.clauses.empty() && decision.clauses.back() == *example.expected_clause;
}

}  // namespace

Result<AgreementSet> AsIfSigned(const Agreement& draft) {
  AgreementInput input{draft, {}, {}};
  for (const Party& party : draft.parties) {
    input.statements.push_back(Supposed(StatementKind::kAdvice, draft, party, party.dpo.post));
    for (const Signatory& signatory : party.signatories) {
      input.statements.push_back(Supposed(StatementKind::kSignature, draft, party, signatory.post));
    }
  }
  return AgreementSet::Build({std::move(input)});
}

Result<std::vector<RehearsedCase>> Rehearse(const Agreement& draft,
                                            const ExampleRequests& examples) {
  if (examples.agreement != draft.id) {
    return Fail(ErrorCode::kInvalidArgument, "the examples are for " + examples.agreement.text() +
                                                 ", the document is " + draft.id.text());
  }
  COMITY_ASSIGN_OR_RETURN(const AgreementSet set, AsIfSigned(draft));
  std::vector<RehearsedCase> rehearsed;
  for (const ExampleRequest& example : examples.cases) {
    SearchRequest request = example.request;
    request.agreement = RefOf(draft);
    const Usage usage{example.probes_today, example.officer_today, example.case_today};
    Decision decision = Decide(set, request, usage, example.at);
    const bool as_expected = IsAsExpected(example, decision);
    rehearsed.push_back({example, std::move(decision), as_expected});
  }
  return rehearsed;
}

}  // namespace comity::policy
