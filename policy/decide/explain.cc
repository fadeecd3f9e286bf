// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/explain.h"

#include <algorithm>
#include <utility>

#include "policy/agreement/status.h"
#include "policy/decide/bound_words.h"
#include "policy/decide/bounds.h"
#include "policy/decide/request_form.h"
#include "policy/decide/standing.h"

namespace comity::policy {
namespace {

// Collects the findings of one version.
class Inquiry {
 public:
  Inquiry(const AgreementVersion& version, const SearchRequest& request, Instant now)
      : version_(version), request_(request), now_(now) {}

  // `well_formed`: bounds can be looked at.
  std::vector<Finding> Run(bool well_formed) && {
    LookAtState();
    LookAtAttachments();
    if (!well_formed) return std::move(findings_);
    LookAtProhibitions();
    LookAtPermissions();
    return std::move(findings_);
  }

 private:
  void Add(std::string clause, bool passed, std::string words, std::string permission = "") {
    findings_.push_back(
        {version_.ref, std::move(permission), std::move(clause), passed, std::move(words)});
  }
  void AddDenial(const Decision& denial, const std::string& words) {
    for (const std::string& clause : denial.clauses) Add(clause, false, words);
  }

  void LookAtState() {
    const auto status = StatusAt(version_.agreement, version_.state, now_);
    if (const auto denial = DenyByState(version_, now_)) {
      std::string words = "the agreement is " + std::string(Name(status));
      for (const std::string& missing : version_.state.missing) words += "; lacks " + missing;
      AddDenial(*denial, words);
    } else {
      Add("status", true, "the agreement is in force");
    }
    if (const auto denial = DenyByPeer(version_)) {
      const auto& said = version_.peer_word->status;
      AddDenial(*denial, said ? "the other party says that it is " + std::string(Name(*said))
                              : "the other party says of it what is no status known here");
    }
  }

  void LookAtAttachments() {
    for (const AttachmentKind kind : version_.missing_attachments) {
      Add("attachments." + std::string(Name(kind)), false, "no such document is attached");
    }
    for (const Attachment& attachment : version_.agreement.attachments) {
      const bool valid = now_ >= attachment.valid_from && now_ < attachment.valid_until;
      Add("attachments." + attachment.id, valid,
          attachment.reference + (valid ? " is valid until " : " is valid only until ") +
              EncodeInstant(attachment.valid_until) +
              (now_ < attachment.valid_from ? ", from " + EncodeInstant(attachment.valid_from)
                                            : std::string()));
    }
  }

  void LookAtProhibitions() {
    for (const Prohibition& prohibition : version_.agreement.prohibitions) {
      if (Forbids(prohibition, request_)) Add(prohibition.id, false, prohibition.reason);
    }
  }

  void LookAtPermissions() {
    bool any = false;
    const Purpose* const purpose = version_.agreement.FindPurpose(*request_.purpose);
    for (const SearchPermission& permission : version_.agreement.permissions) {
      if (permission.requester != request_.requester || permission.holder != request_.holder) {
        continue;
      }
      any = true;
      for (int i = 0; i < static_cast<int>(Bound::kAll); ++i) {
        const auto bound = static_cast<Bound>(i);
        Add(ClauseOf(permission, bound, *request_.purpose),
            Keeps(permission, purpose, request_, bound),
            WordsOf(permission, purpose, request_, bound), permission.id);
      }
    }
    if (any) return;
    Add("permissions", false,
        "nothing permits " + request_.requester.text() + " to search " + request_.holder.text());
  }

