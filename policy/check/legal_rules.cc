// SPDX-License-Identifier: Apache-2.0
#include "policy/check/legal_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/model/instant.h"

namespace comity::policy {
namespace {

constexpr std::chrono::hours kLongestListAge{24};

constexpr std::array<RetentionField, 6> kRetentionFields = {{
    {"alert", &Retention::alert, RetentionClass::kAlert},
    {"match_evidence", &Retention::match_evidence, RetentionClass::kMatchEvidence},
    {"audit", &Retention::audit, RetentionClass::kAuditPayload},
    {"justification", &Retention::justification, RetentionClass::kJustification},
    {"list_after_end", &Retention::list_after_end, RetentionClass::kWatchlist},
    {"receipts", &Retention::receipts, RetentionClass::kReceipt},
}};

bool Has(const std::vector<Regime>& regimes, Regime regime) {
  return std::find(regimes.begin(), regimes.end(), regime) != regimes.end();
}

// Whether the party certainly processes under a regime of law enforcement for this purpose: the
// purpose's regime if the party acts under it, else all of the party's.
bool IsSurelyLawEnforcement(const Party& party, const Purpose& purpose) {
  if (Has(party.regimes, purpose.regime)) return IsLawEnforcement(purpose.regime);
  return std::all_of(party.regimes.begin(), party.regimes.end(), IsLawEnforcement);
}

bool IsEverLawEnforcement(const Party& party) {
  return std::any_of(party.regimes.begin(), party.regimes.end(), IsLawEnforcement);
}

bool IsLive(const SearchPermission& permission) {
  return std::find(permission.uses.begin(), permission.uses.end(), UseMode::kLive) !=
         permission.uses.end();
}

class LawChecker {
 public:
  explicit LawChecker(const Agreement& agreement) : agreement_(agreement) {}

  std::vector<Issue> Run() && {
    CheckJointControllers();
    CheckHandling();
    CheckCases();
    for (std::size_t i = 0; i < agreement_.permissions.size(); ++i) {
      CheckPermission(agreement_.permissions[i], "permissions[" + std::to_string(i) + "]");
    }
    CheckRetention();
    return std::move(issues_);
  }

 private:
  void Report(std::string path, std::string message) {
    issues_.push_back({0, 0, std::move(path), std::move(message)});
  }

  void CheckJointControllers() {
    const auto joint = std::count_if(
        agreement_.parties.begin(), agreement_.parties.end(),
        [](const Party& party) { return party.legal_role == LegalRole::kJointController; });
    if (joint == 1) Report("parties", "one party alone cannot be a joint controller");
    if (joint > 0 && !agreement_.joint_arrangement) {
      Report("joint_arrangement",
             "joint controllers record their arrangement (DPA 2018 s.58; UK GDPR Art 26)");
    }
    if (joint == 0 && agreement_.joint_arrangement) {
      Report("joint_arrangement", "no party is a joint controller; `none`");
    }
  }

  void CheckHandling() {
    const bool conditions = agreement_.handling_code == HandlingCode::kConditions;
    if (conditions == agreement_.handling_conditions.has_value()) return;
    Report("handling_conditions", conditions ? "code C states its conditions"
                                             : "code P has no conditions; `none`, or code C");
  }

  void CheckCases() {
    for (std::size_t i = 0; i < agreement_.purposes.size(); ++i) {
      const Purpose& purpose = agreement_.purposes[i];
      if (purpose.requires_case_reference || !IsLawEnforcement(purpose.regime)) continue;
      Report("purposes[" + std::to_string(i) + "].requires_case_reference",
             "law enforcement searches within individual cases (Prüm II Art 20(1)); `true`");
    }
  }

  void CheckPermission(const SearchPermission& permission, const std::string& path) {
    if (IsLive(permission) && permission.lists.max_age > kLongestListAge) {
      Report(path + ".lists.max_age",
             "a list for live use is at most 24 hours old (domain requirement WL-5); PT24H");
    }
    const Party* const requester = agreement_.FindParty(permission.requester);
    const Party* const holder = agreement_.FindParty(permission.holder);
    if (requester == nullptr || holder == nullptr) return;  // reported where parties are checked
    for (const PurposeCode& code : permission.purposes) {
      const Purpose* const purpose = agreement_.FindPurpose(code);
      if (purpose == nullptr) continue;  // likewise
      if (CheckLeavingLawEnforcement(permission, path, {*requester, *holder, *purpose})) break;
    }
    for (const PurposeCode& code : permission.purposes) {
      const Purpose* const purpose = agreement_.FindPurpose(code);
      if (purpose == nullptr) continue;
      if (CheckEnteringLawEnforcement(permission, path, {*requester, *holder, *purpose})) break;
    }
  }

  struct Flow {
    const Party& requester;
    const Party& holder;
    const Purpose& purpose;
  };

  // Data collected for law enforcement used for something else. True: reported.
  bool CheckLeavingLawEnforcement(const SearchPermission& permission, const std::string& path,
                                  const Flow& flow) {
    if (permission.authorised_by || !IsEverLawEnforcement(flow.holder) ||
        IsSurelyLawEnforcement(flow.requester, flow.purpose)) {
      return false;
    }
    Report(path + ".authorised_by",
           "for " + flow.purpose.code.text() + ", data of law enforcement go to " +
               flow.requester.agency.text() +
               ", which acts outside it: name the law that authorises this (DPA 2018 s.36(4))");
    return true;
  }

  // Data of patients or clients used for law enforcement: case by case, and guarded.
  bool CheckEnteringLawEnforcement(const SearchPermission& permission, const std::string& path,
                                   const Flow& flow) {
    if (IsSurelyLawEnforcement(flow.holder, flow.purpose) ||
        !IsEverLawEnforcement(flow.requester)) {
      return false;
    }
    if (IsLive(permission)) {
      Report(path + ".uses", "for " + flow.purpose.code.text() + ", " + flow.holder.agency.text() +
                                 " acts outside law enforcement and shares with it case by case "
                                 "only, never as a standing feed: not `live`");
    }
    const auto& signatories = flow.holder.signatories;
    if (std::none_of(signatories.begin(), signatories.end(),
                     [](const Signatory& signatory) { return signatory.caldicott; })) {
      Report(path + ".holder", flow.holder.agency.text() +
                                   " shares with law enforcement: one of its signatories guards "
                                   "confidentiality (`caldicott: true`)");
    }
    return true;
  }

  void CheckRetention() {
    for (const RetentionField& field : kRetentionFields) {
      const std::chrono::seconds period = agreement_.retention.*field.period;
      const RetentionRule& law = RuleOf(field.record_class);
      const std::string path = "retention." + std::string(field.name);
      const std::string source = " (" + std::string(law.source) + ")";
      if (period < law.least) {
        Report(path, "the law demands at least " + EncodeDuration(law.least) + source);
      }
      if (law.most && period > *law.most) {
        Report(path, "the law allows at most " + EncodeDuration(*law.most) + source);
      }
    }
  }

  const Agreement& agreement_;
  std::vector<Issue> issues_;
};

}  // namespace

std::span<const RetentionField> RetentionFields() {
  return kRetentionFields;
}

std::vector<Issue> CheckLaw(const Agreement& agreement) {
  return LawChecker(agreement).Run();
}

}  // namespace comity::policy