  const AgreementVersion& version_;
  const SearchRequest& request_;
  const Instant now_;
  std::vector<Finding> findings_;
};

// The version that the request names, or would be decided by; null: none between the two.
const AgreementVersion* Named(const AgreementSet& set, const SearchRequest& request, Instant now) {
  if (!request.agreement) return nullptr;
  const AgreementVersion* const version = set.FindCurrent(request.agreement->id, now);
  const bool between = version != nullptr &&
                       version->agreement.FindParty(request.requester) != nullptr &&
                       version->agreement.FindParty(request.holder) != nullptr;
  return between ? version : nullptr;
}

void LookAtName(const SearchRequest& request, const AgreementVersion* named,
                std::vector<Finding>& findings) {
  if (!request.agreement) {
    findings.push_back({{}, "", "request.agreement", false, "the request names no agreement"});
    return;
  }
  const std::string name =
      request.agreement->id.text() + " version " + std::to_string(request.agreement->version);
  if (named == nullptr) {
    findings.push_back(
        {{},
         "",
         "request.agreement",
         false,
         "there is no agreement " + request.agreement->id.text() + " between the two agencies"});
    return;
  }
  const bool version = request.agreement->version == named->ref.version;
  const bool content = request.agreement->sha256 == named->ref.sha256;
  findings.push_back({named->ref, "", version ? "sha256" : "version", version && content,
                      name + (version && content ? " is the current one"
                              : version          ? " is another document than the current one"
                                                 : " is not the current one, which is version " +
                                              std::to_string(named->ref.version))});
}

// An id or code that no agreement at hand knows is mostly a misspelt one. What is absent or
// malformed is told as such.
void LookAtTerms(const AgreementSet& set, const SearchRequest& request, Instant now,
                 std::vector<Finding>& findings) {
  const auto known = [&](const auto& knows) {
    const auto ids = set.ids();
    return std::any_of(ids.begin(), ids.end(), [&](const AgreementId& id) {
      const AgreementVersion* const version = set.FindCurrent(id, now);
      return version != nullptr && knows(version->agreement);
    });
  };
  const auto look = [&](const char* field, const std::string& words, const auto& knows) {
    if (!known(knows)) findings.push_back({{}, "", field, false, words});
  };
  const auto look_at_agency = [&](const char* field, const AgencyId& agency) {
    if (agency.empty()) return;
    look(field, "no agreement here has the agency " + agency.text() + " as a party",
         [&](const Agreement& agreement) { return agreement.FindParty(agency) != nullptr; });
  };
  look_at_agency("request.requester", request.requester);
  look_at_agency("request.holder", request.holder);
  if (!request.purpose || request.purpose->empty()) return;
  look("request.purpose", "no agreement here has the purpose " + request.purpose->text(),
       [&](const Agreement& agreement) {
         return agreement.FindPurpose(*request.purpose) != nullptr;
       });
}

void Append(std::vector<Finding> more, std::vector<Finding>& findings) {
  std::move(more.begin(), more.end(), std::back_inserter(findings));
}

// What the governing permission's counters say.
void LookAtCapacity(const Verdict& verdict, const Usage& usage, std::vector<Finding>& findings) {
  const CapacityKey& key = *verdict.capacity;
  const auto add = [&](const char* part, const std::string& whose,
                       const std::optional<std::uint64_t>& used, std::uint64_t limit) {
    const bool passed = used && *used < limit;
    findings.push_back({verdict.decision.agreement, key.clause, key.clause + part, passed,
                        used ? std::to_string(*used) + " of " + std::to_string(limit) +
                                   " searches of " + whose + " are used today (UTC)"
                             : "how many searches of " + whose + " are used cannot be read"});
  };
  add(".capacity", "the requester", usage.probes_today, key.limits.probes_per_day);
  add(".capacity.per_officer", "the officer", usage.officer_today, key.limits.per_officer_per_day);
  add(".capacity.per_case", "the case", usage.case_today, key.limits.per_case_per_day);
}

}  // namespace

Explanation Explain(const AgreementSet& set, const SearchRequest& request, const Usage& usage,
                    Instant now) {
  Explanation explanation;
  const Verdict verdict = Consider(set, request, now);
  explanation.decision = Conclude(verdict, usage);
  auto& findings = explanation.findings;
  const auto malformed = FindMalformedField(request);
  if (malformed) {
    findings.push_back({{},
                        "",
                        "request." + std::string(*malformed),
                        false,
                        "the field is absent, unknown or out of range"});
  }
  LookAtTerms(set, request, now, findings);
  const AgreementVersion* const named = Named(set, request, now);
  LookAtName(request, named, findings);
  if (named != nullptr) Append(Inquiry(*named, request, now).Run(!malformed), findings);
  if (verdict.capacity) LookAtCapacity(verdict, usage, findings);
  for (const AgreementId& id : set.FindBetween(request.requester, request.holder)) {
    if (named != nullptr && named->ref.id == id) continue;
    Append(Inquiry(*set.FindCurrent(id, now), request, now).Run(!malformed), findings);
  }
  if (!verdict.capacity) explanation.nearest = FindNearest(set, request, now);
  return explanation;
}

std::string RenderExplanation(const Explanation& explanation) {
  const Decision& decision = explanation.decision;
  std::string text = std::string(Name(decision.code));
  for (const std::string& clause : decision.clauses) text += " [" + clause + "]";
  text += "\n";
  for (const Finding& finding : explanation.findings) {
    const std::string agreement =
        finding.agreement
            ? finding.agreement->id.text() + "@" + std::to_string(finding.agreement->version) + " "
            : std::string();
    text += std::string(finding.passed ? "  yes  " : "  no   ") + agreement + "[" + finding.clause +
            "] " + finding.words + "\n";
  }
  if (!explanation.nearest) return text;
  const Nearest& nearest = *explanation.nearest;
  text += "nearest: " + nearest.agreement.id.text() + " version " +
          std::to_string(nearest.agreement.version) + " [" + nearest.permission +
          "] would permit it with:\n";
  for (const RequestChange& change : nearest.changes) {
    text += "  " + change.field + ": " + change.words + "\n";
  }
  return text;
}

}  // namespace comity::policy
